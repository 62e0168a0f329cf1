"""The bus in memory, beyond what every bus does: its clock, and its faults on purpose."""

from __future__ import annotations

import asyncio
import heapq

import pytest

from skerry.errors import Unavailable
from skerry.ports import Message
from skerry.testing.conformance.bus import Taken, message, queue
from skerry.testing.memory_broker import MemoryBroker
from skerry.testing.memory_bus import MemoryBus


class HandClock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self._now_s = 0.0
        self._sleeping: list[tuple[float, int, asyncio.Future[None]]] = []

    def now_us(self) -> int:
        return int(self._now_s * 1e6)

    def entropy(self, count: int) -> bytes:
        return bytes(count)

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleeping, (self._now_s + seconds, len(self._sleeping), future))
        await future

    async def pass_time(self, seconds: float) -> None:
        await settle()
        self._now_s += seconds
        while self._sleeping and self._sleeping[0][0] <= self._now_s:
            future = heapq.heappop(self._sleeping)[2]
            if not future.done():
                future.set_result(None)
        await settle()


async def settle() -> None:
    """Everything that can run without time passing has run."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_leases_and_delays_run_on_the_clock() -> None:
    clock = HandClock()
    bus = MemoryBus(MemoryBroker(clock=clock))
    taken = Taken()
    await bus.consume(queue(lease_s=30.0), taken, window=4)
    await bus.publish(message())
    await clock.pass_time(29.0)
    await taken.all[0].working()
    await clock.pass_time(29.0)
    assert len(taken.all) == 1
    await clock.pass_time(1.5)
    assert [each.deliveries for each in taken.all] == [1, 2]
    await taken.all[1].release(60.0)
    await clock.pass_time(59.0)
    assert len(taken.all) == 2
    await clock.pass_time(1.5)
    assert len(taken.all) == 3
    await bus.close()


async def test_a_request_waits_on_the_clock() -> None:
    clock = HandClock()
    bus = MemoryBus(MemoryBroker(clock=clock))

    async def silent(_: Message) -> bytes:
        await asyncio.Event().wait()
        return b""

    await bus.respond("command.n1.*", silent)
    asked = asyncio.create_task(bus.request(Message("command.n1.start", b""), timeout_s=5.0))
    await clock.pass_time(4.0)
    assert not asked.done()
    await clock.pass_time(1.5)
    with pytest.raises(Unavailable, match="within 5 s"):
        await asked
    await bus.close()


async def test_a_killed_connection_settles_nothing() -> None:
    clock = HandClock()
    broker = MemoryBroker(clock=clock)
    dying, living = MemoryBus(broker), MemoryBus(broker)
    taken, later = Taken(), Taken()
    await dying.consume(queue(lease_s=30.0), taken, window=1)
    await dying.publish(message())
    await settle()
    dying.kill()
    await taken.all[0].ack()
    await living.consume(queue(lease_s=30.0), later, window=1)
    await clock.pass_time(29.0)
    assert later.all == []
    await clock.pass_time(1.5)
    assert [each.deliveries for each in later.all] == [2]
    with pytest.raises(Unavailable):
        await dying.publish(message(2))
    await living.close()


async def test_a_lost_connection_comes_back() -> None:
    bus = MemoryBus()
    await bus.ensure(queue())
    bus.connected = False
    with pytest.raises(Unavailable, match="no connection"):
        await bus.publish(message())
    bus.connected = True
    await bus.publish(message())
    await bus.close()
