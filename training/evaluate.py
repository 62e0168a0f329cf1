"""How right the exported model is: each field, on known layouts, held-out layouts and held-out wordings.

    python -m training.evaluate [--model workers/skerry_workers/models/shipped/onnx] [--count 300] [--json]

A field is right if it is the document's, letter by letter. `plain` answers freely; `words` under a grammar in which
every text must stand in the document; `tails` moreover lets a seller's name end only where its cell ends.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import get_args

import click

from training.documents import Set
from training.engine import Engine
from training.scores import Scores, answered, documents

MODES = ("plain", "words", "tails")


def evaluate(engine: Engine, of: Set, mode: str, count: int) -> dict[str, float]:
    """The share of right answers on so many documents of a set, and the milliseconds a document takes."""
    scores = Scores()
    began = time.perf_counter()
    for document in documents(of, count):
        text = engine.answer(document.kind, document.text, grounded=mode != "plain", tails=mode == "tails")
        scores.add(document, answered(document.kind, text))
    return scores.rates() | {"ms": round((time.perf_counter() - began) / count * 1_000, 1)}


def _table(found: dict[str, dict[str, float]]) -> str:
    rows = list(dict.fromkeys(key for rates in found.values() for key in rates))
    width = max(len(row) for row in rows)
    lines = [" " * width + "".join(f"{name:>16}" for name in found)]
    lines += [
        f"{row:<{width}}" + "".join(f"{rates.get(row, float('nan')):>16.3f}" for rates in found.values())
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Scores the exported model, field by field.")
    parser.add_argument("--model", type=Path, default=Path("workers/skerry_workers/models/shipped/onnx"))
    parser.add_argument("--count", type=int, default=300, help="documents of each set")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    engine = Engine(asked.model, threads=asked.threads)
    found = {f"{of} {mode}": evaluate(engine, of, mode, asked.count) for of in get_args(Set) for mode in MODES}
    click.echo(json.dumps(found, indent=2) if asked.json else _table(found))
    if engine.grammar_failures:
        click.echo(f"the grammar gave up on {engine.grammar_failures} documents, answered freely instead", err=True)


if __name__ == "__main__":
    main()
