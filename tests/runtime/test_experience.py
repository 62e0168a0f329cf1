"""What an engine has seen of the sizes changes which one is asked, and when."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from skerry import Budget, Done, Prompt, State, Step, Workflow
from skerry.core import events as ev
from skerry.core.budget import Spent
from skerry.core.ids import TaskId
from skerry.core.wire import ModelStatus, Result, WorkerStatus, encode, worker_subject
from skerry.ports import Message
from skerry.runtime.experience import Experience
from skerry.runtime.outbox import Outbox
from skerry.testing import Lab
from skerry.testing.clock import SimClock
from tests.support import wait_until

AWAY = ev.Failure(kind="ModelUnavailable", message="no route", retryable=True)


def result(size: str = "cloud", failure: ev.Failure | None = None, after_s: float = 0.0, **model: Any) -> Result:
    return Result(
        run="n-1", step="1", attempt=1, size=size, worker="w", failure=failure, retry_after_s=after_s, model=model
    )


# --- experience -------------------------------------------------------------------------------------------------------


async def test_what_answers_use_is_an_average_of_the_last_ones() -> None:
    seen = Experience(SimClock())
    assert seen.expected("small") == Spent()
    seen.took(result("small", tokens_in=100, cost=1.0))
    assert seen.expected("small") == Spent(tokens=100, money=1.0)
    seen.took(result("small", tokens_in=200, cost=1.0))
    seen.took(result("small", failure=AWAY))
    assert seen.expected("small").tokens == pytest.approx(120)
    assert seen.expected("medium") == Spent()


async def test_a_cloud_that_was_not_reached_is_tried_again_ever_more_rarely() -> None:
    clock = SimClock()
    seen = Experience(clock)
    for away_s in (30, 60, 120, 240, 480, 900, 900):
        assert seen.reachable("cloud")
        seen.took(result(failure=AWAY))
        assert (seen.reachable("cloud"), seen.room("cloud")) == (False, 0)
        await clock.advance(away_s - 1)
        assert not seen.reachable("cloud")
        await clock.advance(1)
        assert seen.room("cloud") == 1
    seen.took(result(failure=AWAY, after_s=5000))
    await clock.advance(4999)
    assert not seen.reachable("cloud")
    seen.took(result(failure=ev.Failure(kind="WorkerLost", message="nobody knows")))
    assert not seen.reachable("cloud")
    seen.took(result(failure=ev.Failure(kind="ValueError", message="it answered, though badly")))
    assert (seen.reachable("cloud"), seen.room("cloud")) == (True, None)


async def test_other_sizes_are_as_reachable_as_the_node_says() -> None:
    seen = Experience(SimClock(), lambda size: size == "small")
    seen.took(result("small", failure=AWAY))
    assert seen.reachable("small")
    assert not seen.reachable("medium")
    assert (seen.room("small"), seen.room("cloud")) == (None, 0)


# --- the outbox -------------------------------------------------------------------------------------------------------


class Sent:
    def __init__(self, clock: SimClock, room: int | None = None) -> None:
        self.tasks: list[TaskId] = []
        self.room = room
        self.outbox = Outbox(self._send, clock, window=10, room=lambda size: self.room)

    async def _send(self, task: TaskId) -> bool:
        self.tasks.append(task)
        return True


def task(number: int) -> TaskId:
    return TaskId("n-1", str(number), 1)


async def test_a_size_without_room_is_looked_at_again() -> None:
    clock = SimClock()
    sent = Sent(clock, room=0)
    for number in range(3):
        sent.outbox.offer("cloud", task(number), 0)
    await clock.advance(3600)
    assert sent.tasks == []
    assert sent.outbox.load() == {"cloud": (0, 3)}
    sent.room = 1
    await clock.advance(61)
    assert sent.tasks == [task(0)]
    sent.outbox.settle("cloud", task(0), answered=True)
    await clock.advance(0)
    assert sent.tasks == [task(0), task(1)]
    sent.room = None
    await clock.advance(61)
    assert sent.tasks == [task(0), task(1), task(2)]
    await sent.outbox.close()


async def test_how_long_an_answer_would_take() -> None:
    clock = SimClock()
    sent = Sent(clock)
    assert sent.outbox.wait_s("small") == 0
    for number in range(4):
        sent.outbox.offer("small", task(number), 0)
    assert sent.outbox.wait_s("small") == 0  # no pace is known
    await clock.advance(10)
    sent.outbox.settle("small", task(0), answered=True)
    assert sent.outbox.wait_s("small") == pytest.approx(40)
    await clock.advance(5)
    sent.outbox.settle("small", task(1), answered=True)  # the pace is now 9 s
    sent.outbox.settle("small", task(2))  # taken back: that says nothing about the pace
    sent.outbox.settle("small", task(3))
    assert sent.outbox.wait_s("small") == pytest.approx(9)
    await clock.advance(1000)  # nothing to do: no time of the workers'
    sent.outbox.offer("small", task(5), 0)
    await clock.advance(9)
    sent.outbox.settle("small", task(5), answered=True)
    assert sent.outbox.wait_s("small") == pytest.approx(9)
    await sent.outbox.close()


# --- whole nodes ------------------------------------------------------------------------------------------------------


class Said(msgspec.Struct, frozen=True):
    text: str


def answer(about: str) -> Said:
    return Said(text=about.upper())


SAY = Prompt(name="say", text="Say it louder.", rules=answer)


class Saying(State):
    text: str

    async def run(self, step: Step) -> Done[Said]:
        budget = Budget(seconds=5)
        return Done(await step.ask(Said, SAY, about=self.text, sizes=("cloud",), offline="wait", budget=budget))


saying = Workflow("saying", version=1, start=Saying, result=Said)


async def test_a_task_for_the_cloud_waits_until_it_can_be_reached_also_over_a_crash() -> None:
    async with Lab(saying, SAY, sizes=("cloud",)) as lab:
        lab.away.add("cloud")
        run = await lab.start(saying, Saying(text="hello"))
        await lab.skip(timedelta(hours=1))
        await lab.crash()
        await lab.skip(timedelta(hours=1))
        assert (await lab.row(run)).status == "running"
        (passed,) = [e for e in await lab.events(run) if isinstance(e, ev.SizePassed)]
        assert (passed.size, passed.why, passed.choice) == ("cloud", "offline", "wait")
        assert lab.engine.outbox.load()["cloud"] == (0, 1)
        lab.away.clear()
        await lab.skip(timedelta(minutes=1))
        assert await lab.result(run) == Said(text="HELLO")
        assert (await lab.replay(run)).agrees


class Hurrying(State):
    async def run(self, step: Step) -> Done[Said]:
        hour = timedelta(hours=1)
        return Done(await step.ask(Said, SAY, about="hello", sizes=("cloud",), offline="wait", deadline=hour))


async def test_what_has_waited_too_long_for_the_cloud_goes_to_a_person() -> None:
    hurrying = Workflow("hurrying", version=1, start=Hurrying, result=Said)
    async with Lab(hurrying, SAY, sizes=("cloud",)) as lab:
        lab.engine.experience.took(result(seconds=900.0))
        lab.away.add("cloud")
        run = await lab.start(hurrying, Hurrying())
        await lab.skip(timedelta(minutes=50))
        assert (await lab.row(run)).status == "running"
        lab.away.clear()
        await lab.skip(timedelta(minutes=1, seconds=30))
        row = await lab.row(run)
        assert row.status == "review"
        assert "cloud, an answer would take about 900 s" in row.note
        assert (await lab.replay(run)).agrees


async def test_a_higher_priority_goes_first() -> None:
    order: list[str] = []

    def note(about: str) -> Said:
        order.append(about)
        return Said(text=about)

    prompt = Prompt(name="note", text="?", rules=note)

    class Both(State):
        async def run(self, step: Step) -> Done[Said]:
            async def one(text: str, priority: int) -> Said:
                return await step.ask(
                    Said, prompt, about=text, sizes=("cloud",), offline="wait", priority=priority, local_only=False
                )

            await step.gather(one("late", -1), one("middle", 0), one("first", 7))
            return Done(Said(text=" ".join(order)))

    both = Workflow("both", version=1, start=Both, result=Said)
    async with Lab(both, prompt, sizes=("cloud",)) as lab:
        lab.away.add("cloud")
        run = await lab.start(both, Both())
        await wait_until(lambda: lab.engine.outbox.load().get("cloud") == (0, 3))
        lab.away.clear()
        await lab.skip(timedelta(minutes=1))
        await asyncio.sleep(0)
        assert await lab.result(run) == Said(text="first middle late")


# --- what workers say -------------------------------------------------------------------------------------------------


def worker(name: str = "w", *away: str, state: str = "ready", size: str = "cloud") -> WorkerStatus:
    """One with a model for each word; those with a text cannot be reached."""
    models = tuple(ModelStatus(name=f"m{n}", backend="openai", state="ready", away=why) for n, why in enumerate(away))
    return msgspec.convert({"name": name, "size": size, "state": state, "slots": 1, "models": models}, WorkerStatus)


async def test_the_cloud_is_as_reachable_as_its_workers_say() -> None:
    clock = SimClock()
    seen = Experience(clock)
    assert seen.reachable("cloud"), "nobody has said anything yet"
    assert not seen.heard(worker("a", "no route", "no route"))
    assert (seen.reachable("cloud"), seen.reachable("small"), seen.room("cloud")) == (False, True, 0)
    assert not seen.heard(worker("b", "", "no route"))
    assert seen.reachable("cloud"), "one that reaches one is enough"
    seen.heard(worker("b", "no route", ""))
    assert not seen.heard(worker("c", "no route", size="small"))
    assert seen.heard(worker("a", "")), "it is back"


async def test_a_worker_that_is_back_ends_the_waiting() -> None:
    seen = Experience(SimClock())
    seen.took(result(failure=AWAY))
    assert not seen.heard(worker("a", "")), "this may be older than the failure"
    assert not seen.reachable("cloud")
    seen.heard(worker("a", "no route"))
    assert seen.heard(worker("a", ""))
    assert (seen.reachable("cloud"), seen.room("cloud")) == (True, None)


@pytest.mark.parametrize("state", ["starting", "loading", "warming", "draining", "broken"])
async def test_a_worker_that_is_on_its_way_says_nothing(state: str) -> None:
    clock = SimClock()
    seen = Experience(clock)
    seen.heard(worker("a", "no route", state=state))
    assert seen.reachable("cloud")
    await clock.advance(59)
    assert seen.reachable("cloud"), "it may be started anew"
    await clock.advance(2)
    assert not seen.reachable("cloud"), "it is gone"
    await clock.advance(900)
    assert seen.reachable("cloud"), "and forgotten"


async def test_what_a_silent_worker_said_does_not_count_for_long() -> None:
    clock = SimClock()
    seen = Experience(clock)
    seen.heard(worker("a", "no route"))
    await clock.advance(11)
    assert seen.reachable("cloud")
    for number in range(2000):
        seen.heard(worker(f"made up {number}", "x"))
    assert len(seen._workers) == 1000


async def test_a_task_goes_as_soon_as_a_worker_reaches_the_cloud() -> None:
    async with Lab(saying, SAY, sizes=("cloud",)) as lab:
        bus = lab.engine.bus
        assert bus is not None

        async def say(*away: str) -> None:
            status = worker("w", *away)
            await bus.notify(Message(worker_subject("cloud", "w", "alive"), encode(status)))

        await bus.notify(Message(worker_subject("cloud", "w", "alive"), b"nonsense"))
        await say("no route")
        await wait_until(lambda: not lab.engine.experience.reachable("cloud"))
        run = await lab.start(saying, Saying(text="hello"))
        await wait_until(lambda: lab.engine.outbox.load().get("cloud") == (0, 1))
        (passed,) = [e for e in await lab.events(run) if isinstance(e, ev.SizePassed)]
        assert (passed.why, passed.choice) == ("offline", "wait")
        await say("")
        assert await lab.result(run) == Said(text="HELLO"), "though no time has passed"
