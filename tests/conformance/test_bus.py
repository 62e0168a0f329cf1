"""Both buses pass the one suite: the one in memory, and the one on a real nats-server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from skerry.bus import NatsBus, NatsServer
from skerry.ports import Bus
from skerry.testing.conformance.bus import BusSuite, Connect
from skerry.testing.memory_broker import MemoryBroker
from skerry.testing.memory_bus import MemoryBus


class TestNatsBus(BusSuite):
    @asynccontextmanager
    async def serving(self, folder: Path, *, stream_bytes_max: int) -> AsyncIterator[Connect]:
        async with NatsServer(folder) as server:

            async def connect() -> Bus:
                return await NatsBus.connect(server.connection_file, stream_bytes_max=stream_bytes_max)

            yield connect


class TestMemoryBus(BusSuite):
    @asynccontextmanager
    async def serving(self, folder: Path, *, stream_bytes_max: int) -> AsyncIterator[Connect]:
        broker = MemoryBroker(stream_bytes_max=stream_bytes_max)

        async def connect() -> Bus:
            return MemoryBus(broker)

        yield connect
