"""The benchmarks run and say what they found. How fast it was is not asked here: see docs/benchmarks.md."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from skerry_workers.models.catalog import SHIPPED

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ("steps", "bus", "replay", "recovery", "sleepers", "models", "sync")
LIBRARIES = ("xllamacpp", "onnxruntime_genai")


def run(name: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"benchmarks.{name}", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("name", BENCHMARKS)
def test_prints_figures_as_json_last(name: str, tmp_path: Path) -> None:
    if name == "models" and not any(map(find_spec, LIBRARIES)):
        pytest.skip("no backend of models is installed (the extras `xllama` and `onnx`)")
    if name == "models" and not any(SHIPPED.rglob("*.gguf")):
        pytest.skip("the model that comes with Skerry is not here")
    table, _, last = run(name, "--quick", "--json", "--folder", str(tmp_path)).stdout.rstrip().rpartition("\n")
    figures: list[dict[str, Any]] = json.loads(last)["figures"]
    assert [sorted(figure) for figure in figures] == [["floor", "name", "ratio", "unit", "value"]] * len(figures)
    assert all(figure["value"] > 0 for figure in figures)
    assert all(figure["name"].strip() in table for figure in figures)
    first = figures[0]
    assert first["unit"] in ("steps/s", "events/s", "runs/s", "docs/s")
    assert first["ratio"] == pytest.approx(first["value"] / first["floor"], rel=0.01)
    assert not os.listdir(tmp_path), "something was left behind"


@pytest.mark.slow
def test_a_fleet_is_at_its_hub_to_the_last_event(tmp_path: Path) -> None:
    said = run("fleet", "--quick", "--json", "--folder", str(tmp_path)).stdout
    figures = {each["name"]: each["value"] for each in json.loads(said.splitlines()[-1])["figures"]}
    assert all(value > 0 for value in figures.values())
    assert "12 nodes come at once: all are there" in figures
    assert not os.listdir(tmp_path), "something was left behind"


def test_a_soak_looks_at_every_process(tmp_path: Path) -> None:
    installed = [name for name in LIBRARIES if find_spec(name)]
    if not installed:
        pytest.skip("no backend of models is installed (the extras `xllama` and `onnx`)")
    said = run("models", "--soak", "40", "--json", "--folder", str(tmp_path)).stdout
    figures = json.loads(said.splitlines()[-1])["figures"]
    assert [figure["unit"] for figure in figures] == ["docs/s", *["MB"] * 4] * len(installed)
    assert not os.listdir(tmp_path), "something was left behind"


@pytest.mark.parametrize("name", (*BENCHMARKS, "fleet", "peers"))
def test_has_help(name: str) -> None:
    said = run(name, "--help").stdout
    assert "--json" in said
    assert "--quick" in said


@pytest.mark.parametrize("name", ["scores", "accepted", "times", "sure"])
def test_what_judges_real_cases_has_help(name: str) -> None:
    assert "--write" in run(name, "--help").stdout


def test_the_scores_of_a_task_are_put_between_the_marks(data_dir: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- scores: begin -->\nold\n<!-- scores: end -->\nafter\n", encoding="utf-8")
    run("scores", str(data_dir), "--tasks", "rrule", "--write", str(page))
    written = page.read_text(encoding="utf-8").splitlines()
    assert (written[0], written[-1]) == ("before", "after")
    assert "old" not in written
    assert any(line.startswith("| `rrule` | ") for line in written)


def test_peers_that_are_not_installed_are_left_out(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text("#!/bin/sh\nexit 1\n")
    bare.chmod(0o700)
    said = run("peers", "--quick", "--json", "--python", str(bare), "--folder", str(tmp_path)).stdout
    assert [figure["name"].partition(",")[0] for figure in json.loads(said.splitlines()[-1])["figures"]] == [
        "skerry"
    ] * 2
    for peer in ("dbos", "langgraph", "restate"):
        assert f"{peer}: skipped, it is not installed" in said
