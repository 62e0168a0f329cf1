"""The model that comes with Skerry: small enough, the same in both formats, and at work in a node without a network."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from skerry import shipped
from skerry.calibration import read
from skerry.core.thresholds import NEVER
from skerry_workers.models import catalog
from skerry_workers.models.port import Backend, ModelSpec, Question
from skerry_workflows.invoice.quotes import InvoiceQuotes
from skerry_workflows.invoice.workflow import EXTRACT
from training.documents import make
from training.task import PROMPTS

FOLDER = catalog.SHIPPED
BYTES_MAX = 12_000_000

pytestmark = pytest.mark.skipif(not shipped.there(), reason="the weights of the shipped model are not in this checkout")


def load(backend: str, path: Path) -> Backend:
    module = cast(Any, importlib.import_module(f"skerry_workers.models.{backend}"))
    return cast(Backend, module.load(ModelSpec(name="small", backend=cast(Any, backend), path=str(path), threads=1)))


@pytest.fixture(scope="module")
def gguf() -> Iterator[Backend]:
    pytest.importorskip("xllamacpp", reason="the extra `xllama` is not installed")
    backend = load("xllama", next(FOLDER.glob("*.gguf")))
    yield backend
    backend.close()


@pytest.fixture(scope="module")
def onnx() -> Iterator[Backend]:
    pytest.importorskip("onnxruntime_genai", reason="the extra `onnx` is not installed")
    backend = load("onnx", FOLDER / "onnx")
    yield backend
    backend.close()


def test_all_of_it_is_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) <= BYTES_MAX


def test_the_files_are_those_of_the_sums() -> None:
    lines = [line.split("  ", 1) for line in (FOLDER / "SHA256SUMS").read_text().splitlines()]
    listed = {name: expected for expected, name in lines}
    weights = {
        path for path in FOLDER.rglob("*") if path.is_file() and (path.suffix == ".gguf" or path.parent != FOLDER)
    }
    assert weights and {path.relative_to(FOLDER).as_posix() for path in weights} <= listed.keys()
    for name, expected in listed.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == expected, name


def test_its_settings_say_what_it_was_trained_on() -> None:
    (model,) = catalog.shipped().values()
    assert model.words[EXTRACT.name] == PROMPTS["invoice"]
    assert (model.whole, model.hints, model.warm, model.sizes) == (True, False, False, ("small",))


def question(text: str) -> Question:
    return Question(system=PROMPTS["invoice"], text=text, schema=msgspec.json.schema(InvoiceQuotes))


def test_both_formats_say_the_same(gguf: Backend, onnx: Backend) -> None:
    """Nearly always: rounding to eight bits, which each does in its own way, may turn a close decision."""
    same = fields = 0
    for seed in range(12):
        text = make(f"agree {seed}", "known", "invoice").text
        one, other = (json.loads(bytes(each.answer(question(text), threading.Event()).value)) for each in (gguf, onnx))
        assert one.keys() == other.keys()
        fields += len(one)
        same += sum(one[name] == other[name] for name in one)
    assert same >= 0.9 * fields, f"{same} of {fields} fields"


def test_it_quotes_and_says_how_sure_it_is(gguf: Backend) -> None:
    text = make("quotes 1", "known", "invoice").text
    answer = gguf.answer(question(text), threading.Event())
    said = json.loads(bytes(answer.value))
    assert all(value is None or value in text for value in said.values())
    assert {name for name, value in said.items() if value} <= answer.fields.keys()
    assert all(0 <= note.confidence <= 1 for note in answer.fields.values())


def test_each_format_has_thresholds(gguf: Backend, onnx: Backend) -> None:
    if not (FOLDER / "calibration.json").exists():
        pytest.skip("the model was not calibrated: python -m training.calibrate")
    thresholds = read(FOLDER).thresholds()
    for backend in (gguf, onnx):
        assert thresholds.of(EXTRACT.name, "currency", backend.digest) == NEVER
        assert {name for _, name, digest in thresholds.values if digest == backend.digest} == set(
            InvoiceQuotes.__struct_fields__
        )


@pytest.mark.slow
def test_a_node_on_a_fresh_machine_runs_it(tmp_path: Path) -> None:
    """Engine, worker and model as processes, no settings, and nothing but loopback."""
    if not shipped.runnable():
        pytest.skip("no package that runs it is installed: pip install 'skerry[xllama]'")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SKERRY_")}
    skerry = [sys.executable, "-m", "skerry.cli"]
    done = subprocess.run(
        [*skerry, "demo", "--data", "d"],
        cwd=tmp_path,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    listed = subprocess.run(
        [*skerry, "runs", "--json", "--data", "d"], cwd=tmp_path, env=clean, capture_output=True, text=True, check=True
    )
    runs = [json.loads(line) for line in listed.stdout.splitlines()]
    events = "".join(
        subprocess.run(
            [*skerry, "show", run["run"], "--data", "d"],
            cwd=tmp_path,
            env=clean,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for run in runs
        if run["workflow"] == "invoice"
    )
    assert "asks invoice.extract (size small; attempt 2)" in events
    assert "small-1" in events or "answer of size small" in events
