"""Models and their workers die, hang and talk nonsense in the middle of an answer, under a whole node.

Issue, "What must survive": "In each case: nothing lost, the reason in the run's timeline, and the next size or a person
takes over." What a backend or a worker makes of each of them by itself is in tests/models and tests/workers.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from skerry.client import Client
from skerry.core.events import AnswerJudged, ReviewOpened, StepCompleted
from skerry.core.wire import WorkerStatus
from tests.faults.conftest import MakeNode
from tests.faults.harness import Node, bus_is_empty, disagreements, kill, until_status
from tests.faults.program import DELIVERIES_ENV, LEASE_ENV
from tests.models.endpoint import PROSE, EndpointServer, Exchange, Likeness
from tests.support import wait_until

ROOT = Path(__file__).resolve().parents[2]
FLOWS = ("tests.faults.asks",)
SIZES = ("rules", "small", "medium")
GOOD = Likeness(answer={"number": "4711"})
Fault: TypeAlias = Callable[[Exchange], None]


@pytest.fixture
def endpoint() -> Iterator[EndpointServer]:
    """The model of size small, behind HTTP: it answers, hangs or fails when the test says so."""
    with EndpointServer(GOOD) as running:
        yield running


@pytest.fixture
def better() -> Iterator[EndpointServer]:
    """That of size medium."""
    with EndpointServer(Likeness(answer={"number": "4712"})) as running:
        yield running


def served_by(endpoint: EndpointServer, size: str = "small", **more: Any) -> dict[str, Any]:
    """A model's settings."""
    return {"url": endpoint.url, "model": "m1", "sizes": [size], **more}


@contextmanager
def workers(node: Node, *names: str) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Workers of size small beside the node, which nobody starts again when they die."""
    settings = {LEASE_ENV: str(node.options.lease_s), DELIVERIES_ENV: str(node.options.deliveries_max)}
    models = {name: {**given, "path": None} for name, given in node.options.models.items()}
    settings |= {"SKERRY_MODELS": json.dumps(models), "SKERRY_MODULES": ",".join(("tests.faults.program", *FLOWS))}
    running: dict[str, subprocess.Popen[bytes]] = {}
    with node.log.open("ab") as log:
        for name in names:
            running[name] = subprocess.Popen(
                [sys.executable, "-m", "skerry.cli", "worker", "--size", "small", "--name", name, "--data", node.data],
                cwd=ROOT,
                env={**os.environ, **settings},
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
    try:
        yield running
    finally:
        for each in running.values():
            each.kill()
            each.wait()


async def until_ready(client: Client, *names: str) -> None:
    """Waits until these workers take tasks."""

    async def ready() -> bool:
        states = {worker.name: worker.state for worker in await client.workers(wait_s=0.2)}
        return all(states.get(name) == "ready" for name in names)

    await wait_until(ready, 30.0)


async def busy_one(client: Client) -> WorkerStatus:
    """The worker that has a task."""
    found: list[WorkerStatus] = []

    async def busy() -> bool:
        found[:] = [worker for worker in await client.workers(wait_s=0.2) if worker.busy]
        return bool(found)

    await wait_until(busy)
    return found[0]


def children(pid: int) -> list[int]:
    """A worker's model processes."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]


async def begun(client: Client, endpoint: EndpointServer) -> str:
    """A run whose question will never be answered; it is being answered."""
    endpoint.generating.clear()
    endpoint.fault = lambda exchange: exchange.until_gone()
    run = (await client.start("reading", {"text": "note 4711"})).run
    await wait_until(endpoint.generating.is_set)
    return run


async def judged(node: Node, run: str) -> list[AnswerJudged]:
    """What came of each attempt of a run."""
    return [event for event in await node.history(run) if isinstance(event, AnswerJudged)]


async def said(node: Node, *arguments: str) -> str:
    """What the command line says of the node."""
    command = [sys.executable, "-m", "skerry.cli", *arguments, "--data", str(node.data)]
    done = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return " ".join(str(done.stdout).split())


