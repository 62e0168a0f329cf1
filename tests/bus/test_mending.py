"""The server dies, is frozen, comes back elsewhere: connections mend themselves, and nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.bus import NatsBus, NatsServer, publisher, pull
from skerry.errors import Unavailable
from skerry.ports import Delivery, Message
from skerry.testing.conformance.bus import Taken, message, queue
from tests.bus.conftest import Connect
from tests.support import wait_until

BACK_S = 2.0
"""Within so many seconds everything works again after a kill -9 of the server."""


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """These tests are about what gets logged as errors."""
    with caplog.at_level(logging.CRITICAL):
        yield


async def publish_for_sure(bus: NatsBus, each: Message) -> None:
    """As the engine does: again, until it is acknowledged."""
    while True:
        try:
            return await bus.publish(each)
        except Unavailable:
            await bus.wait_connected(1.0)
            await asyncio.sleep(0.01)


async def kill(server: NatsServer) -> None:
    """Kills it; returns when it is gone and its supervisor has noticed."""
    launches = server.launches
    os.kill(server.pid, signal.SIGKILL)
    await wait_until(lambda: server.launches > launches or not server.connection_file.exists())


async def freeze(server: NatsServer) -> None:
    """Stops it in its tracks; all its threads stand still when this returns."""
    os.kill(server.pid, signal.SIGSTOP)
    threads = Path(f"/proc/{server.pid}/task")
    await wait_until(
        lambda: all((each / "stat").read_text().rpartition(")")[2].split()[0] == "T" for each in threads.iterdir())
    )


async def test_nothing_acknowledged_is_lost_when_the_server_is_killed_again_and_again(
    server: NatsServer, connect: Connect
) -> None:
    sender, taker = await connect(), await connect()
    seen: dict[str, int] = {}
    acked: set[str] = set()

    async def handler(delivery: Delivery) -> None:
        subject = delivery.message.subject
        seen[subject] = seen.get(subject, 0) + 1
        await delivery.ack()

    await taker.consume(queue(lease_s=1.0), handler, window=50)
    sending = True

    async def send(first: int) -> None:
        number = first
        while sending:
            each = message(number)
            await publish_for_sure(sender, each)
            acked.add(each.subject)
            number += 8

    senders = [asyncio.create_task(send(first)) for first in range(8)]
    for _ in range(3):
        before = len(acked)
        await wait_until(lambda at=before: len(acked) > at + 200)  # type: ignore[misc]
        await kill(server)
    before = len(acked)
    await wait_until(lambda: len(acked) > before + 200)
    sending = False
    await asyncio.gather(*senders)
    await wait_until(lambda: acked <= seen.keys(), 15.0)
    again = sum(count - 1 for count in seen.values())
    # At least once; and acks are confirmed, so only what was under way at a kill comes twice.
    assert again <= 3 * 3 * 50, f"{again} of {len(seen)} came again"


async def test_everything_comes_back_by_itself_and_soon(server: NatsServer, connect: Connect) -> None:
    one, other = await connect(), await connect()
    taken, heard = Taken(ack=True), list[Message]()

    async def responder(_: Message) -> bytes:
        return b"here"

    await other.consume(queue(), taken, window=4)
    await other.respond("command.n1.*", responder)
    await other.listen("event.>", heard.append)
    await one.publish(message(0))
    await taken.wait(1)
    for number in (1, 2):
        # The supervisor waits 0.2 s and then 0.4 s; this is about the clients.
        await kill(server)
        await wait_until(server.connection_file.exists)
        before = time.monotonic()
        assert await one.wait_connected(5.0)
        assert await other.wait_connected(5.0)
        await one.publish(message(number))
        await taken.wait(number + 1)
        assert await one.request(Message("command.n1.start", b""), timeout_s=1.0) == b"here"
        await one.notify(Message("event.n1.x", b""))
        await wait_until(lambda at=number: len(heard) >= at)  # type: ignore[misc]
        assert time.monotonic() - before < BACK_S


async def test_what_waits_for_an_answer_fails_at_once(server: NatsServer, connect: Connect) -> None:
    bus = await connect()
    await bus.ensure(queue())
    await freeze(server)
    under_way = [asyncio.create_task(bus.publish(message(number))) for number in range(100)]
    under_way.append(asyncio.create_task(bus.publish(Message("no.stream", b""))))
    await asyncio.sleep(0.05)
    assert not any(task.done() for task in under_way)
    before = time.monotonic()
    await kill(server)
    results = await asyncio.gather(*under_way, return_exceptions=True)
    assert time.monotonic() - before < 1.0
    assert all(isinstance(result, Unavailable) for result in results)


async def test_what_was_refused_while_disconnected_is_not_sent_later(server: NatsServer, bus: NatsBus) -> None:
    taken = Taken(ack=True)
    await bus.ensure(queue())
    os.kill(server.pid, signal.SIGKILL)
    await wait_until(lambda: not bus.connected)
    for number in range(20):
        with pytest.raises(Unavailable, match="no connection"):
            await bus.publish(message(number))
    with pytest.raises(Unavailable):
        await bus.notify(message())
    with pytest.raises(Unavailable):
        await bus.ensure(queue("other"))
    assert await bus.wait_connected(10.0)
    await bus.consume(queue(), taken, window=30)
    await bus.publish(message(99))
    await taken.wait(1)
    assert taken.all[0].message.subject == message(99).subject


async def test_what_is_settled_while_disconnected_is_told_later(server: NatsServer, bus: NatsBus) -> None:
    taken = Taken()
    await bus.consume(queue(lease_s=1.5), taken, window=4)
    for number in range(3):
        await bus.publish(message(number))
    await taken.wait(3)
    await kill(server)
    await taken.all[0].ack()
    await taken.all[1].reject("bad")
    await taken.all[2].release()
    assert await bus.wait_connected(10.0)
    # Only the released one comes again; the others' leases end without it.
    assert (await taken.wait(4)).message.subject == taken.all[2].message.subject
    await taken.all[3].ack()
    await wait_until(lambda: _letters(bus))
    await bus.publish(message(0))
    await bus.publish(message(1))
    assert {(await taken.wait(count)).deliveries for count in (5, 6)} == {1}


async def _letters(bus: NatsBus) -> bool:
    return [letter.reason for letter in await bus.dead_letters(queue())] == ["bad"]


async def test_what_is_in_hand_when_the_server_is_killed_stays_in_hand(server: NatsServer, bus: NatsBus) -> None:
    """A killed server has forgotten what it had handed out, and hands it out again: not to who has it already."""
    taken = Taken()
    await bus.consume(queue(), taken, window=8)
    for number in range(5):
        await bus.publish(message(number))
    await taken.wait(5)
    await kill(server)
    assert await bus.wait_connected(10.0)
    await bus.publish(message(5))
    await taken.wait(6)
    assert len(taken.all) == 6
    for each in taken.all:
        await each.ack()
    for number in range(6):
        await bus.publish(message(number))
    await taken.wait(12)
    assert {each.deliveries for each in taken.all[6:]} == {1}


async def test_a_lost_store_is_made_again(server: NatsServer, connect: Connect, tmp_path: Path) -> None:
    """Somebody removes the store while the server is down: streams come back, messages are the journal's to re-send."""
    sender, taker = await connect(), await connect()
    taken = Taken(ack=True)
    await sender.ensure(queue("sent"))
    await taker.consume(queue(), taken, window=4)
    await kill(server)
    shutil.rmtree(server.folder / "jetstream")
    assert await sender.wait_connected(10.0)
    assert await taker.wait_connected(10.0)
    await sender.publish(message(name="sent"))
    await publish_for_sure(sender, message())
    await taken.wait(1)


