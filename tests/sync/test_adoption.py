"""A node is lost, and another one goes on with its runs; should it come back, it is told so, and nothing is merged."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from skerry.bus import LocalServer
from skerry.client import Client
from skerry.core import events as ev
from skerry.errors import SkerryError
from skerry.hub.fence import read_fence
from skerry.hub.store import HubStore
from skerry.hub.uplink import read_told
from skerry.journal import JournalReader
from tests.cli import wishes
from tests.support import wait_until
from tests.sync import trades
from tests.sync.conftest import House
from tests.sync.kit import Program, call, end_at_hub, end_of, hub_lines, journal_lines, missing_blobs, node_program
from tests.sync.proxy import Proxy


class Two(House):
    """A hub and two nodes; the first one reaches the hub through a network that can be cut."""

    proxy: Proxy
    first: Program
    second: Program

    @property
    def adopted(self) -> Path:
        return self.folder / "edge2" / "adopted" / "edge1"

    @property
    def store(self) -> Path:
        return self.folder / "hub"

    async def begin(self) -> None:
        self.proxy = await Proxy(self.server.port).start()
        self.hub().start()
        self.first = self._node("edge1", SKERRY_HUB_URL=self.proxy.url)
        self.second = self._node("edge2")
        await wait_until(lambda: end_at_hub(self.store, "edge1") and end_at_hub(self.store, "edge2"), 30.0)

    def _node(self, name: str, **env: str) -> Program:
        more = {"SKERRY_NODE": name, "SKERRY_MODULES": "tests.sync.trades,tests.cli.wishes", "TRADES": str(self.folder)}
        return self._kept(node_program(self.folder / name, self.server, **{**more, **env})).start()

    def on(self, name: str) -> Client:
        """Speaks to a node, or to the adopted one."""
        server = LocalServer(file=self.folder / ("edge1" if name == "edge1" else "edge2") / "nats" / "connection.json")
        return Client.connect(nats=server, node="edge1" if name == "adopted" else name, by="bob", timeout_s=20.0)

    def adopt(self, by: str = "edge2") -> tuple[int, dict[str, Any], str]:
        how = ("--reason", "it burnt", "--person", "ada", "--sure")  # a network that is held has connections
        return self.say("hub", "adopt", "edge1", "--by", by, *how, "--data")

    def approve(self, run: str) -> tuple[int, dict[str, Any], str]:
        return self.say("approve", run, "--by", "ada", "--hub")

    def say(self, *words: str) -> tuple[int, dict[str, Any], str]:
        done = call(*words, str(self.store), "--nats", self.server.url, "--json")
        return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr

    def status(self, run: str) -> str:
        store = HubStore(self.store)
        found = store.find(run)
        store.close()
        return found[0].row.status if found else ""

    def apart(self) -> list[dict[str, Any]]:
        lines = call("hub", "apart", "--data", str(self.store), "--json").stdout.splitlines()
        return [json.loads(line) for line in lines]

    def claims(self, data: Path) -> set[tuple[str, str, str]]:
        """The ids that a journal has answered."""
        with closing(sqlite3.connect(data / "journal.db")) as db:
            return set(db.execute("SELECT scope, id, answer FROM claims"))

    def payments(self) -> list[str]:
        file = self.folder / "payments"
        return file.read_text().split() if file.exists() else []


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    built = Two(tmp_path)
    built.server.start()
    try:
        await built.begin()
        yield built
    finally:
        for program in built.programs:
            program.stop()
        await built.proxy.close()
        built.server.stop()


async def begun(two: Two) -> dict[str, str]:
    """Three trades and a wish that wait for a person, once the hub knows of that."""
    runs: dict[str, str] = {}
    async with two.on("edge1") as client:
        for what in ("tea", "salt", "silk"):
            runs[what] = (await client.start(trades.trades, {"what": what}, source="test", id=what)).run
        await client.signal(runs["salt"], {"n": 1}, signal="Early", id="early")
        runs["boat"] = (await client.start(wishes.wishes, {"what": "a boat", "euros": 5000})).run
    await wait_until(lambda: all(two.status(run) == "review" for run in runs.values()), 20.0)
    await wait_until(lambda: end_at_hub(two.store, "edge1") == end_of(two.folder / "edge1"), 20.0)
    return runs


async def unheard(two: Two, runs: dict[str, str]) -> None:
    """Of what the first node does now, the hub hears nothing."""
    two.proxy.hold(True)
    async with two.on("edge1") as client:
        await client.answer(runs["silk"], approved=True)
        await client.result(runs["silk"], trades.trades)
    assert two.payments() == ["silk"]


@pytest.mark.timeout(150)
async def test_another_node_goes_on_with_the_runs_of_a_lost_one(two: Two) -> None:
    runs = await begun(two)
    claims = two.claims(two.folder / "edge1")
    assert len(claims) == 5  # four starts, and a signal
    await unheard(two, runs)
    two.first.kill()
    code, said, problem = two.adopt()
    assert (code, said["state"], said["adopted"]["epoch"]) == (0, "applied", 2), problem

    assert two.claims(two.adopted) == claims
    async with two.on("adopted") as client:  # what had come comes once, here as there
        assert (await client.start(trades.trades, {"what": "tea"}, source="test", id="tea")).run == runs["tea"]

    # What waited for a person goes on under its old name, and what may have been done already asks one again.
    for what in ("boat", "tea", "silk"):
        assert two.approve(runs[what])[0] == 0
    await wait_until(lambda: two.status(runs["boat"]) == "done", 30.0)
    await wait_until(lambda: [two.status(runs[what]) for what in ("tea", "silk")] == ["failed", "failed"], 20.0)
    async with two.on("adopted") as client:
        with pytest.raises(SkerryError, match="may have been run by a node that was lost"):
            await client.result(runs["silk"], trades.trades)
        retried = call("retry", runs["tea"], "--reason", "the bank knows of no payment", "--data", str(two.adopted))
        assert retried.returncode == 0, retried.stderr
        assert (await client.result(runs["tea"], trades.trades)).what == "tea"
    assert two.payments() == ["silk", "tea"]
    noted = (two.folder / "book").read_text().split()
    assert len(noted) == len(set(noted)) == 5  # the second note of "silk" was made by both, under one key

    # It is one chain, which says whose it is.
    await wait_until(lambda: end_at_hub(two.store, "edge1") == end_of(two.adopted), 20.0)
    assert hub_lines(two.store, "edge1") == journal_lines(two.adopted)
    async with await JournalReader.open(two.adopted) as journal:
        (adopted,) = [e.event for e in await journal.events("") if isinstance(e.event, ev.NodeAdopted)]
    assert (adopted.by, adopted.reason) == ("edge2", "it burnt")
    assert adopted.person.startswith("ada@hub-")
    assert "adopted by edge2" in call("hub", "nodes", "--data", str(two.store)).stdout
    assert call("verify", "--data", str(two.adopted)).returncode == 0

    # The lost node comes back: it is refused, and what it did lies apart.
    two.proxy.hold(False)
    two.first.start()
    await wait_until(lambda: two.first.ended, 40.0)
    assert two.first.wait() != 0
    assert "its runs go on at node edge2" in two.first.tail()
    apart = await wait_until(two.apart)
    assert {each["run"] for each in apart} == {runs["silk"]}
    assert any(each["kind"] == "run.completed" for each in apart)
    assert hub_lines(two.store, "edge1")[: len(journal_lines(two.adopted))] == journal_lines(two.adopted)
    assert two.status(runs["silk"]) == "failed"
    stuck = call("sync", "--data", str(two.folder / "edge1"), "--restored", SKERRY_HUB_URL=two.server.url)
    assert stuck.returncode != 0
    assert "edge2" in stuck.stderr


@pytest.mark.timeout(120)
async def test_a_copy_goes_on_where_it_was_when_it_was_killed(house: House) -> None:
    """kill -9 of the adopting node's uplink, the hub and the server, while a journal with documents is copied."""
    writer = await house.writer()
    await writer.write(800)
    await writer.write(12, blob_bytes=700_000)
    await writer.write(1500)
    adopter = await house.writer("edge2", node="edge2")
    await adopter.write(1)
    await adopter.close()
    assert call("rotate-key", "--data", str(house.folder / "edge2")).returncode == 0
    hub = house.hub().start()
    first = house.uplink().start()
    second = house.uplink("edge2").start()
    data, store = house.folder / "edge1", house.folder / "hub"
    await wait_until(lambda: end_at_hub(store, "edge1") == end_of(data) and end_at_hub(store, "edge2") > 0, 60.0)
    await wait_until(lambda: not missing_blobs(data, store), 30.0)
    how = ("--by", "edge2", "--data", str(store), "--nats", house.server.url, "--wait", "0")
    alive = call("hub", "adopt", "edge1", *how)
    assert alive.returncode != 0
    assert "is connected" in alive.stderr
    first.stop()
    given = call("hub", "adopt", "edge1", *how)
    assert given.returncode == 0, given.stderr
    adopted = house.folder / "edge2" / "adopted" / "edge1"
    kills = 0
    for victim in (second, hub, second, second):
        await asyncio.sleep(0.15)  # some of it is there by then
        kills += not adopted.exists()
        victim.kill()
        victim.start()
    await wait_until(adopted.exists, 60.0)
    assert kills > 1
    before, after = journal_lines(data), journal_lines(adopted)
    assert after[: len(before)] == before
    assert [(line[1], line[5]) for line in after[len(before) :]] == [(2, "node.adopted")]
    assert call("verify", "--data", str(adopted)).returncode == 0
    assert blobs_of(data) == blobs_of(adopted)
    with closing(sqlite3.connect(adopted / "journal.db")) as db:  # as sealed as what the adopting node has itself
        assert not db.execute("SELECT count(*) FROM events WHERE substr(body, 1, 1) = x'7b'").fetchone()[0]


