"""Workers as processes on a real nats-server: what happens when something dies, and how they leave."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import msgspec
import pytest

from skerry.bus import NatsBus, NatsServer
from skerry.core import wire
from skerry.core.ids import TaskId
from skerry.errors import Unavailable
from skerry.ports import Message
from tests.support import wait_until
from tests.workers import short_lease
from tests.workers.engine import RUN, FakeEngine
from tests.workers.test_service import begin, begun

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = "tests.workers.sample"
Spawn: TypeAlias = Callable[..., "WorkerProcess"]


class WorkerProcess:
    """One worker, and what it said."""

    def __init__(self, name: str, log: Path, arguments: list[str]) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.workers.short_lease", "--name", name, *arguments],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stderr=output,
            )

    async def ended(self, timeout_s: float = 10.0) -> int:
        """Its exit code, once it has one."""
        await wait_until(lambda: self.process.poll() is not None, timeout_s)
        return self.process.returncode


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The short lease on this side, too: a queue has one."""
    monkeypatch.setattr(wire, "task_queue", short_lease.task_queue)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """A running server."""
    async with NatsServer(tmp_path / "data") as running:
        yield running


@pytest.fixture
async def engine(server: NatsServer) -> AsyncIterator[FakeEngine]:
    """The engine's side."""
    async with await NatsBus.connect(server.connection_file) as bus, FakeEngine(bus) as running:
        yield running


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Spawn]:
    """Starts workers; they are killed after the test, if need be."""
    workers: list[WorkerProcess] = []

    def start(name: str = "w1", *arguments: str, modules: str = SAMPLE) -> WorkerProcess:
        given = ["--size", "rules", "--data", str(tmp_path / "data"), *arguments, modules]
        workers.append(WorkerProcess(name, tmp_path / f"{name}.log", given))
        return workers[-1]

    yield start
    for worker in workers:
        worker.process.kill()
        worker.process.wait()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """What a task of this test waits for."""
    return tmp_path / "go"


async def status(engine: FakeEngine, name: str) -> wire.WorkerStatus | None:
    """What a worker says; None if it says nothing."""
    try:
        said = await engine.bus.request(Message(wire.worker_subject("rules", name, "status"), b""), timeout_s=1.0)
    except Unavailable:
        return None
    return msgspec.json.decode(said, type=wire.WorkerStatus)


async def ready(engine: FakeEngine, *names: str) -> None:
    """Waits until these workers are ready."""

    async def all_ready() -> bool:
        told = [await status(engine, name) for name in names]
        return all(each is not None and each.state == "ready" for each in told)

    await wait_until(all_ready, 30.0)


async def queue_is_empty(engine: FakeEngine) -> bool:
    """Whether the stream of tasks holds no message: every one was settled."""
    said = await engine.bus.request(Message("$JS.API.STREAM.INFO.SKERRY_TASK_rules", b""), timeout_s=5.0)
    return bool(json.loads(said)["state"]["messages"] == 0)


async def owner(engine: FakeEngine, *names: str) -> str:
    """The worker that is busy."""

    async def busy() -> str:
        for name in names:
            told = await status(engine, name)
            if told is not None and told.busy:
                return name
        return ""

    return await wait_until(busy)


# --- something dies --------------------------------------------------------------------------------------------------


async def test_a_worker_is_killed_and_another_takes_over(engine: FakeEngine, spawn: Spawn, file: Path) -> None:
    workers = {name: spawn(name) for name in ("w1", "w2")}
    await ready(engine, *workers)
    task = await begin(engine, "wait_for", file)
    first = await owner(engine, *workers)
    workers[first].process.kill()
    (other,) = {*workers} - {first}
    await wait_until(lambda: begun(file) == 2)
    file.write_text("done")
    result = await engine.result(task)
    assert (result.worker, engine.value(result)) == (other, "done")
    await wait_until(lambda: queue_is_empty(engine))
    assert len(engine.results[task]) == 1
    assert (await status(engine, other) or wire.WorkerStatus(name="", size="", state="broken", slots=0)).done == 1


