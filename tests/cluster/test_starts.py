"""Engines of a group begin what comes to any of them once."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from skerry.bus import NatsBus
from skerry.client import Client
from skerry.core import api
from skerry.core.wire import Begun, encode, start_subject
from skerry.runtime.shared import _key  # pyright: ignore[reportPrivateUsage]
from tests.cluster.kit import PATIENCE_S, Cluster
from tests.cluster.relay import relay
from tests.support import wait_until

GROUP = {"SKERRY_GROUP": "house"}
EVENTS = 12


def event(id: str) -> api.Publish:
    """One that begins a relay."""
    return api.Publish(type="relay.began", data={"baton": id, "legs": 0}, source="test", id=id)


async def ids(client: Client) -> list[str]:
    """Of which events an engine has runs."""
    return sorted(row.event_id for row in await client.runs())


async def test_what_comes_to_several_engines_is_begun_once(house: Cluster) -> None:
    for node in ("north", "south"):
        house.engine(node, **GROUP)
    async with house.client("north") as north, house.client("south") as south:

        async def publish(client: Client, id: str) -> tuple[str, ...]:
            return (await client.ask_again("publish", event(id), api.Started)).runs

        both = [publish(client, f"e{number}") for number in range(EVENTS) for client in (north, south)]
        answers = await asyncio.gather(*both)
        assert answers[::2] == answers[1::2]
        assert len(set(answers)) == EVENTS
        begun = await ids(north) + await ids(south)
        assert sorted(begun) == sorted(f"e{number}" for number in range(EVENTS))
        # Later as well; and whoever is not asked for by name is asked by the group's.
        assert (await publish(north, "e0"), await publish(south, "e0")) == (answers[0], answers[0])
    async with house.client(group="house") as any:
        again = await any.publish("relay.began", {"baton": "e0", "legs": 0}, source="test", id="e0")
        assert (again[0].run, again[0].again) == (answers[0][0], True)
        more = await asyncio.gather(*(any.start(relay, {"baton": str(n), "legs": 0}) for n in range(4)))
        assert all(run.run.startswith(("north-", "south-")) for run in more)
        assert [await run.result(timeout_s=PATIENCE_S) for run in more]


async def test_a_claim_of_an_engine_that_was_killed_is_completed_by_it(house: Cluster) -> None:
    south = house.engine("south", **GROUP)
    north = house.engine("north", **GROUP)
    async with house.client("north") as client:
        await client.status()
    north.kill()
    # As if it had been killed between its claim and its journal.
    request = event("lost")
    claim = Begun(node="north", verb="publish", at_us=1, request=msgspec.Raw(encode(request)))
    async with await NatsBus.connect(house.url) as bus:
        starts = await bus.starts()
        word = await starts.first(start_subject("house", _key(request, "lost")), encode(claim))
        async with house.client("south") as client:
            waits = await client.ask_again("publish", request, api.Started)
            assert waits == api.Started(runs=(), again=True, waits_for="north")
            assert await ids(client) == []
        north.start()
        async with house.client("north") as client, house.client("south") as other:
            await wait_until(lambda: _has(client, "lost"), PATIENCE_S)
            [run] = (await other.ask_again("publish", request, api.Started)).runs
            assert run.startswith("north-")
            closed = await starts.first(word.subject, b"")
            assert msgspec.json.decode(closed.data, type=Begun).runs == (run,)
    assert not south.ended


async def _has(client: Client, id: str) -> bool:
    return id in await ids(client)


@pytest.mark.parametrize("group", ["north", "a house"])
async def test_a_group_has_a_name_of_its_own(house: Cluster, group: str) -> None:
    engine = house.engine("north", SKERRY_GROUP=group)
    assert await asyncio.to_thread(engine.wait) != 0
    assert "group" in engine.tail()


async def test_two_engines_of_one_name(house: Cluster) -> None:
    first = house.engine("north")
    async with house.client("north") as client:
        await client.status()
    second = house.program("again", "engine", "--data", str(house.folder / "again"), "--node", "north").start()
    assert await asyncio.to_thread(second.wait) != 0
    assert "an engine of node north runs on this bus already" in second.tail()
    first.kill()
    second.start()
    async with house.client("north") as client:
        assert (await client.status()).pid == second.pid


async def test_words_on_the_bus(house: Cluster) -> None:
    async with await NatsBus.connect(house.url) as bus:
        starts = await bus.starts()
        one = await starts.first("start.g.one", b"mine")
        assert await starts.first("start.g.one", b"theirs") == one
        two = await starts.first("start.g.two", b"mine")
        await starts.first("start.other.two", b"mine")
        await starts.replace(one, b"done")
        await starts.replace(one, b"too late")
        assert [(word.subject, word.data) async for word in starts.all("start.g.*")] == [
            ("start.g.two", b"mine"),
            ("start.g.one", b"done"),
        ]
        await starts.withdraw(two)
        await starts.withdraw(two)
        assert (await starts.first("start.g.two", b"theirs")).data == b"theirs"
