"""What an engine finds in its journal when it starts: every run but the damaged ones, and its own last event."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from skerry import Done, State, Step, Workflow, task
from skerry.clock import SystemClock
from skerry.core import api
from skerry.core import events as ev
from skerry.errors import Conflict
from skerry.journal import SqliteJournal, verify
from skerry.ports import Append
from skerry.registry import Registry
from skerry.runtime.engine import Engine
from skerry.runtime.verbs import Verbs
from tests.journal.files import tamper
from tests.support import wait_until


@task
async def double(number: int) -> int:
    return 2 * number


class Doubles(State):
    number: int

    async def run(self, step: Step) -> Done[int]:
        return Done(await step.call(double, self.number))


doubles = Workflow("doubles", version=1, start=Doubles, result=int)


@asynccontextmanager
async def running(folder: Path, *, paused: bool = False) -> AsyncIterator[Engine]:
    """An engine on a journal on disk. Paused, it records what is asked of it and does none of it."""
    registry = Registry()
    registry.add(doubles)
    journal = await SqliteJournal.open(folder, node="office", clock=SystemClock())
    engine = Engine(journal, None, SystemClock(), registry)
    engine.paused = paused
    try:
        yield engine
    finally:
        await engine.drain(5.0)
        await journal.close()


async def under_way(folder: Path, count: int) -> list[str]:
    """Runs whose call has not begun."""
    async with running(folder, paused=True) as engine:
        verbs = Verbs(engine)
        asked = [api.Start(workflow="doubles", data={"number": number}) for number in range(count)]
        return [(await verbs.start(each)).runs[0] for each in asked]


async def all_done(engine: Engine, runs: Sequence[str]) -> bool:
    rows = [await engine.journal.row(run) for run in runs]
    return all(row is not None and row.status == "done" for row in rows)


async def test_a_damaged_run_keeps_no_other_run_from_being_taken_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    runs = await under_way(tmp_path, 5)
    damaged = runs.pop(2)
    tamper(tmp_path, "UPDATE events SET salt = zeroblob(16) WHERE n = 2 AND run_key = 3")
    async with running(tmp_path) as engine:
        assert await engine.recover() == len(runs) + 1
        await wait_until(lambda: all_done(engine, runs))
        row = await engine.journal.row(damaged)
        assert row is not None
        assert row.status == "running"  # nothing was made of it: it can be mended from a copy
        assert "skerry verify" in engine.skipped[damaged]
        assert f"run {damaged} cannot be taken up" in caplog.text
        assert any(damaged in note for note in (await Verbs(engine).status()).notes)


async def test_a_run_without_bodies_says_so(tmp_path: Path) -> None:
    """As one of a lost node whose bodies were withheld from the hub."""
    runs = await under_way(tmp_path, 2)
    tamper(tmp_path, "UPDATE events SET salt = NULL, body = NULL WHERE run_key = 1 AND n = 2")
    async with running(tmp_path) as engine:
        await engine.recover()
        await wait_until(lambda: all_done(engine, runs[1:]))
        assert "has no bodies here" in engine.skipped[runs[0]]


async def test_damage_before_its_present_state_keeps_no_run_from_going_on(tmp_path: Path) -> None:
    runs = await under_way(tmp_path, 3)
    tamper(tmp_path, "UPDATE events SET salt = zeroblob(16) WHERE n = 1 AND run_key = 2")
    async with running(tmp_path) as engine:
        await engine.recover()
        await wait_until(lambda: all_done(engine, runs))
        assert engine.skipped == {}


async def test_the_last_event_of_the_node_is_looked_up_at_the_start(tmp_path: Path) -> None:
    """Its events follow each other from start to start, whatever runs have written in between."""
    started = ev.NodeStarted(node="office", software="1")
    for start in range(3):
        async with running(tmp_path) as engine:
            journal = engine.journal
            assert isinstance(journal, SqliteJournal)
            assert journal.last_n("") == 2 * start
            at_us = max(journal.head.at_us, engine.clock.now_us())
            with pytest.raises(Conflict, match="of the node does not follow"):
                await journal.append(Append("", 2 * start + 2, at_us, (started,)))
            await journal.append(Append("", 2 * start + 1, at_us, (started,)))
            (run,) = (await Verbs(engine).start(api.Start(workflow="doubles", data={"number": start}))).runs
            await wait_until(partial(all_done, engine, [run]))
            await journal.append(Append("", journal.last_n("") + 1, journal.head.at_us, (started,)))
    async with running(tmp_path) as engine:
        assert [each.header.n for each in await engine.journal.events("")] == [1, 2, 3, 4, 5, 6]
    assert verify(tmp_path).ok
