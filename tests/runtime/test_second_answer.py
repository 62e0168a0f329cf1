"""Two people answer the same question: the first word counts, and the second one is on record."""

from __future__ import annotations

import msgspec
import pytest

from skerry import Decision, Done, State, Step, Workflow
from skerry.core import api
from skerry.core import events as ev
from skerry.errors import Conflict
from skerry.testing import Lab


class Bought(msgspec.Struct, frozen=True):
    by: str


class Buying(State):
    times: int = 1

    async def run(self, step: Step) -> Done[Bought]:
        by = ""
        for _ in range(self.times):
            by = (await step.wait(Decision, question="buy it?")).by
        return Done(Bought(by=by))


buying = Workflow("buying", version=1, start=Buying, result=Bought)


async def refused(lab: Lab, run: str) -> list[ev.AnswerRefused]:
    return [event for event in await lab.events(run) if isinstance(event, ev.AnswerRefused)]


@pytest.mark.parametrize("times", [1, 2])
async def test_the_second_answer_is_refused_and_on_record(times: int) -> None:
    async with Lab(buying) as lab:
        run = await lab.start(buying, Buying(times=times))
        first = api.Answer(run=run, approved=True, step="1-1", by="ada", id="a")
        second = api.Answer(run=run, approved=False, step="1-1", by="bob", reason="too dear", id="b")
        await lab.verbs.answer(first)
        for _ in range(2):  # asked again, it is on record once
            with pytest.raises(Conflict):
                await lab.verbs.answer(second)
        (late,) = await refused(lab, run)
        assert (late.step, late.approved, late.by, late.reason, late.id) == ("1-1", False, "bob", "too dear", "b")
        assert late.message
        assert (await lab.verbs.answer(first)).again
        assert len(await refused(lab, run)) == 1
        if times == 2:
            await lab.crash()
            await lab.verbs.answer(api.Answer(run=run, approved=True, by="cy"))
        assert (await lab.result(run)) == Bought(by="ada" if times == 1 else "cy")
        assert (await lab.replay(run)).agrees


async def test_what_nobody_was_asked_is_no_second_answer() -> None:
    async with Lab(buying) as lab:
        run = await lab.start(buying, Buying())
        with pytest.raises(Conflict):
            await lab.verbs.answer(api.Answer(run=run, approved=True, step="9-9"))
        assert await refused(lab, run) == []


async def test_a_run_is_cancelled_once_for_an_id() -> None:
    async with Lab(buying) as lab:
        run = await lab.start(buying, Buying())
        assert not (await lab.verbs.cancel(api.Cancel(run=run, id="c"))).again
        assert (await lab.verbs.cancel(api.Cancel(run=run, id="c"))).again
