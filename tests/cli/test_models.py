"""`skerry models`, and what is said when nobody serves a size."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.cli.commands import models
from skerry.cli.commands.workers import cells
from skerry.cli.fleet import unserved, waits_for
from skerry.client.ended import RunEvent
from skerry.core import api
from skerry.core import events as ev
from skerry.core.wire import ModelStatus, WorkerStatus
from skerry_workers.models import catalog
from tests.cli.conftest import NOON_US, Call


@pytest.fixture(autouse=True)
def nothing_shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only the models of these tests."""
    monkeypatch.setattr(catalog, "SHIPPED", tmp_path / "none")
    monkeypatch.setattr(catalog.shipped, "__defaults__", (tmp_path / "none",))


def settings(text: str) -> None:
    Path("skerry.toml").write_text(text)


def test_without_models_it_says_how_to_name_one(call: Call) -> None:
    told = call("models")
    assert told.code == 0
    assert "no models are named; skerry.toml: [models.NAME]" in told.out
    assert "backend" in told.out


def test_models_with_the_reasons(call: Call) -> None:
    Path("m-q8_0.gguf").write_bytes(b"GGUF" + bytes(1000))
    settings(
        '[models.here]\npath = "m-q8_0.gguf"\nsizes = ["small", "medium"]\nprompts = ["bill.read"]\n'
        '[models.gone]\npath = "gone.gguf"\n[models.far]\nurl = "http://127.0.0.1:9/v1"\nsizes = ["large"]\n'
    )
    said = call("models", "--json").json
    by_size = {(each["size"], each["name"]): each for each in said["models"]}
    assert set(by_size) == {("small", "here"), ("small", "gone"), ("medium", "here"), ("large", "far")}
    gone, far = by_size["small", "gone"], by_size["large", "far"]
    assert (gone["usable"], gone["rank"], gone["loaded"]) == (False, 0, [])
    assert "there is no" in gone["why"][0] and gone["mend"]
    assert (far["usable"], far["rank"], far["backend"]) == (True, 1, "openai")
    assert said["machine"]["cores"] >= 1
    assert {each["name"] for each in said["backends"]} == {"onnx", "xllama", "llama", "openai", "recorded"}
    table = call("models").out
    assert "cannot be used" in table and "bill.read" in table and "asked over HTTP at http://127.0.0.1:9/v1" in table


def test_which_workers_have_a_model_loaded(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = "sha256:" + "a" * 64
    here = ModelStatus(name="here", backend="xllama", state="ready", digest=digest)

    async def workers(app: object) -> list[WorkerStatus]:
        return [WorkerStatus(name=name, size="small", state="ready", slots=1, models=(here,)) for name in ("s1", "s2")]

    monkeypatch.setattr(models, "_workers", workers)
    Path("m-q8_0.gguf").write_bytes(b"GGUF" + bytes(1000))
    settings('[models.here]\npath = "m-q8_0.gguf"\nsizes = ["small"]\n')
    (said,) = call("models", "--json").json["models"]
    assert [(each["worker"], each["status"]["state"]) for each in said["loaded"]] == [("s1", "ready"), ("s2", "ready")]
    assert digest[:19] in call("models").out


def test_a_trial_that_fails_is_exit_code_1(call: Call) -> None:
    settings('[models.gone]\npath = "gone.gguf"\n')
    told = call("models", "gone", "--check")
    assert told.code == 1
    assert "no answer from gone" in told.err
    assert call("models", "nobody").code == 3


def load(size: str, on_bus: int, waiting: int) -> api.SizeLoad:
    return api.SizeLoad(size=size, on_bus=on_bus, waiting=waiting)


def test_tasks_that_nobody_takes() -> None:
    workers = [
        WorkerStatus(name="r", size="rules", state="ready", slots=4),
        WorkerStatus(name="m", size="medium", state="draining", slots=1),
        WorkerStatus(name="l", size="large", state="broken", slots=1),
    ]
    loads = [load("rules", 3, 0), load("small", 2, 1), load("medium", 1, 0), load("large", 1, 0), load("cloud", 0, 0)]
    assert unserved(loads, workers) == [
        "3 tasks of size small wait: there is no worker of that size. Start one: skerry worker --size small",
        "1 task of size medium waits: there is no worker of that size. Start one: skerry worker --size medium",
    ]


def test_what_the_steps_of_a_run_wait_for() -> None:
    story: list[ev.AnyEvent] = [
        ev.StepScheduled(step="1", kind="ask", target="p", size="small"),
        ev.StepScheduled(step="2", kind="call", target="t", size="rules"),
        ev.StepScheduled(step="3", kind="call", target="local"),
        ev.StepScheduled(step="1", kind="ask", target="p", size="medium", attempt=2),
        ev.StepCompleted(step="2", kind="call", target="t"),
    ]
    events = [RunEvent(n=n, seq=n, at_us=NOON_US, kind="", event=each) for n, each in enumerate(story, start=1)]
    assert waits_for(events) == {"1": "medium"}


def test_a_worker_with_models_in_the_table() -> None:
    loaded = (
        ModelStatus(name="tiny", backend="onnx", state="ready", memory_mb=180),
        ModelStatus(name="big", backend="xllama", state="unloaded"),
    )
    row = cells(WorkerStatus(name="s1", size="small", state="loading", slots=3, models=loaded, started_us=NOON_US))
    assert "tiny (ready, 180 MB); big (unloaded)" in row
