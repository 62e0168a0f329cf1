"""Parents and children: what becomes of one when something happens to the other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec import Raw

from skerry import Decision, Done, State, Step, TerminalError, Workflow, task
from skerry.core import api
from skerry.core import events as ev
from skerry.core.projection import RunRow
from skerry.ports import Recorded
from skerry.runtime.engine import Engine
from skerry.runtime.limits import EngineLimits
from skerry.testing import Lab, MemoryJournal

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


@task(once=True)
async def once() -> int:
    raise AssertionError("the engine dies before it is called")


@task(size="medium")
def heavy() -> int:
    return 3


class Many(State):
    async def run(self, step: Step) -> Done[int]:
        one, two, three = await step.gather(step.start(kid, Kid()), step.call(heavy), step.call(once))
        return Done(one + two + three)


many = Workflow("many", version=1, start=Many, result=int)


async def test_a_run_that_dies_leaves_nothing_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Lab(many, kid) as lab:
        with monkeypatch.context() as patch:
            patch.setattr(lab.engine.calls, "run", _never)
            run = await lab.start(many, Many())
            await lab.skip(timedelta(seconds=1))
        await lab.crash()
        await lab.skip(timedelta(seconds=1))
        row = await lab.row(run)
        assert (row.status, "OutcomeUnknown" in row.note) == ("failed", True)
        assert [row.status for row in await kids(lab)] == ["cancelled"]
        assert lab.engine.outbox.load().get("medium", (0, 0)) == (0, 0)
        with monkeypatch.context() as patch:
            patch.setattr(lab.engine.calls, "run", _never)
            await lab.verbs.retry(api.RetryRun(run=run))
            await lab.skip(timedelta(seconds=1))
        assert [row.status for row in await kids(lab)] == ["cancelled", "review"]
        assert lab.engine.outbox.load()["medium"] == (1, 0)
        assert (await lab.replay(run)).agrees


async def _never(*_: Any) -> None:
    return None


class Other(State, tag="Lone"):
    async def run(self, step: Step) -> Done[int]:
        await step.sleep(timedelta(days=1))
        return Done(1)


class Free(State):
    async def run(self, step: Step) -> Done[str]:
        child, _ = await step.gather(step.start(kid, Kid(), detached=True), step.call(flaky))
        return Done(child)


free = Workflow("free", version=1, start=Free, result=str)


async def test_a_detached_child_stays_and_is_not_started_twice() -> None:
    async with Lab(free, kid) as lab:
        run = await lab.start(free, Free())
        await lab.skip(timedelta(seconds=1))
        assert (await lab.row(run)).status == "failed"
        broken[0] = False
        await lab.verbs.retry(api.RetryRun(run=run))
        await lab.skip(timedelta(seconds=1))
        (child,) = await kids(lab)
        assert (await lab.result(run), child.status) == (child.run, "review")


async def test_who_cancels_a_parked_run_cancels_its_child() -> None:
    async with Lab(lone, kid) as lab:
        run = await lab.start(lone, Lone())
        await lab.skip(timedelta(seconds=1))
        lab.registry.workflows.clear()
        lab.registry.add(kid)
        lab.registry.add(Workflow("lone", version=1, start=Other, result=int))
        await lab.crash()
        await lab.skip(timedelta(minutes=10))
        assert (await lab.row(run)).status == "parked"
        assert [row.status for row in await kids(lab)] == ["review"]
        assert (await lab.verbs.cancel(api.Cancel(run=run))).status == "cancelled"
        await lab.skip(timedelta(seconds=1))
        assert [row.status for row in await kids(lab)] == ["cancelled"]


async def test_a_parent_that_left_memory_looks_for_its_child_ever_more_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []
    load = Engine._load  # pyright: ignore[reportPrivateUsage]

    async def counted(engine: Engine, name: str) -> Any:
        loads.append(name)
        return await load(engine, name)

    monkeypatch.setattr(Engine, "_load", counted)
    async with Lab(lone, kid, limits=EngineLimits(idle_runs_max=1)) as lab:
        for _ in range(5):
            await lab.start(lone, Lone())
        await lab.skip(timedelta(seconds=1))
        loads.clear()
        for _ in range(360):
            await lab.skip(timedelta(seconds=10))
        assert len(loads) <= 5 * 15


async def test_a_result_that_is_gone_fails_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Lab(lone, kid) as lab:
        run = await lab.start(lone, Lone())
        await lab.skip(timedelta(seconds=1))
        (child,) = await kids(lab)
        events = MemoryJournal.events

        async def pruned(journal: MemoryJournal, run: str, **more: Any) -> list[Recorded]:
            recorded = await events(journal, run, **more)
            return [r._replace(event=None) if isinstance(r.event, ev.RunCompleted) else r for r in recorded]

        monkeypatch.setattr(MemoryJournal, "events", pruned)
        await lab.approve(child.run)
        await lab.skip(timedelta(seconds=1))
        row = await lab.row(run)
        assert (row.status, "was pruned" in row.note) == ("failed", True)


async def test_a_result_that_does_not_fit_fails_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Lab(lone, kid) as lab:
        run = await lab.start(lone, Lone())
        await lab.skip(timedelta(seconds=1))
        (child,) = await kids(lab)

        async def other(*_: Any) -> ev.RunCompleted:
            return ev.RunCompleted(result="int", value=Raw(b'"one"'))

        monkeypatch.setattr(lab.engine.children, "_completed", other)
        await lab.approve(child.run)
        await lab.skip(timedelta(seconds=1))
        assert (await lab.row(run)).status == "failed"
