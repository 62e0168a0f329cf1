"""An engine that stops begins nothing more, and what it has not begun is known not to have been begun."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from skerry import Decision, Done, State, Step, Workflow, task
from skerry.core import api
from skerry.core import events as ev
from skerry.testing import Lab, MemoryJournal

ran: Counter[str] = Counter()
going: list[asyncio.Event] = []


@pytest.fixture(autouse=True)
def fresh() -> None:
    ran.clear()
    going[:] = [asyncio.Event()]


@task(once=True)
async def pay(what: str) -> str:
    ran[what] += 1
    await going[0].wait()
    return what


@task
async def look(what: str) -> str:
    ran[what] += 1
    return what


class Both(State):
    async def run(self, step: Step) -> Done[str]:
        await step.call(pay, "first")
        return Done(await step.call(pay, "second"))


class Asked(State):
    async def run(self, step: Step) -> Done[str]:
        await step.wait(Decision, question="Pay?")
        return Done(await step.call(pay, "asked"))


class Looks(State):
    async def run(self, step: Step) -> Done[str]:
        await step.wait(Decision, question="Look?")
        return Done(await step.call(look, "look"))


both = Workflow("both", version=1, start=Both, result=str)
asked = Workflow("asked", version=1, start=Asked, result=str)
looks = Workflow("looks", version=1, start=Looks, result=str)


async def begun(what: str) -> None:
    for _ in range(1000):
        if ran[what]:
            return
        await asyncio.sleep(0)
    raise AssertionError(f"{what} was never begun")


async def once_more(lab: Lab, run: str) -> str:
    await lab.crash()
    going[0].set()
    await lab.skip(timedelta(seconds=1))
    assert (await lab.replay(run)).agrees
    return str(await lab.result(run))


async def test_a_call_that_follows_while_the_engine_drains_is_begun_by_the_next_one() -> None:
    async with Lab(both) as lab:
        run = await lab.start(both, Both())
        await begun("first")
        drain = asyncio.create_task(lab.engine.drain(5.0))
        await asyncio.sleep(0)
        going[0].set()
        await drain
        assert ran == {"first": 1}
        assert await once_more(lab, run) == "second"
        assert ran == {"first": 1, "second": 1}


@pytest.mark.parametrize("flow", [asked, looks])
async def test_a_handler_that_is_under_way_when_the_engine_drains_begins_nothing(flow: Workflow[str]) -> None:
    async with Lab(asked, looks) as lab:
        run = await lab.start(flow, flow.start())
        await lab.settled(run)
        journal = lab.engine.journal
        assert isinstance(journal, MemoryJournal)
        journal.hold()
        answer = asyncio.create_task(lab.verbs.answer(api.Answer(run=run, approved=True)))
        await asyncio.sleep(0.01)
        drain = asyncio.create_task(lab.engine.drain(5.0))
        await asyncio.sleep(0.01)
        assert not drain.done()  # something is on its way to the disk
        journal.let_go()
        await asyncio.gather(answer, drain)
        assert not ran
        assert await once_more(lab, run)
        assert sum(ran.values()) == 1


async def test_what_a_person_decides_offline_is_done_by_the_next_engine() -> None:
    async with Lab(asked) as lab:
        run = await lab.start(asked, Asked())
        await lab.settled(run)
        lab.engine.paused = True
        await lab.verbs.answer(api.Answer(run=run, approved=True))
        await lab.skip(timedelta(hours=1))
        assert not ran
        assert await once_more(lab, run) == "asked"
        assert [type(e) for e in await lab.events(run)].count(ev.AttemptFailed) == 1


async def test_a_retry_offline_is_done_by_the_next_engine() -> None:
    async with Lab(asked) as lab:
        run = await lab.start(asked, Asked())
        await lab.approve(run)
        await begun("asked")
        await lab.crash()  # while it pays: a person has to look
        assert (await lab.settled(run)).status == "failed"
        lab.engine.paused = True
        await lab.verbs.retry(api.RetryRun(run=run))
        assert await once_more(lab, run) == "asked"
        assert ran == {"asked": 2}