def blobs_of(folder: Path) -> set[tuple[str, int]]:
    with closing(sqlite3.connect(folder / "journal.db")) as db:
        return set(db.execute("SELECT hex(sha256), size FROM blobs"))


@pytest.mark.timeout(120)
async def test_a_node_that_only_seemed_lost_stops(two: Two) -> None:
    """It was cut off, and went on all the while."""
    runs = await begun(two)
    await unheard(two, runs)
    assert two.adopt()[1]["state"] == "applied"
    two.second.kill()  # the adopting node dies as well, and goes on
    two.second.start()
    two.proxy.hold(False)
    await wait_until(lambda: two.first.ended, 60.0)
    assert two.first.wait() != 0
    assert "its runs go on at node edge2" in two.first.tail()
    told = read_told(two.folder / "edge1")
    assert told is not None
    assert (told.state, "at the hub, apart" in told.why) == ("stuck", True)
    assert two.approve(runs["boat"])[0] == 0
    await wait_until(lambda: two.status(runs["boat"]) == "done", 30.0)
    code, _, problem = two.adopt()
    assert code != 0
    assert "has adopted edge1 already" in problem
    async with two.on("adopted") as client:
        await client.answer(runs["salt"], approved=True)
        with pytest.raises(SkerryError, match="may have been run"):
            await client.result(runs["salt"], trades.trades)
    assert two.payments() == ["silk"]


