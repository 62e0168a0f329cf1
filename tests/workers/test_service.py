"""How a worker lives: what it takes, when it stops, how it leaves."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from skerry.core import wire
from skerry.core.codec import encode_json
from skerry.core.ids import TaskId
from skerry.errors import DataError, Unavailable
from skerry.ports import Message
from skerry.testing.memory_broker import MemoryBroker
from skerry.testing.memory_bus import MemoryBus, MemoryDelivery
from skerry_workers import attempt
from skerry_workers.service import Worker
from tests.support import wait_until
from tests.workers.conftest import StartWorker
from tests.workers.engine import NODE, RUN, FakeEngine

QUEUE = wire.task_queue("rules")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """What a task of this test waits for."""
    return tmp_path / "go"


def begun(file: Path) -> int:
    """How often it has begun."""
    marks = Path(f"{file}.begun")
    return len(marks.read_text()) if marks.exists() else 0


async def begin(engine: FakeEngine, target: str, file: Path, **more: Any) -> TaskId:
    """A task that has begun and waits for the file."""
    before = begun(file)
    task = await engine.begin(target, more, file=str(file))
    await wait_until(lambda: begun(file) > before)
    return task


def empty(broker: MemoryBroker) -> bool:
    """Whether the queue of tasks holds nothing."""
    return not broker._streams[QUEUE.stream].by_subject


# --- what it takes ---------------------------------------------------------------------------------------------------

TASK = wire.Task(run=RUN, step="1", attempt=1, workflow="w", kind="call", target="add", size="rules", key="k")


@pytest.mark.parametrize(
    ("subject", "data", "reason"),
    [
        (f"task.rules.{RUN}.1.1", b"nonsense", "it does not fit: JSON is malformed"),
        (f"task.rules.{RUN}.1.1", b"{}", "missing required field `run`"),
        (f"task.rules.{RUN}.2.1", wire.encode(TASK), "which does not fit its subject"),
        (f"task.rules.{RUN}.1.2", wire.encode(TASK), "which does not fit its subject"),
        (f"task.rules.{RUN}.1.1", wire.encode(msgspec.structs.replace(TASK, size="large")), "of size large"),
    ],
)
async def test_nonsense_is_rejected_with_a_reason(
    engine: FakeEngine, worker: Worker, subject: str, data: bytes, reason: str
) -> None:
    await engine.bus.publish(Message(subject, data))
    letters = await wait_until(lambda: engine.bus.dead_letters(QUEUE))
    assert reason in letters[0].reason
    assert engine.value(await engine.call("add", a=1)) == 2
    assert worker.status().failed == 0


async def test_a_task_whose_deadline_has_gone_is_passed_over(engine: FakeEngine, worker: Worker, file: Path) -> None:
    result = await engine.call("wait_for", {"deadline_us": 1}, file=str(file))
    assert result.failure is not None
    assert (result.failure.kind, result.failure.retryable) == ("TimedOut", False)
    assert begun(file) == 0


async def test_as_many_tasks_as_slots(engine: FakeEngine, start_worker: StartWorker, file: Path) -> None:
    worker = await start_worker(slots=2)
    tasks = [await engine.begin("wait_for", file=str(file)) for _ in range(5)]
    await wait_until(lambda: begun(file) == 2)
    assert worker.status().busy == 2
    file.touch()
    for task in tasks:
        await engine.result(task)
    assert begun(file) == 5


async def test_two_workers_share(engine: FakeEngine, start_worker: StartWorker, file: Path) -> None:
    workers = [await start_worker(name=name, slots=1) for name in ("w1", "w2")]
    tasks = [await engine.begin("wait_for", file=str(file)) for _ in range(2)]
    await wait_until(lambda: begun(file) == 2)
    file.touch()
    assert {(await engine.result(task)).worker for task in tasks} == {worker.name for worker in workers}


@pytest.mark.parametrize("options", [{"slots": 0}, {"name": "a.b"}])
def test_what_a_worker_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        Worker(MemoryBus(), __import__("skerry.registry").registry.Registry(), "rules", **options)


# --- when it stops ---------------------------------------------------------------------------------------------------


async def test_a_task_that_takes_too_long_is_cancelled(engine: FakeEngine, worker: Worker, file: Path) -> None:
    result = await engine.call("wait_for", {"timeout_s": 0.05}, file=str(file))
    assert result.failure is not None
    assert (result.failure.kind, result.failure.message) == ("TimedOut", "it took more than 0.05 s")
    assert result.failure.retryable
    assert Path(f"{file}.cancelled").exists()


async def test_a_deadline_ends_the_work(engine: FakeEngine, worker: Worker, file: Path) -> None:
    soon = int((time.time() + 0.1) * 1e6)
    result = await engine.call("wait_for", {"deadline_us": soon, "timeout_s": 60.0}, file=str(file))
    assert result.failure is not None
    assert (result.failure.kind, result.failure.retryable) == ("TimedOut", False)


@pytest.mark.parametrize("target", ["wait_for_sync", "stubborn"])
async def test_a_task_that_cannot_be_stopped_costs_its_slot_until_it_ends(
    engine: FakeEngine, start_worker: StartWorker, file: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "GRACE_S", 0.05)
    worker = await start_worker(slots=2)
    result = await engine.call(target, {"timeout_s": 0.1}, file=str(file))
    assert result.failure is not None
    assert result.failure.kind == "TimedOut"
    await wait_until(lambda: worker.status().lost == 1)
    # The other slot goes on, one task at a time.
    other = file.with_name("other")
    tasks = [await engine.begin("wait_for", file=str(other)) for _ in range(2)]
    await wait_until(lambda: begun(other) == 1)
    assert worker.status().busy == 1
    file.write_text("late")
    await wait_until(lambda: worker.status().lost == 0)
    await wait_until(lambda: begun(other) == 2)
    other.touch()
    for task in tasks:
        await engine.result(task)
    assert len(engine.results[result.id]) == 1


async def test_a_worker_without_a_slot_is_broken_and_leaves(
    engine: FakeEngine, start_worker: StartWorker, file: Path, broker: MemoryBroker
) -> None:
    bus = MemoryBus(broker)
    worker = await start_worker(bus, slots=1)
    await engine.call("wait_for_sync", {"timeout_s": 0.05}, file=str(file))
    await wait_until(lambda: worker.status().state == "broken")
    assert worker.status().reason == "every slot is held by a task that does not end"
    waiting = await engine.begin("add", a=1)
    await start_worker(name="w2")
    assert (await engine.result(waiting)).worker == "w2"
    file.touch()


async def test_a_cancel_stops_it_at_once(engine: FakeEngine, worker: Worker, file: Path, broker: MemoryBroker) -> None:
    task = await begin(engine, "wait_for", file)
    await engine.cancel(task)
    await wait_until(lambda: empty(broker))
    assert Path(f"{file}.cancelled").exists()
    assert engine.results == {}
    assert (worker.status().done, worker.status().failed, worker.status().busy) == (0, 0, 0)


async def test_a_cancel_for_nobody_is_harmless(engine: FakeEngine, worker: Worker) -> None:
    await engine.cancel(TaskId(RUN, "99", 1))
    await engine.bus.notify(Message("cancel.rules.what", b""))
    assert engine.value(await engine.call("add", a=1)) == 2


async def test_a_lost_lease_stops_it(
    engine: FakeEngine, start_worker: StartWorker, file: Path, broker: MemoryBroker
) -> None:
    await start_worker(beat_every_s=0.05)
    task = await begin(engine, "wait_for", file)
    await wait_until(lambda: engine.leases.count(task) >= 2)
    engine.unwanted.add(task)
    await wait_until(lambda: empty(broker))
    assert Path(f"{file}.cancelled").exists()
    assert engine.results == {}


async def test_without_an_answer_it_goes_on(broker: MemoryBroker, start_worker: StartWorker, file: Path) -> None:
    await start_worker(beat_every_s=0.02)
    bus = MemoryBus(broker)
    async with FakeEngine(bus) as engine:
        task = await begin(engine, "wait_for", file)
    asked: list[Message] = []

    async def nonsense(message: Message) -> bytes:
        asked.append(message)
        return b"what?"

    answering = await bus.respond(wire.lease_subject(NODE), nonsense)
    await wait_until(lambda: len(asked) >= 2)
    await answering.close()
    file.touch()
    async with FakeEngine(bus) as engine:  # the engine is back, and finds the result
        assert (await engine.result(task)).failure is None


async def test_a_long_task_stays_with_its_worker(
    broker: MemoryBroker, start_worker: StartWorker, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = msgspec.structs.replace(QUEUE, lease_s=0.2)
    monkeypatch.setattr(wire, "task_queue", lambda size: short)
    async with FakeEngine(MemoryBus(broker)) as engine:
        for name in ("w1", "w2"):
            await start_worker(name=name)
        task = await begin(engine, "wait_for", file)
        await wait_until(lambda: engine.leases.count(task) >= 10)
        file.touch()
        await engine.result(task)
        assert begun(file) == 1


async def test_a_task_that_comes_again_while_it_runs_is_done_once(
    engine: FakeEngine, worker: Worker, file: Path, broker: MemoryBroker
) -> None:
    task = await begin(engine, "wait_for", file)
    consumer = broker.ensure(QUEUE)
    stored = broker._streams[QUEUE.stream].by_subject[wire.task_subject("rules", task)]
    broker.back(consumer, stored)  # its lease has ended: the bus had lost sight of the worker
    await wait_until(lambda: stored.deliveries == 2)
    file.touch()
    await engine.result(task)
    await wait_until(lambda: empty(broker))
    assert begun(file) == 1


async def test_after_a_lost_ack_it_is_only_acked(
    engine: FakeEngine, worker: Worker, file: Path, broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.touch()
    with monkeypatch.context() as lossy:
        lossy.setattr(MemoryDelivery, "ack", MemoryDelivery.working)
        task = engine.task("call", "wait_for", encode_json({"file": str(file)}))
        await engine.result(await engine.send(task))
        await wait_until(lambda: worker.status().done == 1)
    stored = broker._streams[QUEUE.stream].by_subject[wire.task_subject("rules", task.id)]
    broker.back(broker.ensure(QUEUE), stored)
    await wait_until(lambda: empty(broker))
    assert (begun(file), len(engine.results[task.id])) == (1, 1)
    # Sent again by the engine it is done again: then the bus has lost the result.
    await engine.send(task)
    await wait_until(lambda: begun(file) == 2)


# --- without the bus -------------------------------------------------------------------------------------------------


async def test_a_result_waits_for_the_bus(
    engine: FakeEngine,
    start_worker: StartWorker,
    file: Path,
    broker: MemoryBroker,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "skerry.worker")
    bus = MemoryBus(broker)
    worker = await start_worker(bus, alive_every_s=0.01, beat_every_s=0.01)
    task = await begin(engine, "wait_for", file)
    bus.connected = False
    file.touch()
    await wait_until(lambda: caplog.text.count("waiting for the bus") >= 2)
    assert worker.status().busy == 1
    bus.connected = True
    assert (await engine.result(task)).failure is None
    await wait_until(lambda: empty(broker))
    assert begun(file) == 1


async def test_a_worker_waits_for_the_bus_to_start(
    broker: MemoryBroker, engine: FakeEngine, start_worker: StartWorker, caplog: pytest.LogCaptureFixture
) -> None:
    bus = MemoryBus(broker)
    bus.connected = False
    starting = asyncio.ensure_future(start_worker(bus))
    await wait_until(lambda: "waiting for the bus" in caplog.text)
    bus.connected = True
    worker = await starting
    assert worker.status().state == "ready"
    assert engine.value(await engine.call("add", a=1)) == 2


# --- how it leaves ---------------------------------------------------------------------------------------------------


async def test_a_drain_finishes_what_is_under_way(
    engine: FakeEngine, start_worker: StartWorker, file: Path, broker: MemoryBroker
) -> None:
    worker = await start_worker(slots=1)
    task = await begin(engine, "wait_for", file)
    waiting = await engine.begin("add", a=1)
    draining = asyncio.create_task(worker.drain(10.0))
    await wait_until(lambda: worker.status().state == "draining")
    file.touch()
    await draining
    assert (await engine.result(task)).failure is None
    assert waiting not in engine.results
    assert not empty(broker)


async def test_a_drain_gives_back_what_takes_too_long(
    engine: FakeEngine, start_worker: StartWorker, file: Path
) -> None:
    worker = await start_worker(name="w1")
    task = await begin(engine, "wait_for", file)
    await worker.drain(0.05)
    assert engine.results == {}
    file.touch()
    await start_worker(name="w2")
    assert (await engine.result(task)).worker == "w2"
    assert begun(file) == 2


async def test_a_drain_without_the_bus_ends_in_time(
    engine: FakeEngine, start_worker: StartWorker, file: Path, broker: MemoryBroker
) -> None:
    bus = MemoryBus(broker)
    worker = await start_worker(bus)
    await begin(engine, "wait_for", file)
    bus.connected = False
    file.touch()
    began = time.monotonic()
    await worker.drain(0.1)
    assert time.monotonic() - began < 3
    assert worker.status().done == 0


# --- what it says ----------------------------------------------------------------------------------------------------


async def test_it_can_be_asked_and_says_so_by_itself(engine: FakeEngine, start_worker: StartWorker, file: Path) -> None:
    heard: list[wire.WorkerStatus] = []
    await engine.bus.listen(
        wire.worker_subject("*", "*", "alive"),
        lambda message: heard.append(msgspec.json.decode(message.data, type=wire.WorkerStatus)),
    )
    worker = await start_worker(name="w1", alive_every_s=60.0)
    await wait_until(lambda: [each.state for each in heard] == ["ready"])
    await begin(engine, "wait_for", file)
    await engine.bus.notify(Message(wire.WORKER_PING, b""))
    await wait_until(lambda: len(heard) == 2)
    asked = await engine.bus.request(Message(wire.worker_subject("rules", "w1", "status"), b""), timeout_s=5)
    status = msgspec.json.decode(asked, type=wire.WorkerStatus)
    assert status == heard[-1] == worker.status()
    assert (status.busy, status.slots, status.name) == (1, 4, "w1")
    file.touch()
    await worker.drain(5.0)
    await wait_until(lambda: heard[-1].state == "draining")
    with pytest.raises(Unavailable):
        await wait_until(lambda: _gone(engine))


async def _gone(engine: FakeEngine) -> bool:
    await engine.bus.request(Message(wire.worker_subject("rules", "w1", "status"), b""), timeout_s=5)
    return False


async def test_the_arguments_fit_what_the_engine_packs(engine: FakeEngine, worker: Worker) -> None:
    """The sample's tasks are packed as a workflow's step packs them."""
    from tests.workers import sample

    task = engine.task("call", "add", sample.add.pack((1,), {"b": 5})[0])
    assert engine.value(await engine.result(await engine.send(task))) == 6
    assert sample.add.pack((1,), {"b": 5})[0] == encode_json({"a": 1, "b": 5})
