"""One event may start several runs: all of them, or none."""

from __future__ import annotations

import pytest

from skerry import Decision, Done, State, Step, Workflow
from skerry.errors import Busy, DataError
from skerry.runtime.limits import EngineLimits
from skerry.testing import Lab


class Plain(State):
    n: int

    async def run(self, step: Step) -> Done[int]:
        await step.emit("nobody.hears")
        await step.wait(Decision)
        return Done(self.n)


class Picky(State):
    n: int
    m: int = 0

    async def run(self, step: Step) -> Done[int]:
        await step.wait(Decision)
        return Done(self.m)


class Pickier(State):
    n: int
    m: int

    async def run(self, step: Step) -> Done[int]:
        return Done(self.m)


plain = Workflow("a", version=1, start=Plain, result=int, on="it.came")
picky = Workflow("b", version=1, start=Picky, result=int, on="it.came")
pickier = Workflow("c", version=1, start=Pickier, result=int, on="it.came")


async def test_what_does_not_fit_one_starts_none() -> None:
    async with Lab(plain, pickier) as lab:
        with pytest.raises(DataError):
            await lab.publish("it.came", n=1)
        assert await lab.engine.journal.rows() == []


async def test_an_event_starts_all_that_it_triggers() -> None:
    async with Lab(plain, picky) as lab:
        assert len(await lab.publish("it.came", n=1)) == 2


async def test_the_bound_starts_both_or_none() -> None:
    async with Lab(plain, picky, limits=EngineLimits(live_runs_max=1)) as lab:
        assert len(await lab.publish("it.came", n=1)) == 2
        lab.engine.limits = EngineLimits(live_runs_max=0)
        with pytest.raises(Busy):
            await lab.publish("it.came", n=2)
        assert len(await lab.engine.journal.rows()) == 2
