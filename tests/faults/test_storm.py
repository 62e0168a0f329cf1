"""The storm: invoices flow while everything is killed at random instants; then all of it must be there, once.

Issue, "What must survive": every accepted run ends, none twice, the ledger has each invoice once, `verify` holds,
`replay` of every run agrees. It proves J1, J2, J3, J5, J6 and J9, as a crash sees them.

`SKERRY_STORM_KILLS` makes it longer, `SKERRY_STORM_SEED` repeats one: what is published, killed and when is drawn from
the seed (what the machine was doing at that instant is not).
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from skerry.client import Client
from skerry.core.projection import RunRow
from skerry.errors import SkerryError
from skerry.journal import verify
from tests.faults.conftest import MakeNode
from tests.faults.harness import Node, bus_is_empty, disagreements, kill, left_over, tell
from tests.faults.invoices import Document, Kind, document
from tests.support import wait_until, wait_until_blocking

KILLS = int(os.environ.get("SKERRY_STORM_KILLS", "25"))
SEED = int(os.environ.get("SKERRY_STORM_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
PER_KILL = 6
PUBLISHERS = 4
KINDS: tuple[Kind, ...] = ("ubl", "ubl", "ubl", "text", "text", "large", "unreadable", "doubtful")


@dataclass
class Storm:
    """What was promised to us, and what was done to the node."""

    node: Node
    random: random.Random
    folder: Path
    accepted: dict[str, tuple[Document, str]] = field(default_factory=dict)
    """By event id: the document and its run."""
    twice: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    over: bool = False

    # --- what flows ---------------------------------------------------------------------------------------------------

    def plan(self, count: int) -> list[tuple[str, Document]]:
        """Event ids and documents; every eighth invoice comes a second time, as another file and event."""
        planned: list[tuple[str, Document]] = []
        for number in range(count):
            made = document(self.random.choice(KINDS), number)
            planned.append((f"event-{number}", made))
            if made.kind == "ubl" and self.random.random() < 0.25:
                again = made._replace(name=f"again-{made.name}", data=made.data + b"<!-- sent again -->\n")
                planned.append((f"event-{number}-again", again))
        return planned

    async def publish_all(self, planned: list[tuple[str, Document]]) -> None:
        """Until each of them is accepted: who gets no answer asks again, with the same id."""
        queue = list(reversed(planned))
        pace = asyncio.Event()

        async def publisher() -> None:
            async with self.node.client(timeout_s=60.0) as client:
                while queue:
                    id, made = queue.pop()
                    run = await self._publish(client, id, made)
                    assert self.accepted.setdefault(id, (made, run))[1] == run
                    if self.random.random() < 0.1:  # and sometimes once more: the same id is the same run
                        self.twice += 1
                        assert await self._publish(client, id, made) == run, f"{id} led to two runs"
                    while not self.over and len(self.accepted) > PER_KILL * (sum(self.kills.values()) + 1):
                        pace.clear()
                        await asyncio.sleep(0.02)

        await asyncio.gather(*(publisher() for _ in range(PUBLISHERS)))

    async def _publish(self, client: Client, id: str, made: Document) -> str:
        path = self.folder / made.name
        path.write_bytes(made.data)
        while True:
            try:
                handles = await client.publish("invoice.received", file=path, source="storm", id=id)
                return handles[0].run
            except SkerryError as error:
                assert type(error).__name__ in ("Unavailable", "JournalError"), f"{id}: {error!r}"

    # --- what dies ----------------------------------------------------------------------------------------------------

    async def rage(self, count: int) -> None:
        """So many kills, each at a random instant; the engine is started again by hand, as an operator would."""
        while sum(self.kills.values()) < count:
            await asyncio.sleep(self.random.choice((0.02, 0.1, 0.4, 0.8)) * self.random.random() * 2)
            victim = self.random.choice(("engine", "engine", "worker", "worker", "nats", "nats", "all", "leaving"))
            if await asyncio.to_thread(self._kill, victim):
                self.kills[victim] += 1
            if self.node.ended:
                self.node.launch()
                if self.random.random() < 0.8:  # else it may be killed while it starts
                    await asyncio.to_thread(self._up)
        self.over = True

    def _kill(self, victim: str) -> bool:
        node = self.node
        if victim == "engine":
            node.kill()
        elif victim == "all":
            node.kill_all()
        elif victim == "leaving":  # kill -9 in the middle of a drain
            node.terminate()
            threading.Event().wait(self.random.random() * 0.5)
            node.kill()
        else:
            pids = [node.nats_pid] if victim == "nats" else node.worker_pids
            pid = self.random.choice(pids) if pids else 0
            return bool(pid) and kill(pid)
        return True

    def _up(self) -> None:
        wait_until_blocking(lambda: self.node.heard("up") or self.node.ended, 60.0)
        assert not self.node.ended or self.node.wait() < 0, f"it ended by itself: {self.node.said}"

    # --- how it should stand afterwards -------------------------------------------------------------------------------

    def unsettled(self, rows: dict[str, RunRow]) -> list[str]:
        """Runs that are not yet where they belong."""
        return [
            f"{made.name} {run}: {rows[run].status if run in rows else 'no such run'}"
            for made, run in self.accepted.values()
            if run not in rows or rows[run].status != ("done" if made.kind in ("ubl", "text") else "review")
        ]


@pytest.mark.slow
@pytest.mark.timeout(120 + 8 * KILLS)
async def test_nothing_is_lost_or_done_twice_when_everything_is_killed(make_node: MakeNode, tmp_path: Path) -> None:
    """J1-J3, J5, J6, J9; "kill -9, at many random instants, of the engine, a worker, nats-server, all at once"."""
    tell(f"SKERRY_STORM_SEED={SEED} SKERRY_STORM_KILLS={KILLS}")
    node = make_node(workers={"rules": (2, 4)})
    node.start()
    began = time.time()
    storm = Storm(node, random.Random(SEED), tmp_path)
    planned = storm.plan(PER_KILL * KILLS)
    async with asyncio.TaskGroup() as group:
        group.create_task(storm.publish_all(planned))
        group.create_task(storm.rage(KILLS))
    tell(f"{len(storm.accepted)} accepted, {storm.twice} asked twice, kills: {dict(storm.kills)}, {since(began)}")
    await asyncio.to_thread(storm._up)
    if node.ended:
        node.start()

    # Calm. Every accepted run stands where it belongs.
    async def settled() -> bool:
        return not storm.unsettled(await node.rows())

    try:
        await wait_until(settled, 90.0)
    except AssertionError:
        pytest.fail(f"still not settled: {storm.unsettled(await node.rows())}")

    tell(f"settled: {since(began)}")
    # Reviews can be answered: the large ones are approved, the others rejected.
    async with node.client(timeout_s=30.0) as client:
        for made, run in storm.accepted.values():
            if made.kind in ("large", "doubtful", "unreadable"):
                await client.answer(run, made.kind == "large", reason="seen", id=f"answer-{run}")

        async def all_done() -> bool:
            return all(row.status == "done" for row in (await node.rows()).values())

        await wait_until(all_done, 60.0)
    await bus_is_empty(node)

    tell(f"answered, and nothing on the bus: {since(began)}")
    # Each event one run, and no other; each invoice once in the ledger.
    rows = await node.rows()
    assert len(storm.accepted) == len(planned)
    assert sorted(run for _, run in storm.accepted.values()) == sorted(rows)
    with sqlite3.connect(node.data / "ledger.db") as ledger:
        posted = Counter(number for (number,) in ledger.execute("SELECT number FROM posting"))
    ledger.close()
    wanted = {made.number for made, _ in storm.accepted.values() if made.kind in ("ubl", "text", "large")}
    assert posted == Counter(wanted), f"{posted - Counter(wanted)} too often, {Counter(wanted) - posted} missing"
    for run in rows:
        kinds = await node.kinds(run)
        assert kinds.count("run.completed") == 1, f"{run} ended {kinds.count('run.completed')} times"
        assert kinds.count("run.started") == 1

    # The journal is whole, and the code agrees with it.
    assert await disagreements(node) == []
    assert await asyncio.to_thread(node.stop) == 0
    await wait_until(lambda: not left_over(node), 30.0)
    report = verify(node.data)
    assert report.ok, report.faults


def since(began: float) -> str:
    """For the log."""
    return f"{time.time() - began:.1f} s"