def arrived(store: Path, folder: Path) -> bool:
    """All of an adopted journal is at the hub."""
    return end_at_hub(store, "edge1") == end_of(folder)


@pytest.mark.timeout(120)
async def test_a_third_node_adopts_what_the_second_one_had_adopted(house: House) -> None:
    """Each adoption is an epoch of one chain; whoever had it before is fenced."""
    for name in ("edge1", "edge2", "edge3"):
        writer = await house.writer(name, node=name)
        await writer.write(5)
        await writer.close()
    hub = house.hub().start()
    first = house.uplink("edge1").start()
    for name in ("edge2", "edge3"):
        house.uplink(name).start()
    store, lost = house.folder / "hub", house.folder / "edge1"
    await wait_until(lambda: all(end_at_hub(store, name) for name in ("edge1", "edge2", "edge3")), 40.0)
    for epoch, by in ((2, "edge2"), (3, "edge3")):
        how = ("--by", by, "--sure", "--data", str(store), "--nats", house.server.url, "--json")
        given = await asyncio.to_thread(call, "hub", "adopt", "edge1", *how)
        assert given.returncode == 0, given.stderr
        assert json.loads(given.stdout)["adopted"]["epoch"] == epoch
        adopted = house.folder / by / "adopted" / "edge1"
        assert adopted.exists()
        up = house.uplink(str(adopted.relative_to(house.folder))).start()
        await wait_until(partial(arrived, store, adopted), 30.0)
    assert [line[5] for line in hub_lines(store, "edge1")].count("node.adopted") == 2
    assert hub_lines(store, "edge1") == journal_lines(adopted)
    before = house.folder / "edge2" / "adopted" / "edge1"
    await wait_until(lambda: all(read_fence(folder) is not None for folder in (lost, before)), 30.0)
    await wait_until(lambda: {fence.by for folder in (lost, before) if (fence := read_fence(folder))} == {"edge3"})
    assert read_fence(adopted) is None
    assert not first.ended
    assert not up.ended
    hub.stop()  # a hub that is begun anew is made of the stream, with all of that
    shutil.rmtree(store)
    house.hub("--take-over").start()
    await wait_until(partial(arrived, store, adopted), 30.0)
    assert hub_lines(store, "edge1") == journal_lines(adopted)
    made = HubStore(store)
    assert (made.adopted_by("edge1"), made.stands("edge1")[0].epoch) == ("edge3", 3)
    made.close()
