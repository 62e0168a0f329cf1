"""The trained model as the files that are shipped: an ONNX folder with int8 weights, and a GGUF file (Q8_0).

    python -m training.export [--model .training/model] [--to workers/skerry_workers/models/shipped] [--checked 40]

Then both have to answer as PyTorch does, on documents made for that, or nearly always: rounding to eight bits may turn
a close decision. The GGUF file is checked if xllamacpp is there.
"""

# pyright: reportMissingImports=false
# (the extra `training` need not be installed where this is checked)

from __future__ import annotations

import argparse
import hashlib
import importlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from training import gguf_file, model, tokenizer
from training.engine import Engine
from training.scores import documents
from training.task import Kind, messages

NAME = "skerry-small"
ONNX = "onnx"
GGUF = f"{NAME}-Q8_0.gguf"
SUMS = "SHA256SUMS"
BYTES_MAX = 12_000_000

_AGREEMENT_MIN = 0.9


def onnx(source: Path, target: Path) -> None:
    """Writes the ONNX folder with the builder of onnxruntime-genai."""
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", str(source), "-o", str(target)]
        done = subprocess.run(
            [*command, "-p", "int8", "-e", "cpu", "-c", cache], capture_output=True, text=True, check=False
        )
    if done.returncode:  # it says much, and all of it matters only now
        raise RuntimeError(f"the builder failed:\n{done.stdout}\n{done.stderr}")


def sums(folder: Path) -> str:
    """The SHA-256 of every file of the weights, as `sha256sum -c` reads it; settings and thresholds have none."""
    paths = sorted(path for path in (folder / GGUF, *(folder / ONNX).rglob("*")) if path.is_file())
    lines = (
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}" for path in paths
    )
    return "".join(f"{line}\n" for line in lines)


Answer = Callable[[Kind, str], str]


def agreement(source: Path, answers: Answer, count: int) -> float:
    """The share of documents to which another engine gives, letter by letter, the answer that PyTorch gives.

    The engine tokenizes and uses the chat template itself: those are compared as well.
    """
    weights, shape = model.load(source)
    words = tokenizer.load(source)
    same = 0
    for document in documents("known", count, salt="export"):
        prompt = tokenizer.prompt(words, document.kind, document.text)
        expected = words.decode(model.greedy(weights, shape, prompt))
        same += answers(document.kind, document.text) == expected
    return same / count


def _in_llama(path: Path) -> Answer:
    """Greedy answers of the GGUF file in xllamacpp."""
    xllamacpp: Any = importlib.import_module("xllamacpp")  # it has no types
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx = tokenizer.CONTEXT
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = 1
    server = xllamacpp.Server(parameters)

    def answer(kind: Kind, text: str) -> str:
        found = server.handle_chat_completions({"messages": messages(kind, text), "max_tokens": 200, "temperature": 0})
        return str(found["choices"][0]["message"]["content"])

    return answer


def export(source: Path, target: Path, *, checked: int) -> dict[str, float]:
    """Writes both, checks both, and says how often each agrees with PyTorch."""
    target.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(target / ONNX, ignore_errors=True)
    onnx(source, target / ONNX)
    gguf_file.write(source, target / GGUF, name=NAME)
    found = {ONNX: agreement(source, Engine(target / ONNX).answer, checked)}
    try:
        found["gguf"] = agreement(source, _in_llama(target / GGUF), checked)
    except ImportError:
        click.echo("xllamacpp is not installed: the GGUF file is not checked", err=True)
    (target / SUMS).write_text(sums(target), encoding="utf-8")
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Exports the trained model.")
    parser.add_argument("--model", type=Path, default=Path(".training/model"))
    parser.add_argument("--to", type=Path, default=Path("workers/skerry_workers/models/shipped"))
    parser.add_argument("--checked", type=int, default=40, help="documents on which the engines are compared")
    asked = parser.parse_args()
    found = export(asked.model, asked.to, checked=asked.checked)
    size = sum(path.stat().st_size for path in asked.to.rglob("*") if path.is_file())
    for engine, share in found.items():
        click.echo(f"{engine}: {share:.3f} of {asked.checked} answers are PyTorch's, letter by letter")
    click.echo(f"{size} bytes, at most {BYTES_MAX}")
    if size > BYTES_MAX or min(found.values()) < _AGREEMENT_MIN:
        sys.exit(1)


if __name__ == "__main__":
    main()