# --- who answers dies ------------------------------------------------------------------------------------------------


async def test_of_two_workers_one_is_killed_while_it_answers_and_the_other_does(
    make_node: MakeNode, endpoint: EndpointServer
) -> None:
    node = make_node(modules=FLOWS, sizes=SIZES, models={"far": served_by(endpoint)}, lease_s=1.5).start()
    with workers(node, "s1", "s2") as running:
        async with node.client(timeout_s=30.0) as client:
            await until_ready(client, "s1", "s2")
            run = await begun(client, endpoint)
            victim = await busy_one(client)
            models = children(victim.pid)
            endpoint.fault = None
            running[victim.name].kill()
            assert await client.result(run, timeout_s=20.0) == "4711"
        (answer,) = await judged(node, run)
        (done,) = [event for event in await node.history(run) if isinstance(event, StepCompleted)]
        assert (answer.attempt, answer.model["deliveries"]) == (1, 2)
        assert done.by == ({"s1", "s2"} - {victim.name}).pop()
        assert "handed out 2 times, as a worker that had it was lost or left" in await said(node, "show", run)
        assert models
        await wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in models))
        await bus_is_empty(node, "small")
    assert await disagreements(node) == []


async def test_a_model_is_killed_while_it_answers_and_a_person_takes_over(
    make_node: MakeNode, endpoint: EndpointServer
) -> None:
    node = make_node(
        modules=FLOWS, sizes=("rules", "small"), workers={"small": (1, 1)}, models={"far": served_by(endpoint)}
    ).start()
    async with node.client(timeout_s=30.0) as client:
        await until_ready(client, "small-1")
        run = await begun(client, endpoint)
        (model,) = children((await busy_one(client)).pid)
        endpoint.fault = None
        kill(model)
        row = await until_status(client, run, "review")
        assert "the process of far was killed (SIGKILL)" in row.note
        (answer,) = await judged(node, run)
        assert (answer.choice, answer.objections[0].rule) == ("review", "ModelUnavailable")
        assert "was killed (SIGKILL)" in await said(node, "show", run)
        await client.answer(run, True, changes={"number": "4711"}, reason="I can read it")
        assert await client.result(run, timeout_s=10.0) == "4711"
        again = (await client.start("reading", {"text": "note 4711"})).run
        await until_status(client, again, "done", "review")  # it is being started again: soon it answers
        await bus_is_empty(node, "small")
    assert await disagreements(node) == []


# --- what answers is broken, or talks nonsense -----------------------------------------------------------------------


