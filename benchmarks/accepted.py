"""What the invoice workflow books without a person, and whether it is right: rules, models, verifiers, all of it.

    python -m benchmarks.accepted DATA [--write docs/quality.md] [--made-up 14] [--generated 300]

DATA is the folder of real cases (with `invoices/` and `score.py` in it). Beside them are judged: invoices that
tests/invoice makes up, in layouts that no model was trained on, papers of the same kind that are made to mislead, and
documents of `training` in layouts that were held out. All go through a node of its own, with the sizes and models of
the settings. `--write` puts the tables between the marks in a page.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from benchmarks.scores import KINDS, kind_of, scorer, write
from skerry.cli import cascading
from skerry.config import load
from skerry_workflows.invoice.evaluate import CASCADES
from skerry_workflows.invoice.model import InvoiceFields
from skerry_workflows.invoice.verify import HEADLINE
from tests.invoice.samples import TEXT
from tests.invoice.synthetic import LAYOUTS, Facts, invoice
from tests.invoice.test_accepted import WRONG

Right = Callable[[str, dict[str, Any]], bool | None]
"""Whether a field of a prediction is right; None where nobody can say."""


class Case(NamedTuple):
    """A document, what kind it is of, and how to tell right from wrong."""

    id: str
    file: Path
    kind: str
    right: Right


class Row(NamedTuple):
    """What became of the cases of one kind."""

    cases: int
    accepted: int
    by_model: int
    fields: int
    wrong: int


def real(data: Path) -> Iterator[Case]:
    """The cases of a folder with a scorer; of e-invoices, which no model reads, none."""
    score = scorer(data)
    for case in json.loads((data / "invoices" / "manifest.json").read_text(encoding="utf-8"))["cases"]:
        if (kind := kind_of(case)) != "xml":

            def right(name: str, given: dict[str, Any], case: Any = case) -> bool | None:
                scored = name in case["scored_fields"]
                return bool(score.field_ok(name, case, given.get(name))) if scored else None

            yield Case(case["id"], data / "invoices" / case["input"], f"real: {KINDS[kind][1]}", right)


def made_up(folder: Path, seeds: int) -> Iterator[Case]:
    """Invoices of the tests, each layout as text and as PDF."""
    for layout in LAYOUTS:
        for seed in range(seeds):
            facts = invoice(seed)
            as_text = seed % 2 == 0
            file = folder / f"{layout.__name__}-{seed}.{'txt' if as_text else 'pdf'}"
            file.write_bytes(layout(facts).text().encode() if as_text else layout(facts).pdf())
            yield Case(file.stem, file, "made up by the tests", _truth(facts))


def _truth(facts: Facts) -> Right:
    truth = InvoiceFields(
        number=facts.number,
        issue_date=facts.issued,
        currency=facts.locale.currency,
        seller_name=facts.seller.name,
        net_total=facts.net,
        tax_total=facts.tax,
        gross_total=facts.gross,
    )
    return _equals(msgspec.to_builtins(truth))


def _equals(truth: dict[str, Any]) -> Right:
    def right(name: str, given: dict[str, Any]) -> bool:
        return _plain(name, truth.get(name)) == _plain(name, given.get(name))

    return right


def _plain(name: str, value: Any) -> object:
    """Amounts by their value, all else by letters and digits, as the scorer compares them."""
    if value is None:
        return None
    return Decimal(str(value)) if name.endswith("_total") else re.sub(r"\W", "", str(value)).casefold()


def misleading(folder: Path) -> Iterator[Case]:
    """Papers on which another value looks like the right one: none of them may be accepted, whatever is read."""
    for number, (right, instead) in enumerate(WRONG.values()):
        file = folder / f"misleading-{number}.txt"
        file.write_text(TEXT.replace(right, instead), encoding="utf-8")
        yield Case(file.stem, file, "made to mislead", lambda name, given: False)


def generated(folder: Path, count: int) -> Iterator[Case]:
    """Documents of the training's own making, in layouts that were held out."""
    from skerry_workflows.invoice.model import Reading
    from skerry_workflows.invoice.quotes import InvoiceQuotes, read_quotes
    from training.scores import documents

    for number, document in enumerate(documents("layouts", count, "invoice", salt="accepted")):
        file = folder / f"generated-{number}.txt"
        file.write_text(document.text, encoding="utf-8")
        reading = Reading(name="", media_type="text/plain", kind="text", text=document.text)
        quotes = msgspec.convert(msgspec.structs.asdict(document.answer), InvoiceQuotes)
        right = _where_known(msgspec.to_builtins(read_quotes(quotes, reading)))
        yield Case(file.stem, file, "made by training, held-out layouts", right)


