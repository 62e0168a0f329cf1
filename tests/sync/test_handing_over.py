"""Journals go to a hub, through real processes, whatever dies meanwhile."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from skerry.hub.store import HubStore
from skerry.hub.uplink import read_told
from skerry.sync import wire
from tests.support import wait_until
from tests.sync.conftest import House
from tests.sync.kit import (
    ROOT,
    Program,
    Server,
    call,
    end_at_hub,
    end_of,
    hub_lines,
    journal_lines,
    missing_blobs,
    shipped,
)


async def arrives(house: House, folder: str = "edge1", node: str = "edge1", timeout_s: float = 30.0) -> None:
    """Everything that is in a journal now comes to the hub."""
    end = end_of(house.folder / folder)
    hub = house.folder / "hub"
    try:
        await wait_until(lambda: end_at_hub(hub, node) >= end, timeout_s)
    except AssertionError:
        said = "\n".join(program.tail() for program in house.programs)
        told = read_told(house.folder / folder)
        raise AssertionError(f"{end_at_hub(hub, node)} of {end} came; {told}\n{said}") from None


def same(house: House, folder: str = "edge1", node: str = "edge1") -> None:
    """The hub has the journal, byte for byte, with its blobs."""
    data, hub = house.folder / folder, house.folder / "hub"
    assert hub_lines(hub, node) == journal_lines(data)
    assert not missing_blobs(data, hub)


def sync_says(folder: Path, url: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "skerry.cli", "sync", "--data", str(folder), "--json"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "SKERRY_HUB_URL": url},
        capture_output=True,
        text=True,
        check=True,
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


async def test_everything_arrives_once_and_in_order(house: House) -> None:
    writer = await house.writer()
    await writer.write(300, blob_bytes=0)
    await writer.write(3, blob_bytes=700_000)  # values in blobs of several pieces
    house.hub().start()
    house.uplink().start()
    await arrives(house)
    await writer.write(5)
    await arrives(house)
    same(house)
    batches = await shipped(house.server, "edge1")
    places = [batch[1:] for batch in batches if batch[0] == "page"]
    assert places[0][0] == 1
    assert all(before[1] + 1 == after[0] for before, after in pairwise(places))
    assert sum(kind == "blobs" for kind, _, _ in batches) == 9
    data = house.folder / "edge1"

    async def idle() -> bool:
        told = read_told(data)
        return told is not None and told.state == "idle" and told.applied == end_of(data)

    await wait_until(idle)
    said = sync_says(data, house.server.url)
    assert (said["state"], said["behind"], said["applied"]) == ("idle", 0, end_of(data))


async def test_what_happens_is_there_within_a_second(house: House) -> None:
    writer = await house.writer()
    await writer.write(1)
    house.hub().start()
    house.uplink().start()
    await arrives(house)
    for _ in range(3):
        await writer.write(1)
        await arrives(house, timeout_s=2.0)


async def test_a_hub_that_is_begun_anew_is_made_of_the_stream_again(house: House) -> None:
    writer = await house.writer()
    await writer.write(50)
    first = house.hub().start()
    up = house.uplink().start()
    await arrives(house)
    first.stop()
    up.stop()  # no node is there to help
    shutil.rmtree(house.folder / "hub")
    house.hub("--take-over").start()
    await arrives(house)
    same(house)


async def test_a_hub_that_was_put_back_heals(house: House) -> None:
    """From the stream; and where that has lost its beginning, from the nodes."""
    writer = await house.writer()
    await writer.write(20, blob_bytes=6000)
    hub = house.hub().start()
    house.uplink().start()
    await arrives(house)
    hub.stop()
    shutil.copytree(house.folder / "hub", house.folder / "copy")
    hub.start()
    await writer.write(30, blob_bytes=6000)
    await arrives(house)
    hub.stop()
    shutil.rmtree(house.folder / "hub")
    shutil.copytree(house.folder / "copy", house.folder / "hub")
    hub.start()
    await arrives(house)
    same(house)

    hub.stop()
    shutil.rmtree(house.folder / "hub")
    shutil.copytree(house.folder / "copy", house.folder / "hub")
    await purge(house, keep=2)
    hub.start()
    await writer.write(1)
    await arrives(house)
    same(house)


async def test_a_server_that_lost_its_stream_gets_it_again(house: House) -> None:
    writer = await house.writer()
    await writer.write(20)
    hub = house.hub().start()
    house.uplink().start()
    await arrives(house)
    house.server.kill()
    shutil.copytree(house.folder / "server" / "js", house.folder / "old")
    house.server.start()
    await writer.write(20)
    await arrives(house)
    house.server.kill()
    shutil.rmtree(house.folder / "server" / "js")
    shutil.copytree(house.folder / "old", house.folder / "server" / "js")
    house.server.start()
    await writer.write(20)
    await arrives(house)
    same(house)

    house.server.kill()
    hub.kill()
    shutil.rmtree(house.folder / "server" / "js")
    house.server.start()
    await writer.write(20)
    hub.start()
    await arrives(house)
    same(house)


def knows_epoch(hub: Path, epoch: int) -> bool:
    store = HubStore(hub)
    found = store.stands("edge1")[0].epoch == epoch
    store.close()
    return found


async def stuck(folder: Path) -> str:
    """What an uplink that is stuck says is to be done."""

    def hint() -> str:
        told = read_told(folder)
        return told.hint if told is not None and told.state == "stuck" else ""

    return await wait_until(hint)


async def purge(house: House, *, keep: int) -> None:
    """The stream loses its beginning, as it does when it is full."""
    import nats

    client = await nats.connect(house.server.url)
    await client.jetstream().purge_stream(wire.STREAM, keep=keep)
    await client.close()


async def test_a_second_hub_is_refused_and_a_third_takes_over(house: House) -> None:
    writer = await house.writer()
    await writer.write(2)
    first = house.hub().start()
    house.uplink().start()
    await arrives(house)
    same_folder = house.hub().start()
    assert same_folder.wait() == 4
    assert "another process writes in" in same_folder.tail()
    other = house.hub(folder="hub2").start()
    assert other.wait() == 4
    assert "belongs to another hub" in other.tail()
    third = house.hub("--take-over", folder="hub3").start()
    assert first.wait() == 4
    assert "another hub has taken over" in first.tail()
    await wait_until(lambda: end_at_hub(house.folder / "hub3", "edge1") == end_of(house.folder / "edge1"))
    assert not third.ended


async def test_a_node_that_was_put_back_ships_nothing_until_somebody_says_so(house: House) -> None:
    writer = await house.writer()
    await writer.write(10)
    await writer.close()
    house.hub().start()
    up = house.uplink().start()
    await arrives(house)
    data, hub = house.folder / "edge1", house.folder / "hub"
    up.stop()
    shutil.copytree(data, house.folder / "backup")
    writer = await house.writer()
    await writer.write(10)  # this is what will be lost
    await writer.close()
    up.start()
    await arrives(house)
    up.stop()
    lost = end_of(data)
    shutil.rmtree(data)
    shutil.copytree(house.folder / "backup", data)
    up.start()
    assert "--restored" in await stuck(data)
    up.stop()

    for epoch in (2, 3):  # the copy is put back twice: it does not know of the first time, but the hub does
        said = call("sync", "--data", str(data), "--restored", "--json", SKERRY_HUB_URL=house.server.url)
        assert json.loads(said.stdout)["epoch"] == epoch, said.stderr
        writer = await house.writer()
        await writer.write(epoch)
        await writer.close()
        up.start()
        await wait_until(partial(knows_epoch, hub, epoch))
        await arrives(house)
        up.stop()
        same(house)
        (view,) = HubStore(hub).nodes()
        assert (view.epoch, view.seq, view.trouble) == (epoch, end_of(data), "")
        if epoch == 2:
            shutil.rmtree(data)
            shutil.copytree(house.folder / "backup", data)
    runs = HubStore(hub).runs(limit=100)
    assert sum(run.apart for run in runs) == 10 + 2
    assert lost > end_of(data)


async def test_a_copied_node_is_told_from_the_one_that_goes_on(house: House) -> None:
    writer = await house.writer()
    await writer.write(5)
    await writer.close()
    house.hub().start()
    first = house.uplink().start()
    await arrives(house)
    shutil.copytree(house.folder / "edge1", house.folder / "twin", ignore=shutil.ignore_patterns("uplink"))
    writer, twin = await house.writer(), await house.writer("twin")
    await writer.write(2)
    await arrives(house)
    await twin.write(2)
    house.uplink("twin").start()
    assert "--restored" in await stuck(house.folder / "twin")
    await writer.write(2)
    await arrives(house)
    same(house)
    assert not first.ended


async def test_what_is_withheld_stays_and_the_chain_holds(house: House) -> None:
    writer = await house.writer()
    await writer.write(3, workflow="shop")
    await writer.write(3, workflow="clinic", blob_bytes=9000)
    house.hub().start()
    house.uplink(SKERRY_HUB_WITHHOLD="clinic, other").start()
    await arrives(house)
    lines = hub_lines(house.folder / "hub", "edge1")
    assert [line[:9] for line in lines] == [line[:9] for line in journal_lines(house.folder / "edge1")]
    store = HubStore(house.folder / "hub")
    for run in store.runs():
        assert run.row.note == ("" if run.row.workflow == "clinic" else "a secret note")
        assert run.row.status == "done"
        bodies = [line[10] for line in lines if line[2] == run.row.run]
        assert all(body is None for body in bodies) == (run.row.workflow == "clinic")
    assert len(missing_blobs(house.folder / "edge1", house.folder / "hub")) == 9
    store.close()


async def test_while_a_link_is_half_open_nothing_is_lost(house: House) -> None:
    writer = await house.writer()
    await writer.write(5)
    house.hub().start()
    house.uplink().start()
    await arrives(house)
    house.server.pause(True)
    await writer.write(50)
    await asyncio.sleep(1.0)  # nothing can come: there is no condition to wait for
    assert end_at_hub(house.folder / "hub", "edge1") < end_of(house.folder / "edge1")
    house.server.pause(False)
    await arrives(house)
    same(house)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_whatever_is_killed_everything_arrives_once(house: House, seed: int) -> None:
    """kill -9 of the uplink, the hub and the server at random moments, while the journal grows."""
    writer = await house.writer()
    dice = writer.dice
    dice.seed(seed)
    programs = [house.hub().start(), house.uplink().start()]
    for _ in range(12):
        await writer.write(dice.randrange(1, 150), blob_bytes=dice.choice((0, 0, 0, 20_000)))
        await asyncio.sleep(dice.random() * 1.2)  # the moment of the fault is drawn by lot
        victims: list[Program | Server] = [*programs, house.server]
        victim = dice.choice(victims)
        victim.kill()
        if dice.random() < 0.5:
            await asyncio.sleep(dice.random() * 0.5)  # and so is how long it is away
        victim.start()
    await arrives(house)
    same(house)
    places = [batch[1:] for batch in await shipped(house.server, "edge1") if batch[0] == "page"]
    assert places[0][0] == 1
    assert all(before[1] + 1 == after[0] for before, after in pairwise(places))
