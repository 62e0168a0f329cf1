"""Parents and children: what becomes of one when something happens to the other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from skerry import Decision, Done, State, Step, TerminalError, Workflow, task
from skerry.core import api
from skerry.core.projection import RunRow
from skerry.testing import Lab

broken: list[bool] = [True]


@pytest.fixture(autouse=True)
def fresh() -> None:
    broken[:] = [True]


@task
async def flaky() -> int:
    if broken[0]:
        raise TerminalError("no")
    return 2


class Kid(State):
    async def run(self, step: Step) -> Done[int]:
        await step.wait(Decision, question="Well?")
        return Done(1)


kid = Workflow("kid", version=1, start=Kid, result=int)


class Two(State):
    async def run(self, step: Step) -> Done[int]:
        one, two = await step.gather(step.start(kid, Kid()), step.call(flaky))
        return Done(one + two)


two = Workflow("two", version=1, start=Two, result=int)


class Lone(State):
    async def run(self, step: Step) -> Done[int]:
        return Done(await step.start(kid, Kid()))


lone = Workflow("lone", version=1, start=Lone, result=int)


async def kids(lab: Lab) -> list[RunRow]:
    """The children, oldest first."""
    return [row for row in reversed(await lab.engine.journal.rows()) if row.workflow == "kid"]


async def test_a_retry_starts_another_child_for_one_that_was_cancelled() -> None:
    async with Lab(two, kid) as lab:
        run = await lab.start(two, Two())
        await lab.skip(timedelta(seconds=1))
        assert (await lab.row(run)).status == "failed"
        assert [row.status for row in await kids(lab)] == ["cancelled"]
        broken[0] = False
        await lab.verbs.retry(api.RetryRun(run=run))
        await lab.skip(timedelta(seconds=1))
        gone, again = await kids(lab)
        assert (gone.status, again.status, again.parent) == ("cancelled", "review", gone.parent)
        await lab.engine.children.tell_parent(gone)  # late news of the first one means nothing any more
        await lab.crash()
        await lab.approve(again.run)
        await lab.skip(timedelta(seconds=1))
        assert await lab.result(run) == 3
        assert len(await kids(lab)) == 2
        assert (await lab.replay(run)).agrees
