"""The link of our server to a hub's: when a new launch of the server is its last resort."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skerry.bus import NatsServer
from skerry.bus import server as server_module
from skerry.bus.leafwatch import LeafWatch
from skerry.bus.serverconfig import Leaf
from tests.support import wait_until
from tests.sync.kit import leaf_hub


@contextlib.asynccontextmanager
async def watched(data: Path, url: str) -> AsyncIterator[tuple[NatsServer, LeafWatch]]:
    """A server with a link to there, and somebody who looks at it."""
    leaf = Leaf(url=url)
    async with NatsServer(data, leaf=leaf) as server:
        watch = LeafWatch(leaf, server.folder / "hub.json")
        try:
            yield server, watch
        finally:
            await watch.close()


@contextlib.asynccontextmanager
async def silent() -> AsyncIterator[str]:
    """A hub that takes connections, and says nothing: no link comes about."""
    held: list[asyncio.StreamWriter] = []

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    hub = await asyncio.start_server(hold, "127.0.0.1", 0)
    try:
        yield f"nats-leaf://u:p@127.0.0.1:{hub.sockets[0].getsockname()[1]}"
    finally:
        hub.close()
        for writer in held:
            writer.close()


async def test_a_link_that_is_up_is_left_alone(tmp_path: Path) -> None:
    hub, url = leaf_hub(tmp_path)
    try:
        async with watched(tmp_path / "data", url) as (_, watch):
            await wait_until(watch.is_up, 20.0)
            assert not await watch.is_stuck(0.0)
            assert not await watch.is_stuck(10_000.0)
            hub.kill()
            await wait_until(lambda: _down(watch), 20.0)
            assert not await watch.is_stuck(20_000.0)
            assert not await watch.is_stuck(30_000.0), "there is no hub: a new launch would not help"
            hub.start()
            await wait_until(watch.is_up, 20.0)
            assert not await watch.is_stuck(40_000.0)
    finally:
        hub.stop()


async def test_one_is_patient_and_then_more_so(tmp_path: Path) -> None:
    async with silent() as url, watched(tmp_path / "data", url) as (_, watch):
        stuck = [now for now in range(0, 1000, 20) if await watch.is_stuck(float(now))]
    assert stuck == [120, 380, 880], "after 120 s, then 240 s, then 480 s, each from when it was seen to be down"


async def test_the_server_is_launched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "LOOK_S", 0.05)
    monkeypatch.setattr("skerry.bus.leafwatch._PATIENCE_S", 0.1)
    async with silent() as url, NatsServer(tmp_path, leaf=Leaf(url=url)) as server:
        await wait_until(lambda: server.launches >= 3, 20.0)
        await wait_until(lambda: server.connection_file.exists(), 20.0)


async def _down(watch: LeafWatch) -> bool:
    return not await watch.is_up()
