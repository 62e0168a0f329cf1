"""How right the shipped model is, all by itself, on real invoices: none of them was ever trained on.

    python -m training.real DATA [--model workers/skerry_workers/models/shipped] [--json]

DATA is the folder of cases with `invoices/` and `score.py` in it. The model is asked as a worker asks it; what it
quotes is read by the workflow's code and scored by DATA's scorer, where the case says that a field counts. A document
that is too long for the model counts as wrong in every field.
"""

from __future__ import annotations

import argparse
import importlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import click
import msgspec

from benchmarks.scores import scorer
from skerry.errors import SkerryError
from skerry.settings import Workers
from skerry_workers.models.catalog import shipped
from skerry_workers.models.choose import choices
from skerry_workers.models.machine import detect
from skerry_workers.models.port import Backend, ModelError, Question
from skerry_workflows.invoice.evaluate import prediction
from skerry_workflows.invoice.model import InvoiceFields, Reading
from skerry_workflows.invoice.quotes import InvoiceQuotes, read_quotes, shown
from skerry_workflows.invoice.read import read_all
from skerry_workflows.invoice.verify import HEADLINE
from skerry_workflows.invoice.workflow import EXTRACT


def open_model(folder: Path, prompt: str) -> tuple[Backend, str]:
    """The shipped model in this process, by whatever package is installed, and what it is told for a prompt."""
    models = {name: model for name, model in shipped(folder).items() if prompt in model.prompts}
    best = choices(models, "small", Workers(), detect(), prompt=prompt)[0]
    if best.spec is None:
        raise SystemExit(f"{best.name}: {'; '.join(best.why)} ({best.mend})")
    module = cast(Any, importlib.import_module(f"skerry_workers.models.{best.spec.backend}"))
    return cast(Backend, module.load(best.spec)), models[best.name].words[prompt]


def ask(backend: Backend, words: str, reading: Reading) -> InvoiceFields:
    """What the model reads in an invoice. Raises `ModelError`."""
    question = Question(system=words, text=shown(reading), schema=msgspec.json.schema(InvoiceQuotes))
    answer = backend.answer(question, threading.Event())
    return read_quotes(msgspec.json.decode(answer.value, type=InvoiceQuotes), reading)


def cases(data: Path) -> Iterator[tuple[dict[str, Any], Reading]]:
    """The invoices that are no e-invoices and can be read, by OCR where that is installed."""
    for case in json.loads((data / "invoices" / "manifest.json").read_text(encoding="utf-8"))["cases"]:
        if case["kind"] not in ("pdf-text", "text", "image"):
            continue
        file = data / "invoices" / case["input"]
        try:
            reading = read_all(file.read_bytes(), file.name)
        except SkerryError as error:
            click.echo(f"{case['id']} is left out: {error}", err=True)
            continue
        yield case, reading


def evaluate(data: Path, folder: Path) -> dict[str, list[int]]:
    """By field: how often it was right, and how often it counted; and "cases"."""
    score = scorer(data)
    backend, words = open_model(folder, EXTRACT.name)
    right, counted, read = Counter[str](), Counter[str](), 0
    for case, reading in cases(data):
        read += 1
        try:
            given = prediction(ask(backend, words, reading))
        except ModelError as error:
            click.echo(f"{case['id']}: {error}", err=True)
            given = {}
        for name in HEADLINE:
            if name in case["scored_fields"]:
                counted[name] += 1
                right[name] += bool(score.field_ok(name, case, given.get(name)))
    return {"cases": [read, read]} | {name: [right[name], counted[name]] for name in HEADLINE}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Scores the shipped model on real invoices.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, default=Path("workers/skerry_workers/models/shipped"))
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = evaluate(asked.data, asked.model)
    click.echo(json.dumps(found) if asked.json else "\n".join(f"{k}: {a} of {b}" for k, (a, b) in found.items()))


if __name__ == "__main__":
    main()