async def test_a_killed_worker_takes_its_sandbox_along(engine: FakeEngine, spawn: Spawn) -> None:
    worker = spawn()
    await ready(engine, "w1")
    assert int(engine.value(await engine.call("pid"))) > 0
    (sandbox,) = _children(worker.process.pid)
    runners = _children(sandbox)
    assert runners
    worker.process.kill()
    await wait_until(lambda: not any(_alive(pid) for pid in [sandbox, *runners]))


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_the_server_is_killed_and_the_result_arrives(
    engine: FakeEngine, spawn: Spawn, file: Path, server: NatsServer
) -> None:
    spawn()
    await ready(engine, "w1")
    task = await begin(engine, "wait_for", file)
    launches = server.launches
    os.kill(server.pid, signal.SIGKILL)
    file.write_text("done")  # its end comes while there is no bus, or just after
    await wait_until(lambda: server.launches > launches)
    assert engine.value(await engine.result(task)) == "done"
    await wait_until(lambda: _quietly_empty(engine))
    assert begun(file) == 1
    assert engine.value(await engine.call("add", a=1)) == 2


async def _quietly_empty(engine: FakeEngine) -> bool:
    try:
        return await queue_is_empty(engine)
    except Unavailable:
        return False


async def test_a_worker_waits_for_the_bus(tmp_path: Path, spawn: Spawn) -> None:
    worker = spawn()
    await wait_until(lambda: "waiting for the bus: no bus runs in" in worker.log.read_text(), 20.0)
    assert "start it: skerry up" in worker.log.read_text()
    async with NatsServer(tmp_path / "data") as server:
        async with await NatsBus.connect(server.connection_file) as bus, FakeEngine(bus) as engine:
            await ready(engine, "w1")
            assert engine.value(await engine.call("add", a=1)) == 2


