"""The bound of live runs holds for what comes from outside, and never keeps a run waiting for what it started."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest
from msgspec import Raw

from skerry import Decision, Done, State, Step, Workflow
from skerry.core import api
from skerry.errors import Busy
from skerry.runtime.limits import EngineLimits
from skerry.testing import Lab, MemoryJournal


class Shouts(State):
    async def run(self, step: Step) -> Done[int]:
        await step.emit("shout.heard", {})
        return Done(await step.start(heard, Heard()))


class Heard(State):
    async def run(self, step: Step) -> Done[int]:
        await step.sleep(timedelta(seconds=1))
        return Done(2)


class Waits(State):
    async def run(self, step: Step) -> Done[bool]:
        return Done((await step.wait(Decision)).approved)


class Parcel(msgspec.Struct, frozen=True):
    text: str = ""


class Letter(msgspec.Struct, frozen=True):
    text: str = ""


class Sorts(State):
    """Waits for letters only; parcels are kept for later."""

    async def run(self, step: Step) -> Done[list[str]]:
        await step.wait(Letter)
        return Done([(await step.wait(Parcel)).text for _ in range(2)])


sorts = Workflow("sorts", version=1, start=Sorts, result=list[str])
shouts = Workflow("shouts", version=1, start=Shouts, result=int)
heard = Workflow("heard", version=1, start=Heard, result=int, on="shout.heard")
waits = Workflow("waits", version=1, start=Waits, result=bool)


async def test_at_the_bound_runs_still_get_what_they_start() -> None:
    async with Lab(shouts, heard, limits=EngineLimits(live_runs_max=2)) as lab:
        started = await asyncio.gather(*(lab.start(shouts, Shouts()) for _ in range(4)), return_exceptions=True)
        assert [type(each) for each in started] == [str, str, Busy, Busy]
        await lab.skip(timedelta(minutes=1))
        rows = await lab.engine.journal.rows()
        assert [(row.workflow, row.status) for row in rows].count(("heard", "done")) == 4
        assert [(row.workflow, row.status) for row in rows].count(("shouts", "done")) == 2


async def test_runs_that_are_on_their_way_to_the_disk_count() -> None:
    async with Lab(waits, limits=EngineLimits(live_runs_max=2)) as lab:
        journal = lab.engine.journal
        assert isinstance(journal, MemoryJournal)
        journal.hold()
        starts = [asyncio.create_task(lab.start(waits, Waits())) for _ in range(3)]
        await asyncio.sleep(0.01)
        journal.let_go()
        started = await asyncio.gather(*starts, return_exceptions=True)
        assert [type(each) for each in started] == [str, str, Busy]
        assert isinstance(await lab.start(waits, Waits()), str)  # those that only wait do not


@pytest.mark.parametrize("crash", [False, True])
async def test_signals_that_nobody_waits_for_are_bounded(crash: bool) -> None:
    async with Lab(sorts, limits=EngineLimits(inbox_max=2)) as lab:
        run = await lab.start(sorts, Sorts())
        await lab.settled(run)
        for text in ("one", "two"):
            await lab.signal(run, Parcel(text))
        if crash:
            await lab.crash()
        before = await lab.events(run)
        third = api.Signal(run=run, signal="Parcel", value=Raw(b'{"text":"three"}'), id="third")
        with pytest.raises(Busy, match="keeps 2 signals"):
            await lab.verbs.signal(third)
        assert await lab.events(run) == before  # nothing is recorded, and the same id may come again
        await lab.signal(run, Letter("here I am"))  # what a step waits for is always taken
        assert await lab.result(run) == ["one", "two"]


async def test_a_refused_signal_is_taken_when_there_is_room_again() -> None:
    async with Lab(sorts, limits=EngineLimits(inbox_max=1)) as lab:
        run = await lab.start(sorts, Sorts())
        await lab.settled(run)
        await lab.signal(run, Parcel("one"))
        second = api.Signal(run=run, signal="Parcel", value=Raw(b'{"text":"two"}'), id="second")
        with pytest.raises(Busy):
            await lab.verbs.signal(second)
        await lab.signal(run, Letter())
        assert not (await lab.verbs.signal(second)).again
        assert await lab.result(run) == ["one", "two"]


async def test_the_bytes_of_kept_signals_are_bounded() -> None:
    async with Lab(sorts) as lab:
        run = await lab.start(sorts, Sorts())
        await lab.settled(run)
        long = "x" * 5_000_000
        await lab.signal(run, Parcel(long))
        with pytest.raises(Busy, match=r"keeps 1 signals \(5,000,0\d\d bytes\)"):
            await lab.signal(run, Parcel("short"))
