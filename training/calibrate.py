"""From which confidence on the fields that the shipped model reads are taken: found on layouts that it has never seen.

    python -m training.calibrate [--model workers/skerry_workers/models/shipped] [--count 2000] [--risk 0.05]

Asks the model as a worker does, of made-up invoices of held-out layouts and wordings. What counts is how often a value
is wrong though it came through all that the workflow holds against a model's word: it stands in the document, it can be
read, and a second look at the page (`rules.likely`) says the same. What no second look can say is never taken on the
model's word. Writes `calibration.json` beside the model, for each file of it that a package is installed for: they have
different digests.
"""

from __future__ import annotations

import argparse
import importlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import click
import msgspec

from skerry.calibration import FILE, read
from skerry.core.calibration import Calibrated, Calibration, Found, calibrate
from skerry.core.outcomes import FieldOutcome
from skerry.core.thresholds import DEFAULT
from skerry.settings import Workers
from skerry_workers.models.catalog import shipped
from skerry_workers.models.choose import consider
from skerry_workers.models.machine import detect
from skerry_workers.models.port import Backend, Question
from skerry_workers.models.variants import variants
from skerry_workflows.invoice.identity import normal_number
from skerry_workflows.invoice.model import InvoiceFields, Reading
from skerry_workflows.invoice.quotes import InvoiceQuotes, read_quotes, shown
from skerry_workflows.invoice.rules.likely import Likely, likely
from skerry_workflows.invoice.rules.page import lay_out
from skerry_workflows.invoice.workflow import EXTRACT
from training.documents import Set
from training.scores import documents

SETS: tuple[Set, ...] = ("layouts", "labels")
_SUMS = ("net_total", "tax_total", "gross_total")
_TOLD = dict(zip(InvoiceQuotes.__struct_encode_fields__, InvoiceQuotes.__struct_fields__, strict=True))
FIELDS = tuple(_TOLD.values())


def outcomes(backend: Backend, words: str, count: int) -> Iterator[FieldOutcome]:
    """What became of the fields that the model read in made-up invoices, if a second look said the same."""
    schema = msgspec.json.schema(InvoiceQuotes)
    for of in SETS:
        for document in documents(of, count // len(SETS), "invoice", salt="calibrate"):
            reading = Reading(name="", media_type="text/plain", kind="text", text=document.text)
            second = likely(lay_out(document.text))
            if second == (None, None, None, None):
                continue
            question = Question(system=words, text=shown(reading), schema=schema)
            answer = backend.answer(question, threading.Event())
            given = read_quotes(msgspec.json.decode(answer.value, type=InvoiceQuotes), reading)
            truth = msgspec.convert(msgspec.structs.asdict(document.answer), InvoiceQuotes)
            right = read_quotes(truth, reading)
            sure = {_TOLD[path]: note.confidence for path, note in answer.fields.items()}
            for name in _agreed(given, second):
                yield FieldOutcome(
                    prompt=EXTRACT.name,
                    field=name,
                    model=backend.digest,
                    confidence=sure.get(name, 0.0),
                    right=_plain(getattr(given, name)) == _plain(getattr(right, name)),
                    by=of,
                )


def _agreed(given: InvoiceFields, second: Likely) -> Iterator[str]:
    """The fields of which the second look at the page says the same."""
    for name in ("number", "issue_date", "seller_name"):
        value = getattr(given, name)
        if value is not None and _plain(value) == _plain(getattr(second, name)):
            yield name
    if second.sums == (given.net_total, given.tax_total, given.gross_total):
        yield from _SUMS


def _plain(value: object) -> object:
    return normal_number(value) if isinstance(value, str) else value


def taken(found: list[Found], digest: str) -> Iterator[Found]:
    """The thresholds of all fields, none below the usual one.

    A field with too few outcomes, or none, is never taken on the model's word.
    """
    known = {each.calibrated.field: each for each in found}
    for name in FIELDS:
        each = known.get(name)
        if each is None or not each.enough:
            had = each.calibrated if each is not None else None
            n, errors = (had.n, had.errors) if had is not None else (0, 0)
            never = Calibrated(prompt=EXTRACT.name, field=name, model=digest, threshold=None, n=n, errors=errors)
            each = Found(calibrated=never, needs=0, enough=True)
        one = each.calibrated
        if one.threshold is not None and one.threshold < DEFAULT:
            each = msgspec.structs.replace(each, calibrated=msgspec.structs.replace(one, threshold=DEFAULT))
        yield each


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Calibrates the shipped model on held-out layouts.")
    parser.add_argument("--model", type=Path, default=Path("workers/skerry_workers/models/shipped"))
    parser.add_argument("--count", type=int, default=2000, help="documents for each file of the model")
    parser.add_argument("--risk", type=float, default=0.05, help="share of wrong fields that is borne")
    parser.add_argument("--confidence", type=float, default=0.95, help="how sure that has to be")
    asked = parser.parse_args()
    (model,) = (each for each in shipped(asked.model).values() if EXTRACT.name in each.prompts)
    calibration = Calibration()
    machine = detect()
    for variant in variants(asked.model):
        spec = consider("small", msgspec.structs.replace(model, path=variant.path), Workers(), machine).spec
        if spec is None:
            click.echo(f"{variant.path.name}: no package that reads it is installed", err=True)
            continue
        backend = cast(Backend, cast(Any, importlib.import_module(f"skerry_workers.models.{spec.backend}")).load(spec))
        all_of_them = list(outcomes(backend, model.words[EXTRACT.name], asked.count))
        found = list(taken(calibrate(all_of_them, risk=asked.risk, confidence=asked.confidence), backend.digest))
        calibration = calibration.with_found(found, asked.risk, asked.confidence)
        for each in found:
            click.echo(f"{variant.path.name}: {json.dumps(msgspec.to_builtins(each.calibrated))}")
        backend.close()
    (asked.model / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(calibration), indent=1) + b"\n")
    assert read(asked.model) == calibration


if __name__ == "__main__":
    main()