async def test_a_consumer_that_somebody_deletes_is_made_again(bus: NatsBus) -> None:
    taken = Taken(ack=True)
    await bus.consume(queue(), taken, window=4)
    api = bus._api  # pyright: ignore[reportPrivateUsage]

    async def pulling() -> bool:
        return bool((await api.call("CONSUMER.INFO.SUITE_small.workers"))["num_waiting"])

    await wait_until(pulling)
    await api.call("CONSUMER.DELETE.SUITE_small.workers")
    await bus.publish(message())
    await taken.wait(1)


async def test_a_frozen_server_is_noticed(server: NatsServer, bus: NatsBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "TIMEOUT_S", 0.2)
    await bus.ensure(queue())
    await freeze(server)
    try:
        with pytest.raises(Unavailable, match="in time"):
            await bus.publish(message())
        with pytest.raises(Unavailable, match="no answer"):
            await bus.request(Message("command.n1.start", b""), timeout_s=0.2)
    finally:
        os.kill(server.pid, signal.SIGCONT)
    monkeypatch.undo()
    await bus.publish(message())


async def test_missed_heartbeats_start_the_pull_anew(
    server: NatsServer, bus: NatsBus, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pull, "HEARTBEAT_S", 0.2)
    monkeypatch.setattr(pull, "_TICK_S", 0.05)
    taken = Taken(ack=True)
    with caplog.at_level(logging.WARNING):
        await bus.consume(queue(), taken, window=4)
        # Longer than two heartbeats, but all is well: they come.
        await asyncio.sleep(0.6)
        assert "is silent" not in caplog.text
        await freeze(server)
        await wait_until(lambda: "is silent" in caplog.text)
        os.kill(server.pid, signal.SIGCONT)
    for number in range(20):
        await bus.publish(message(number))
    await taken.wait(20)


async def test_pulls_that_end_are_renewed(bus: NatsBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "EXPIRES_S", 0.2)
    monkeypatch.setattr(pull, "HEARTBEAT_S", 0.1)
    taken = Taken(ack=True)
    await bus.consume(queue(), taken, window=4)
    for number in range(5):
        await asyncio.sleep(0.15)
        await bus.publish(message(number))
        await taken.wait(number + 1)


_TAKER = """
import asyncio, sys
from pathlib import Path
from skerry.bus import NatsBus
from skerry.testing.conformance.bus import queue
async def main():
    bus = await NatsBus.connect(Path(sys.argv[1]))
    async def handler(delivery):
        print(delivery.message.subject, flush=True)
        await asyncio.sleep(60)
    await bus.consume(queue(lease_s=0.5), handler, window=1)
    await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_a_taker_that_is_killed_loses_its_message_to_another(server: NatsServer, bus: NatsBus) -> None:
    await bus.ensure(queue(lease_s=0.5))
    await bus.publish(message())
    command = [sys.executable, "-c", _TAKER, str(server.connection_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert (await asyncio.to_thread(process.stdout.readline)).strip() == message().subject
        process.kill()
    taken = Taken(ack=True)
    await bus.consume(queue(lease_s=0.5), taken, window=1)
    assert (await taken.wait(1)).deliveries == 2


async def test_another_engine_takes_over_the_folder_and_workers_follow(tmp_path: Path) -> None:
    first = NatsServer(tmp_path)
    await first.start()
    async with await NatsBus.connect(first.connection_file) as worker:
        taken = Taken(ack=True)
        await worker.consume(queue(), taken, window=4)
        await first.stop()
        await wait_until(lambda: not worker.connected)
        async with NatsServer(tmp_path) as second, await NatsBus.connect(second.connection_file) as engine:
            await engine.publish(message())
            await taken.wait(1)