def _where_known(truth: dict[str, Any]) -> Right:
    """What the document's own answer leaves open (a net total that is not printed) nobody can judge."""
    equal = _equals(truth)
    return lambda name, given: None if truth.get(name) is None else equal(name, given)


def judge(cases: list[Case]) -> tuple[dict[str, Row], dict[str, tuple[int, int]], list[str]]:
    """By kind what was accepted; by field how much of it was looked at, and how much wrong; each wrong value."""
    whole = CASCADES["invoices"]
    config = load()

    def told(done: int, of: int) -> None:
        if done % 50 == 0 or done == of:
            print(f"{done} of {of}", flush=True)

    found = asyncio.run(cascading.evaluate(whole, [(case.id, case.file) for case in cases], config, told))
    rows: dict[str, Counter[str]] = {case.kind: Counter() for case in cases}
    fields: dict[str, Counter[str]] = {name: Counter() for name in HEADLINE}
    wrong: list[str] = []
    for case in cases:
        row = rows[case.kind]
        row["cases"] += 1
        verdict = found.verdicts.get(case.id)
        if verdict is None or not verdict.accepted:
            continue
        given = whole.prediction(bytes(found.answers[case.id]))
        row["accepted"] += 1
        row["by_model"] += bool(verdict.models)
        for name in HEADLINE:
            right = case.right(name, given)
            if right is not None:
                row["fields"] += 1
                fields[name]["fields"] += 1
                if not right:
                    row["wrong"] += 1
                    fields[name]["wrong"] += 1
                    by = "small" if name in verdict.models else "rules"
                    wrong.append(f"{case.kind}: {case.id}: {name} {given.get(name)!r}, read by {by}")
    names = Row._fields
    return (
        {kind: Row(**{name: row[name] for name in names}) for kind, row in rows.items()},
        {name: (count["fields"], count["wrong"]) for name, count in fields.items()},
        wrong,
    )


def tables(rows: dict[str, Row], fields: dict[str, tuple[int, int]], wrong: list[str]) -> list[str]:
    """As a page has them."""
    lines = [
        "| documents | cases | accepted without a person | with a model's part | their headline fields | wrong |",
        "|---|---|---|---|---|---|",
        *(f"| {kind} | " + " | ".join(map(str, row)) + " |" for kind, row in sorted(rows.items())),
        "",
        "| field of what was accepted | looked at | wrong |",
        "|---|---|---|",
        *(f"| {name.replace('_', ' ')} | {count} | {errors} |" for name, (count, errors) in fields.items()),
    ]
    if wrong:
        lines += ["", "Wrong and accepted:", "", *(f"* {each}" for each in wrong)]
    return lines


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="What is booked without a person, and whether it is right.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--write", type=Path, help="the page that gets the tables")
    parser.add_argument("--made-up", type=int, default=14, help="invoices of each layout of the tests")
    parser.add_argument("--generated", type=int, default=300, help="documents of held-out layouts")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        cases = [*real(asked.data), *made_up(place, asked.made_up), *misleading(place)]
        cases += generated(place, asked.generated) if asked.generated else []
        found = tables(*judge(cases))
    print("\n".join(found))
    if asked.write:
        write(asked.write, "accepted", found)


if __name__ == "__main__":
    main()
