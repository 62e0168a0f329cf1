"""What each kind of member may not do is refused by a real server, over TLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import nats.errors
import pytest

from skerry import Client
from skerry.bus import NatsBus
from skerry.core import wire
from skerry.core.ids import TaskId
from skerry.core.wire import task_queue
from skerry.ports import Delivery, Message
from skerry.sync import wire as sync
from tests.faults.flows import Echo, echoing
from tests.security.kit import Town, environment, tries
from tests.support import wait_until
from tests.sync.kit import Program

TASK = TaskId("n1-01ARZ3NDEKTSV4RRFFQ69G5FAV", "1", 1)
API = "$JS.API"

REFUSED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "edge1": (
        (
            sync.cursor_subject("edge2"),
            sync.piece_subject("edge2"),
            sync.outcome_subject("edge2", "x"),
            sync.command_subject("edge1", "x"),
            sync.ask_subject("edge2", "commands"),
            sync.GIVE,
            sync.OWNER,
            sync.wake_subject("edge2"),
            wire.task_subject("small", TASK),
            wire.result_subject(TASK),
            f"{API}.DIRECT.GET.{sync.STREAM}",
            f"{API}.DIRECT.GET.{sync.STREAM}.{sync.cursor_subject('edge2')}",
            f"{API}.DIRECT.GET.{sync.STREAM}.{sync.command_subject('edge1', 'x')}",
            f"{API}.STREAM.INFO.{sync.STREAM}",
            f"{API}.STREAM.DELETE.{sync.STREAM}",
            f"{API}.STREAM.PURGE.{sync.STREAM}",
            f"{API}.STREAM.MSG.GET.{sync.STREAM}",
            f"{API}.STREAM.NAMES",
            f"{API}.CONSUMER.CREATE.{sync.STREAM}",
            f"{API}.INFO",
            "$SYS.REQ.SERVER.PING",
        ),
        (">", "hub.>", sync.wake_subject("edge2"), sync.cursor_subject("edge1"), "hub.command.edge1.>", "_INBOX.>"),
    ),
    "w1": (
        (
            wire.task_subject("small", TASK),
            wire.worker_subject("medium", "w1", "alive"),
            f"{API}.CONSUMER.MSG.NEXT.SKERRY_TASK_medium.workers",
            f"{API}.CONSUMER.MSG.NEXT.SKERRY_RESULT.n1",
            f"{API}.CONSUMER.CREATE.SKERRY_TASK_small.mine",
            f"{API}.CONSUMER.DELETE.SKERRY_TASK_small.workers",
            f"{API}.STREAM.INFO.SKERRY_TASK_medium",
            f"{API}.STREAM.CREATE.MINE",
            f"{API}.STREAM.UPDATE.SKERRY_TASK_small",
            f"{API}.STREAM.DELETE.SKERRY_TASK_small",
            f"{API}.STREAM.PURGE.SKERRY_TASK_small",
            f"{API}.STREAM.MSG.GET.SKERRY_TASK_small",
            f"{API}.STREAM.MSG.DELETE.SKERRY_TASK_small",
            "$JS.ACK.SKERRY_TASK_medium.workers.1.1.1.1.0",
            "$JS.ACK.hub.ABCDEF.SKERRY_TASK_medium.workers.1.1.1.1.0",
            "$JS.ACK.SKERRY_RESULT.n1.1.1.1.1.0",
            wire.command_subject("n1", "answer"),
            wire.command_subject("n1", "publish"),
            wire.result_subject(TaskId("n2-01ARZ3NDEKTSV4RRFFQ69G5FAV", "1", 1)),
            wire.lease_subject("n2"),
            wire.blob_subject("n2", "get"),
            sync.GIVE,
            sync.piece_subject("edge1"),
        ),
        (">", "task.>", "task.small.>", "result.>", "cancel.medium.>", "_INBOX.>", "_INBOX_w2.>", "command.n1.>"),
    ),
    "n1": (
        (
            wire.command_subject("n2", "answer"),
            wire.blob_subject("n2", "get"),
            f"{API}.CONSUMER.MSG.NEXT.SKERRY_RESULT.n2",
            f"{API}.CONSUMER.CREATE.SKERRY_RESULT.n2",
            f"{API}.CONSUMER.MSG.NEXT.SKERRY_TASK_small.workers",
            f"{API}.STREAM.DELETE.SKERRY_TASK_small",
            f"{API}.STREAM.PURGE.SKERRY_RESULT",
            f"{API}.STREAM.MSG.GET.SKERRY_RESULT",
            "$JS.ACK.SKERRY_RESULT.n2.1.1.1.1.0",
            wire.result_subject(TASK),
            wire.start_subject("house", "x"),
            f"{API}.STREAM.MSG.DELETE.{wire.START_STREAM}",
            sync.GIVE,
            sync.piece_subject("edge1"),
        ),
        (">", "result.>", wire.lease_subject("n2"), "command.n2.>", "command.*.answer", "_INBOX.>", "task.>"),
    ),
    "hq2": (
        (
            sync.piece_subject("edge1"),
            f"{API}.STREAM.DELETE.{sync.STREAM}",
            f"{API}.STREAM.CREATE.MINE",
            wire.command_subject("n1", "answer"),
            wire.task_subject("small", TASK),
        ),
        (">", "task.>", "command.>", "_INBOX.>", sync.piece_subject("edge1")),
    ),
    "ada": (
        (
            wire.command_subject("n1", "answer"),
            wire.command_subject("n1", "answer", "ben"),
            wire.command_subject("n2", "answer", "ada"),
            sync.GIVE,
            wire.task_subject("small", TASK),
            wire.result_subject(TASK),
            sync.piece_subject("edge1"),
            f"{API}.STREAM.NAMES",
            f"{API}.STREAM.INFO.{sync.STREAM}",
        ),
        (">", "hub.>", "task.>", "result.>", "command.>", "_INBOX.>"),
    ),
}
"""By member: what it must not publish to, and must not listen to."""


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """One of each kind, and some of them twice."""
    town = Town(tmp_path)
    town.enrol("edge1", "node")
    town.enrol("w1", "worker", size="small", nodes=("n1",))
    town.enrol("n1", "engine")
    town.enrol("hq2", "hub")
    town.enrol("ada", "person", nodes=("n1",))
    async with town.open():
        yield town


@pytest.mark.parametrize("name", REFUSED)
async def test_what_a_member_may_not_do_is_refused(town: Town, name: str) -> None:
    publish, subscribe = REFUSED[name]
    async with tries(town.at(name)) as tried:
        assert [subject for subject in publish if await tried.publish(subject)] == []
        assert [subject for subject in subscribe if await tried.subscribe(subject)] == []
        assert await tried.subscribe(f"_INBOX_{name}.x")


async def test_nobody_else_is_let_in(town: Town, tmp_path: Path) -> None:
    from skerry.errors import Unavailable

    stranger = town.at("edge1").endpoint()
    for options in ({}, {"user": "edge1", "password": "edge1"}):
        with pytest.raises((nats.errors.Error, OSError)):
            await nats.connect(town.url, tls=stranger.options["tls"], allow_reconnect=False, **options)
    with pytest.raises(Unavailable, match="certificate"):
        await NatsBus.connect(town.at("edge1").__class__(url=town.url, nkey=town.at("edge1").nkey), timeout_s=5.0)
    plain = town.url.replace("tls://", "nats://")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(plain.rpartition(":")[2]))
    assert b'"tls_required":true' in await reader.readline()
    writer.close()


async def test_the_rights_are_enough_for_tasks(town: Town) -> None:
    """An engine makes the queue and sends, a worker takes, answers and acknowledges; neither is refused anything."""
    queue, done = task_queue("small"), asyncio.Event()
    async with (
        await NatsBus.connect(town.at("n1")) as engine,
        await NatsBus.connect(town.at("w1")) as worker,
    ):
        await engine.ensure(queue)
        await engine.ensure(wire.result_queue("n1"))
        answers: list[bytes] = []

        async def give(message: Message) -> bytes:
            return b"wanted " + message.data

        await engine.respond(wire.lease_subject("n1"), give)

        async def work(delivery: Delivery) -> None:
            answers.append(await worker.request(Message(wire.lease_subject("n1"), b"x"), timeout_s=5.0))
            await worker.publish(Message(wire.result_subject(TASK), b"{}"))
            await delivery.ack()

        async def take(delivery: Delivery) -> None:
            await delivery.ack()
            done.set()

        await engine.consume(wire.result_queue("n1"), take, window=4)
        await worker.consume(queue, work, window=4)
        await engine.publish(Message(wire.task_subject("small", TASK), b"{}"))
        await asyncio.wait_for(done.wait(), 20.0)
        assert answers == [b"wanted x"]
        assert await engine.dead_letters(queue) == []
    log = (town.data / "nats" / "server.log").read_text()
    assert "Violation" not in log, log


async def test_the_rights_of_a_group_are_enough_to_claim(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.enrol("north", "engine", nodes=("house",))
    async with town.open(), await NatsBus.connect(town.at("north")) as bus:
        starts = await bus.starts()
        word = await starts.first(wire.start_subject("house", "x"), b"{}")
        assert (await starts.first(wire.start_subject("house", "x"), b"[]")).data == b"{}"
        await starts.withdraw(word)
        assert [each async for each in starts.all(wire.start_subject("house", "*"))] == []
    assert "Violation" not in (town.data / "nats" / "server.log").read_text()


async def test_a_real_worker_elsewhere_is_refused_nothing_that_it_needs(tmp_path: Path) -> None:
    """`skerry worker` with what `join` has written: tasks, long values as blobs, leases, what it says of itself."""
    town = Town(tmp_path, owner="n1", kind="node")
    town.enrol("w1", "worker", size="rules", nodes=("n1",))
    told = {"SKERRY_MODULES": "tests.faults.flows", "SKERRY_WORKERS": "rules=2"}
    engine = Program(town.data, "engine", "--data", str(town.data), "--node", "n1", env=told).start()
    worker: Program | None = None
    try:
        await wait_until(lambda: (town.data / "nats" / "connection.json").exists(), 30.0)
        there = {**told, **environment("SKERRY_NATS", town.at("w1")), "SKERRY_DATA": str(tmp_path / "w1")}
        worker = Program(tmp_path / "w1", "worker", "--size", "rules", "--name", "w1", env=there).start()
        async with Client.connect(data=town.data) as client:
            for text in ("short", "long" * 100_000):
                run = await client.start(echoing, Echo(text=text))
                assert await run.result(timeout_s=60.0) == text
            assert [each.name for each in await client.workers()] == ["w1"]
    finally:
        if worker is not None:
            worker.stop()
        engine.stop()
    log = (town.data / "nats" / "server.log").read_text()
    assert "Violation" not in log, log


async def test_a_real_engine_on_somebody_elses_server_is_refused_nothing_that_it_needs(tmp_path: Path) -> None:
    """It makes queues and claims, drives a run through a worker, and leaves a task that it took back in order."""
    town = Town(tmp_path)
    town.enrol("n1", "engine", nodes=("house",))
    town.enrol("w1", "worker", size="rules")
    told = {"SKERRY_MODULES": "tests.faults.flows", "SKERRY_WORKERS": "rules=2"}
    async with town.open():
        ours = {**told, **environment("SKERRY_NATS", town.at("n1")), "SKERRY_GROUP": "house"}
        there = {**told, **environment("SKERRY_NATS", town.at("w1")), "SKERRY_DATA": str(tmp_path / "w1")}
        engine = Program(tmp_path / "n1", "engine", "--data", str(tmp_path / "n1"), "--node", "n1", env=ours).start()
        worker = Program(tmp_path / "w1", "worker", "--size", "rules", "--name", "w1", env=there)
        try:
            await wait_until(lambda: (tmp_path / "n1" / "journal.db").exists(), 30.0)
            async with Client.connect(nats=town.at("n1"), node="n1", timeout_s=30.0) as client:
                run = await client.start(echoing, Echo(text="long" * 100_000))
                worker.start()  # now that the queue is there: making it is the engine's, and a worker waits for it
                assert await run.result(timeout_s=60.0) == "long" * 100_000
        finally:
            worker.stop()
            engine.stop()
    log = (town.data / "nats" / "server.log").read_text()
    assert "Violation" not in log, log
