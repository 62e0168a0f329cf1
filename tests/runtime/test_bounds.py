"""The bound of live runs holds for what comes from outside, and never keeps a run waiting for what it started."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from skerry import Decision, Done, State, Step, Workflow
from skerry.errors import Busy
from skerry.runtime.limits import Limits
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


shouts = Workflow("shouts", version=1, start=Shouts, result=int)
heard = Workflow("heard", version=1, start=Heard, result=int, on="shout.heard")
waits = Workflow("waits", version=1, start=Waits, result=bool)


async def test_at_the_bound_runs_still_get_what_they_start() -> None:
    async with Lab(shouts, heard, limits=Limits(live_runs_max=2)) as lab:
        started = await asyncio.gather(*(lab.start(shouts, Shouts()) for _ in range(4)), return_exceptions=True)
        assert [type(each) for each in started] == [str, str, Busy, Busy]
        await lab.skip(timedelta(minutes=1))
        rows = await lab.engine.journal.rows()
        assert [(row.workflow, row.status) for row in rows].count(("heard", "done")) == 4
        assert [(row.workflow, row.status) for row in rows].count(("shouts", "done")) == 2


async def test_runs_that_are_on_their_way_to_the_disk_count() -> None:
    async with Lab(waits, limits=Limits(live_runs_max=2)) as lab:
        journal = lab.engine.journal
        assert isinstance(journal, MemoryJournal)
        journal.hold()
        starts = [asyncio.create_task(lab.start(waits, Waits())) for _ in range(3)]
        await asyncio.sleep(0.01)
        journal.let_go()
        started = await asyncio.gather(*starts, return_exceptions=True)
        assert [type(each) for each in started] == [str, str, Busy]
        assert isinstance(await lab.start(waits, Waits()), str)  # those that only wait do not