def cut(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.piece({"token": '{"num', "logprob": -0.1, "bytes": [], "top_logprobs": []})
    exchange.reset()


FAULTS: dict[str, tuple[Fault, str]] = {
    "500": (lambda exchange: exchange.error(500, "out of order"), "ModelUnavailable"),
    "cut": (cut, "ModelUnavailable"),
    "prose": (lambda exchange: exchange.say(PROSE), "ModelError"),
    "another schema": (lambda exchange: exchange.say('{"amount": 3}'), "ModelError"),
}


async def test_whatever_an_endpoint_does_the_next_size_takes_over_and_the_timeline_says_why(
    make_node: MakeNode, endpoint: EndpointServer, better: EndpointServer
) -> None:
    models = {"far": served_by(endpoint), "better": served_by(better, "medium")}
    pools = {"small": (1, 1), "medium": (1, 1)}
    node = make_node(modules=FLOWS, sizes=SIZES, workers=pools, models=models).start()
    async with node.client(timeout_s=30.0) as client:
        first = (await client.start("reading", {"text": "note"})).run
        assert await client.result(first, timeout_s=30.0) == "4711"
        for name, (fault, kind) in FAULTS.items():
            endpoint.fault = fault
            run = (await client.start("reading", {"text": name})).run
            assert await client.result(run, timeout_s=20.0) == "4712", name
            failed, answered = await judged(node, run)
            assert (failed.size, failed.choice, failed.objections[0].rule) == ("small", "escalate", kind), name
            assert "far" in failed.objections[0].message
            assert (answered.size, answered.choice) == ("medium", "accept")
        await bus_is_empty(node, "small")
    assert await disagreements(node) == []


async def test_an_endpoint_that_hangs_costs_the_time_of_an_attempt(
    make_node: MakeNode, endpoint: EndpointServer, better: EndpointServer
) -> None:
    models = {"far": served_by(endpoint), "better": served_by(better, "medium")}
    pools = {"small": (1, 1), "medium": (1, 1)}
    node = make_node(modules=FLOWS, sizes=SIZES, workers=pools, models=models).start()
    async with node.client(timeout_s=30.0) as client:
        await until_ready(client, "small-1")
        endpoint.fault = lambda exchange: exchange.until_gone()
        run = (await client.start("patient", {"text": "note"})).run
        assert await client.result(run, timeout_s=20.0) == "4712"
        failed, _ = await judged(node, run)
        assert (failed.choice, failed.objections[0].rule) == ("escalate", "TimedOut")
        await wait_until(endpoint.gone.is_set)
    assert await disagreements(node) == []


@pytest.mark.parametrize(
    "content",
    [None, b"GGUF\x03\x00\x00\x00" + b"\0" * 40, b"no model at all"],
    ids=("missing", "cut off", "no model"),
)
async def test_a_file_that_is_missing_cut_off_or_no_model_is_passed_over_with_the_reason(
    make_node: MakeNode, better: EndpointServer, tmp_path: Path, content: bytes | None
) -> None:
    pytest.importorskip("xllamacpp", reason="the extra `xllama` is not installed")
    path = tmp_path / "m.gguf"
    if content is not None:
        path.write_bytes(content)
    models = {"near": {"path": str(path), "sizes": ["small"]}, "better": served_by(better, "medium")}
    pools = {"small": (1, 1), "medium": (1, 1)}
    node = make_node(modules=FLOWS, sizes=SIZES, workers=pools, models=models).start()
    async with node.client(timeout_s=30.0) as client:
        run = (await client.start("reading", {"text": "note"})).run
        assert await client.result(run, timeout_s=30.0) == "4712"
        failed, _ = await judged(node, run)
        assert (failed.choice, failed.objections[0].rule) == ("escalate", "ModelBroken")
        assert "m.gguf" in failed.objections[0].message
        assert "m.gguf" in await said(node, "show", run)
        assert "broken" in await said(node, "workers")
    assert await disagreements(node) == []


# --- nobody is left --------------------------------------------------------------------------------------------------


async def test_when_every_size_is_gone_tasks_wait_and_everybody_is_told(
    make_node: MakeNode, endpoint: EndpointServer
) -> None:
    node = make_node(modules=FLOWS, sizes=SIZES, models={"far": served_by(endpoint)}, lease_s=1.5).start()
    async with node.client(timeout_s=30.0) as client:
        with workers(node, "s1") as running:
            await until_ready(client, "s1")
            held = await begun(client, endpoint)
            running["s1"].kill()
            running["s1"].wait()
        endpoint.fault = None
        other = (await client.start("reading", {"text": "note 2"})).run
        await until_status(client, other, "running")
        sentence = "2 tasks of size small wait: there is no worker of that size. Start one: skerry worker --size small"
        for command in ("workers", "runs", "status"):
            assert sentence in await said(node, command), command
        shown = await said(node, "show", held)
        assert "waits for a worker of size small, and there is none. Start one: skerry worker --size small" in shown
        assert not [event for event in await node.history(held) if isinstance(event, ReviewOpened)]
        with workers(node, "s2"):
            for run in (held, other):
                assert await client.result(run, timeout_s=30.0) == "4711"
            await bus_is_empty(node, "small")
    assert await disagreements(node) == []
