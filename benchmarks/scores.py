"""The scores of every task of `skerry eval` on a folder of real cases, as tables.

    python -m benchmarks.scores DATA [--tasks invoices,duplicates] [--write docs/quality.md]

DATA is the folder with `score.py` and the cases. `--write` puts the tables between the marks in a page: those of
invoices, kind by kind, with what the verifiers would accept of them without a person, and those of all other tasks.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from skerry_workflows.invoice.evaluate import prediction
from skerry_workflows.invoice.read import read_all
from skerry_workflows.invoice.rules import extract
from skerry_workflows.invoice.unreadable import Unreadable
from skerry_workflows.invoice.verify import HEADLINE, verify

KINDS = {
    "xml": ("xml-", "UBL and CII"),
    "hybrid": ("pdf-hybrid", "PDF with XML inside"),
    "pdf": ("pdf-text", "PDF with a text layer"),
    "image": ("image", "picture"),
    "text": ("text", "plain text"),
}
"""Of each kind of invoice what it begins with in the manifest of the cases, and what people call it."""


def scorer(data: Path) -> Any:
    """The scorer of a folder of cases, as a module."""
    spec = importlib.util.spec_from_file_location("score", data / "score.py")
    assert spec is not None and spec.loader is not None, f"there is no {data / 'score.py'}"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def kind_of(case: dict[str, Any]) -> str:
    """The kind of a case of the manifest."""
    return next(name for name, (begins, _) in KINDS.items() if str(case["kind"]).startswith(begins))


def predicted(task: str, data: Path, folder: Path) -> dict[str, Any] | None:
    """What `skerry eval` predicts for a task; None where it does not have it."""
    out = folder / f"{task}.json"
    command = [sys.executable, "-m", "skerry.cli", "eval", task, str(data), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        if "there is no task" not in done.stderr:
            print(done.stderr, file=sys.stderr)
        return None
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def invoices(score: Any, predictions: dict[str, Any], data: Path) -> Iterator[str]:
    """The table of invoices, a row for each kind."""
    accepted = acceptance(score, data)
    yield "| kind | headline fields | all of them right | line items F1 | accepted | to a person | wrong and accepted |"
    yield "|---|---|---|---|---|---|---|"
    for kind, (_, name) in KINDS.items():
        result, _ = score.TASKS[f"invoices-{kind}"](predictions)
        counts = accepted[kind]
        lines = "-" if result["line_items_f1"] is None else f"{result['line_items_f1']:.2f}"
        yield (
            f"| {name} | {result['headline_macro_over_layouts']:.1%} | {result['all_headline_fields_right']} | {lines} "
            f"| {counts['accepted']} | {counts['asked']} | {counts['wrong']} |"
        )


def acceptance(score: Any, data: Path) -> dict[str, Counter[str]]:
    """By kind, how many real cases the rules alone would have booked, and how many of those with a wrong value."""
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for case in json.loads((data / "invoices" / "manifest.json").read_text(encoding="utf-8"))["cases"]:
        kind = kind_of(case)
        try:
            reading = read_all((data / "invoices" / case["input"]).read_bytes(), case["input"])
        except Unreadable:
            counts[kind]["asked"] += 1
            continue
        fields = reading.fields or extract(reading)
        if verify(fields, reading):
            counts[kind]["asked"] += 1
            continue
        counts[kind]["accepted"] += 1
        given = prediction(fields)
        scored = [name for name in HEADLINE if name in case["scored_fields"]]
        counts[kind]["wrong"] += not all(score.field_ok(name, case, given.get(name)) for name in scored)
    return counts


def others(score: Any, found: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The table of all other tasks: what the scorer says of each."""
    yield "| task | scores |"
    yield "|---|---|"
    for task, predictions in found.items():
        result, _ = score.TASKS[task](predictions)
        yield f"| `{task}` | {', '.join(_flat(result))} |"


def _flat(result: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in result.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name} ")
        elif name != "cases":
            yield f"{prefix}{name} {value}".replace("_", " ")


def write(page: Path, mark: str, tables: Iterable[str]) -> None:
    """Puts the tables between the marks of that name in a page."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    head, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, tail = rest.partition(end)
    assert found and closed, f"{page} has no {begin} and {end}"
    page.write_text(head + "\n".join((begin, "", *tables, "", end)) + tail, encoding="utf-8")


def judge(doc: str | None, mark: str, tables: Callable[[Path], Iterable[str]]) -> None:
    """The command line of what makes tables of DATA: shows them, and with --write puts them into a page."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--write", type=Path, help="the page that gets them")
    asked = parser.parse_args()
    lines = list(tables(asked.data))
    print("\n".join(lines))
    if asked.write:
        write(asked.write, mark, lines)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--tasks", default="", help="only these, with commas")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    score = scorer(options.data)
    tasks = options.tasks.split(",") if options.tasks else [t for t in score.TASKS if not t.startswith("invoices-")]
    tables: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        found = {task: p for task in tasks if (p := predicted(task, options.data, Path(folder))) is not None}
    if "invoices" in found:
        tables += [*invoices(score, found.pop("invoices"), options.data), ""]
    tables += others(score, found)
    print("\n".join(tables))
    if options.write:
        write(options.write, "scores", tables)


if __name__ == "__main__":
    main()