@pytest.mark.parametrize(("listening", "why"), [(False, "no connection to nats://"), (True, "no answer from nats://")])
async def test_a_server_that_cannot_be_reached_is_said_at_once_and_once(
    listening: bool, why: str, spawn: Spawn, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes connections and never says a word
        port = silent.getsockname()[1]
        if not listening:
            silent.close()
        worker = WorkerProcess("w1", tmp_path / "w1.log", ["--size", "rules", "--nats", f"127.0.0.1:{port}", SAMPLE])
        try:
            # The process takes a second or two to start here, and longer where others are at work.
            await wait_until(lambda: f"waiting for the bus: {why}127.0.0.1:{port}" in worker.log.read_text(), 8.0)
            assert "trying again" in worker.log.read_text()
            worker.process.terminate()
            assert await worker.ended() == 0
        finally:
            worker.process.kill()
            worker.process.wait()
    assert worker.log.read_text().count("waiting for the bus") == 1


async def test_a_worker_that_waits_for_the_bus_can_be_told_to_leave(spawn: Spawn) -> None:
    worker = spawn()
    await wait_until(lambda: "waiting for the bus" in worker.log.read_text(), 20.0)
    worker.process.terminate()
    assert await worker.ended() == 0


# --- it is told to stop ----------------------------------------------------------------------------------------------


async def test_sigterm_lets_it_finish(engine: FakeEngine, spawn: Spawn, file: Path) -> None:
    worker = spawn("w1", "--slots", "1")
    await ready(engine, "w1")
    task = await begin(engine, "wait_for", file)
    waiting = await engine.begin("add", a=1)
    worker.process.terminate()
    await wait_until(lambda: "draining" in worker.log.read_text())
    file.touch()
    assert await worker.ended() == 0
    assert (await engine.result(task)).failure is None
    assert waiting not in engine.results
    spawn("w2")
    assert (await engine.result(waiting, 30.0)).worker == "w2"


@pytest.mark.parametrize("target", ["wait_for", "wait_for_sync"])
async def test_sigterm_gives_back_what_takes_too_long(
    engine: FakeEngine, spawn: Spawn, file: Path, target: str
) -> None:
    worker = spawn("w1", "--drain", "0.2")
    await ready(engine, "w1")
    task = await begin(engine, target, file)
    began = time.monotonic()
    worker.process.terminate()
    assert await worker.ended() == 0
    assert time.monotonic() - began < 5.0
    file.touch()
    spawn("w2")
    assert (await engine.result(task, 30.0)).worker == "w2"


async def test_a_second_signal_ends_it_at_once(engine: FakeEngine, spawn: Spawn, file: Path) -> None:
    worker = spawn("w1", "--drain", "60")
    await ready(engine, "w1")
    await begin(engine, "wait_for", file)
    worker.process.send_signal(signal.SIGINT)
    await wait_until(lambda: "draining" in worker.log.read_text())
    worker.process.terminate()
    assert await worker.ended() == 128 + signal.SIGTERM


async def test_a_closed_terminal_drains_it(engine: FakeEngine, spawn: Spawn, file: Path) -> None:
    worker = spawn("w1", "--drain", "60")
    await ready(engine, "w1")
    task = await begin(engine, "wait_for", file)
    worker.process.send_signal(signal.SIGHUP)
    await wait_until(lambda: "draining" in worker.log.read_text())
    worker.process.send_signal(signal.SIGHUP)  # the shell sends one, too
    file.touch()
    assert await worker.ended() == 0
    assert (await engine.result(task)).failure is None


async def test_a_cancel_and_a_lost_lease_stop_it(engine: FakeEngine, spawn: Spawn, file: Path) -> None:
    spawn()
    await ready(engine, "w1")
    cancelled = await begin(engine, "wait_for", file)
    await engine.cancel(cancelled)
    await wait_until(lambda: Path(f"{file}.cancelled").exists())
    other = file.with_name("other")
    unwanted = await begin(engine, "wait_for", other)
    engine.unwanted.add(unwanted)
    await wait_until(lambda: Path(f"{other}.cancelled").exists())
    await wait_until(lambda: queue_is_empty(engine))
    assert engine.results == {}


# --- what it is given ------------------------------------------------------------------------------------------------


async def test_long_arguments_results_and_documents(engine: FakeEngine, spawn: Spawn) -> None:
    spawn()
    text = "x" * (3 * wire.BLOB_PIECE_BYTES)
    args = engine.keep(wire.encode({"text": text}))
    task = engine.task("call", "echo", b"", args_blob=args.sha256)
    result = await engine.result(await engine.send(task), 30.0)
    assert result.value_blob
    assert engine.value(result) == text
    document = engine.keep(b"y" * (2 * wire.BLOB_PIECE_BYTES), "scan.pdf")
    assert engine.value(await engine.call("count", document=document)) == document.size


async def test_nonsense_becomes_a_dead_letter(engine: FakeEngine, spawn: Spawn) -> None:
    spawn()
    await engine.bus.publish(Message(wire.task_subject("rules", TaskId(RUN, "nonsense", 1)), b"nonsense"))
    assert engine.value(await engine.call("add", a=1)) == 2
    (letter,) = await wait_until(lambda: engine.bus.dead_letters(wire.task_queue("rules")))
    assert "it does not fit" in letter.reason


async def test_many_tasks_over_two_workers(engine: FakeEngine, spawn: Spawn) -> None:
    for name in ("w1", "w2"):
        spawn(name)
    await ready(engine, "w1", "w2")
    tasks = [await engine.begin("add_sync", a=n) for n in range(200)]
    results = await asyncio.gather(*(engine.result(task) for task in tasks))
    assert [engine.value(result) for result in results] == [n + 1 for n in range(200)]
    assert {result.worker for result in results} == {"w1", "w2"}
    await wait_until(lambda: queue_is_empty(engine))
    assert all(len(each) == 1 for each in engine.results.values())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "x", "no.such.module"], "cannot import no.such.module"),
        (["tests.workers.sample"], "where is the bus? (name the engine's data folder"),
        (["--nats", "http://x", "tests.workers.sample"], "http:// is not supported"),
    ],
)
async def test_what_cannot_work_is_said_and_ends(tmp_path: Path, arguments: list[str], words: str) -> None:
    worker = WorkerProcess("w1", tmp_path / "log", ["--size", "rules", *arguments])
    assert await worker.ended(20.0) == 2
    assert words in worker.log.read_text()


async def test_the_log_can_be_json(tmp_path: Path) -> None:
    worker = WorkerProcess("w1", tmp_path / "log", ["--size", "rules", "--log-json", "tests.workers.sample"])
    assert await worker.ended(20.0) == 2
    (event,) = [json.loads(line) for line in worker.log.read_text().splitlines()]
    assert (event["level"], event["logger"]) == ("error", "skerry.worker")
