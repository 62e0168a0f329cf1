"""One fault after the other, of every kind, while the journal grows; at the end everything is there once.

`SKERRY_STORM_FAULTS` says how many (12 unless it is given), `SKERRY_STORM_SEED` which: the same seed, the same faults.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable

import nats
import pytest
from nats.js.errors import NotFoundError

from skerry.hub.uplink import read_told
from skerry.sync import wire
from tests.support import wait_until
from tests.sync.conftest import House
from tests.sync.kit import end_at_hub, end_of, hub_lines, journal_lines, missing_blobs
from tests.sync.proxy import Proxy

FAULTS = int(os.environ.get("SKERRY_STORM_FAULTS", "12"))
SEED = int(os.environ.get("SKERRY_STORM_SEED", "1"))


class Storm:
    """A house with a bad network, and what can happen to it."""

    def __init__(self, house: House, proxy: Proxy) -> None:
        self.house = house
        self.proxy = proxy
        self.hub = house.hub().start()
        self.uplink = house.uplink(SKERRY_HUB_URL=proxy.url).start()

    async def kill_uplink(self) -> None:
        self.uplink.kill()
        self.uplink.start()

    async def kill_hub(self) -> None:
        self.hub.kill()
        self.hub.start()

    async def kill_server(self) -> None:
        self.house.server.kill()
        self.house.server.start()

    async def kill_all(self) -> None:
        for each in (self.uplink, self.hub, self.house.server):
            each.kill()
        self.house.server.start()
        self.hub.start()
        self.uplink.start()

    async def cut(self) -> None:
        self.proxy.cut()

    async def half_open(self) -> None:
        self.proxy.hold(True)
        await asyncio.sleep(0.7)  # this is the fault
        self.proxy.hold(False)

    async def slow(self) -> None:
        self.proxy.delay_s = 0.1
        await asyncio.sleep(1.0)  # this is the fault
        self.proxy.delay_s = 0.0

    async def put_hub_back(self) -> None:
        """To the copy that was made last time; and another copy is made."""
        self.hub.kill()
        folder = self.house.folder
        if (folder / "copy").exists():
            shutil.rmtree(folder / "hub")
            shutil.move(folder / "copy", folder / "hub")
        elif (folder / "hub").exists():
            shutil.copytree(folder / "hub", folder / "copy")
        self.hub.start()

    async def trim_stream(self) -> None:
        """It was full."""
        client = await nats.connect(self.house.server.url)
        try:
            await client.jetstream().purge_stream(wire.STREAM, keep=3)
        except NotFoundError:
            pass
        finally:
            await client.close()

    @property
    def faults(self) -> list[Callable[[], Awaitable[None]]]:
        twice = [self.kill_uplink, self.kill_hub, self.kill_server, self.cut]
        return [*twice, *twice, self.kill_all, self.half_open, self.slow, self.put_hub_back, self.trim_stream]


@pytest.fixture
async def storm(house: House) -> AsyncIterator[Storm]:
    proxy = await Proxy(house.server.port).start()
    yield Storm(house, proxy)
    await proxy.close()


@pytest.mark.slow
@pytest.mark.timeout(60 + FAULTS * 6)
async def test_everything_is_there_once_after_a_storm(storm: Storm) -> None:
    house = storm.house
    writer = await house.writer()
    writer.dice.seed(SEED)
    told: list[str] = []
    for _ in range(FAULTS):
        dice = writer.dice
        await writer.write(dice.randrange(1, 60), blob_bytes=dice.choice((0, 0, 0, 9000)))
        fault = dice.choice(storm.faults)
        told.append(fault.__name__)
        await fault()
        await asyncio.sleep(dice.random())  # the moment of the next fault is drawn by lot
    data, hub = house.folder / "edge1", house.folder / "hub"
    await writer.write(1)
    try:
        await wait_until(lambda: end_at_hub(hub, "edge1") == end_of(data), 60.0)
    except AssertionError:
        said = f"{end_at_hub(hub, 'edge1')} of {end_of(data)}, {read_told(data)}, {told}"
        raise AssertionError(f"{said}\n{storm.hub.tail()}\n{storm.uplink.tail()}") from None
    assert hub_lines(hub, "edge1") == journal_lines(data)
    await wait_until(lambda: not missing_blobs(data, hub), 60.0)
