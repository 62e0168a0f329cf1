"""What the tests of a `Bus` are written with: queues, messages, a handler that keeps what it is given."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeAlias, TypeVar

import pytest

from skerry.core.wire import Queue
from skerry.ports import Bus, Delivery, Message

T = TypeVar("T")
Connect: TypeAlias = Callable[[], Awaitable[Bus]]
"""Another connection to the same broker, as another process would have. The suite closes it."""

LEASE_S = 0.4
STREAM_BYTES_MAX = 64 * 1024


def queue(name: str = "small", *, consumer: str = "workers", deliveries_max: int = 10, lease_s: float = 30.0) -> Queue:
    """A queue of its own stream, so that a test can choose its lease."""
    subjects = f"work.{name}.>"
    return Queue(
        stream=f"SUITE_{name}",
        subjects=(subjects,),
        consumer=consumer,
        filter=subjects,
        lease_s=lease_s,
        deliveries_max=deliveries_max,
    )


def message(number: int = 1, *, name: str = "small", data: bytes = b"{}", **more: str) -> Message:
    """The message for one attempt of one step."""
    return Message(f"work.{name}.n-RUN{number}.1.1", data, more)


async def soon(condition: Callable[[], T], timeout_s: float = 10.0) -> T:
    """Waits until a condition holds."""
    deadline = time.monotonic() + timeout_s
    while not (answer := condition()):
        assert time.monotonic() < deadline, "it did not come to pass in time"
        await asyncio.sleep(0.005)
    return answer


def subjects(deliveries: Iterable[Delivery]) -> list[str]:
    """Which messages these are."""
    return [each.message.subject for each in deliveries]


class Taken:
    """A handler that keeps what it is given."""

    def __init__(self, *, ack: bool = False) -> None:
        self.all: list[Delivery] = []
        self._ack = ack

    async def __call__(self, delivery: Delivery) -> None:
        """Takes one."""
        self.all.append(delivery)
        if self._ack:
            await delivery.ack()

    async def wait(self, count: int = 1) -> Delivery:
        """The `count`th, once it is there."""
        await soon(lambda: len(self.all) >= count)
        return self.all[count - 1]


class Serving:
    """What every part of the suite needs."""

    @abstractmethod
    def serving(self, folder: Path, *, stream_bytes_max: int) -> AbstractAsyncContextManager[Connect]:
        """A fresh, empty broker, whose streams take so many bytes."""

    @pytest.fixture
    async def connect(self, tmp_path: Path) -> AsyncIterator[Connect]:
        """Opens connections, and closes them after the test."""
        opened: list[Bus] = []
        async with self.serving(tmp_path, stream_bytes_max=STREAM_BYTES_MAX) as open_one:

            async def connect() -> Bus:
                opened.append(await open_one())
                return opened[-1]

            yield connect
            for bus in opened:
                await bus.close()

    @pytest.fixture
    async def bus(self, connect: Connect) -> Bus:
        """One connection."""
        return await connect()
