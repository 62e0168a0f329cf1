"""The card of the shipped model: what it is, how it was made, how right it is.

    python -m training.card FIGURES.json [--real REAL.json] [--to workers/skerry_workers/models/shipped]

FIGURES.json is what `python -m training.evaluate --json` printed, REAL.json what `python -m training.real --json` did.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

CARD = "README.md"

_TEXT = """# skerry-small

A language model of {parameters} million parameters (Llama architecture, {vocabulary} tokens, context of {context}).
The code in `training/` of Skerry's repository made it, from nothing but documents that this code makes up. Licence:
Apache-2.0, as Skerry's.

It reads invoices, sorts mail and reads meeting requests in English, German, French, Spanish, Italian and Dutch, and
answers with compact JSON: the prompts and the answers are in `training/task.py`. Values are quoted from the document.
It is for the demo, for tests, and for documents like those it was trained on. It knows nothing of the world and is no
general extractor: let its answers be verified, and escalate.

| file | format |
|---|---|
| `onnx/` | ONNX with int8 weights, for onnxruntime-genai |
| `skerry-small-Q8_0.gguf` | GGUF, Q8_0, for llama.cpp |
| `SHA256SUMS` | their SHA-256, for `sha256sum -c` |
| `models.toml` | the settings with which Skerry uses it |
| `calibration.json` | from which confidence on a field is taken, found on held-out layouts by `training.calibrate` |

## What it was trained on

Invoices, customer mail and meeting requests that `training/documents` makes up from a seed, and exercises in copying.
No real document, nobody's data, and none of the documents on which it is scored below.

## How it was made

{minutes} minutes of training on at most two cores of a shared machine: {steps} steps, {samples} documents and
exercises, {tokens} million tokens; the loss at the end was {loss}. `training/README.md` says how to do it again.

## How right it is

The share of fields that are right letter by letter, on {count} documents of each set that it has not seen. *Known*: the
layouts and wordings of the training set, other values. *Layouts*: layouts that were held out. *Wordings*: labels and
sentences that were held out. *Grounded*: decoded under a grammar in which every quoted text must stand in the document.

| field | known | known, grounded | layouts | layouts, grounded | wordings | wordings, grounded |
|---|---|---|---|---|---|---|
{rows}
{real}"""

_REAL = """
## On real invoices

The model all by itself, without rules and verifiers, on {cases} real or published invoices (PDFs with a text layer,
plain texts, pictures by OCR) that it was never trained on. Right is what their scorer says.

| field | right |
|---|---|
{rows}

In the workflow it is asked only for what the rules leave open, and what it says is booked only where a second look at
the page agrees: docs/quality.md has the figures of that.
"""


def card(
    figures: dict[str, dict[str, float]],
    trained: dict[str, float],
    model: dict[str, int],
    count: int,
    real: dict[str, list[int]] | None = None,
) -> str:
    """The card's text."""
    columns = [figures[f"{of} {mode}"] for of in ("known", "layouts", "labels") for mode in ("plain", "tails")]
    fields = sorted(set(columns[0]) - {"ms"}, key=lambda field: ("." in field, field))
    rows = (
        f"| {field} | " + " | ".join(f"{column.get(field, 0):.3f}" for column in columns) + " |" for field in fields
    )
    return _TEXT.format(
        parameters=round(model["parameters"] / 1e6, 1),
        vocabulary=model["vocabulary"],
        context=model["context"],
        minutes=round(trained["minutes"]),
        steps=round(trained["step"]),
        samples=round(trained["samples"]),
        tokens=round(trained["tokens"] / 1e6, 1),
        loss=trained["loss"],
        count=count,
        rows="\n".join(rows),
        real=_on_real(real) if real else "",
    )


def _on_real(found: dict[str, list[int]]) -> str:
    rows = (f"| {name.replace('_', ' ')} | {right} of {of} |" for name, (right, of) in found.items() if name != "cases")
    return _REAL.format(cases=found["cases"][0], rows="\n".join(rows))


def _size(folder: Path) -> dict[str, int]:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    hidden, inner, vocabulary = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    layer = 4 * hidden * hidden + 3 * hidden * inner + 2 * hidden
    return {
        "parameters": config["num_hidden_layers"] * layer + 2 * vocabulary * hidden + hidden,
        "vocabulary": vocabulary,
        "context": config["max_position_embeddings"],
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Writes the model's card.")
    parser.add_argument("figures", type=Path)
    parser.add_argument("--real", type=Path, help="figures on real invoices")
    parser.add_argument("--log", type=Path, default=Path(".training/log.jsonl"))
    parser.add_argument("--model", type=Path, default=Path(".training/model"))
    parser.add_argument("--to", type=Path, default=Path("workers/skerry_workers/models/shipped"))
    parser.add_argument("--count", type=int, default=300, help="documents of each set that were scored")
    asked = parser.parse_args()
    figures = json.loads(asked.figures.read_text(encoding="utf-8"))
    trained = json.loads(asked.log.read_text(encoding="utf-8").splitlines()[-1])
    real = json.loads(asked.real.read_text(encoding="utf-8")) if asked.real else None
    (asked.to / CARD).write_text(card(figures, trained, _size(asked.model), asked.count, real), encoding="utf-8")


if __name__ == "__main__":
    main()
