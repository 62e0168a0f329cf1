"""Dead and parked runs that somebody retries by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from skerry.core import events as ev
from skerry.core.ids import TaskId
from skerry.core.pending import CancelChild, DropTask, RunCall, RunEnded, SendTask, StartChild
from skerry.core.recall import effective
from skerry.core.remains import remains
from skerry.core.state import Done, State
from skerry.core.step import Step
from skerry.core.workflow import Workflow
from tests.core.scripts import PROMPT, A, Answer, ChildState, child, is_good, once, worker
from tests.core.support import RUN, Sim, kinds, sim_of, workflow_of


def test_a_retry_begins_the_failed_step_again_with_a_new_attempt() -> None:
    async def body(step: Step) -> Any:
        return [*await step.gather(step.call(worker, "x"), step.call(worker, "y"), step.wait(A))]

    sim = sim_of(body)
    sim.broken("1-1-0-1")
    assert len(sim.events(ev.StepCancelled)) == 2
    sim.signal("A", {"text": "while it was dead"}, id="1")
    sim.retry()
    assert {step: p.attempt for step, p in sim.run.pending.items()} == {"1-1-0-1": 2, "1-1-1-1": 2}
    assert sim.last.effects == [SendTask("1-1-0-1"), SendTask("1-1-1-1")]
    sim.result("1-1-1-1", "late", attempt=1)
    assert kinds(sim.last.events) == ["result.fenced"]
    sim.crash()
    sim.broken("1-1-0-1")
    sim.retry()
    assert {step: p.attempt for step, p in sim.run.pending.items()} == {"1-1-0-1": 3, "1-1-1-1": 3}
    assert sim.replay().agrees


def test_a_retry_begins_the_policy_s_count_again() -> None:
    async def body(step: Step) -> Any:
        return await step.call(worker, "x")

    sim = sim_of(body)
    for expected in (3, 6):
        for _ in range(3):
            sim.broken("1-1", retryable=True)
            sim.crash() if sim.live else None
            sim.pass_time(20)
        assert sim.events(ev.StepErred)[-1].attempt == expected
        sim.retry()
    sim.crash()
    sim.result("1-1", "at last")
    assert sim.outcome() == "at last"
    assert sim.replay().agrees


async def _said(step: Step) -> str:
    return await step.call(worker, "x")


def test_a_retry_gives_deadlines_and_reviews_their_time_again() -> None:
    async def body(step: Step) -> Any:
        one, two = await step.gather(
            _said(step),
            step.ask(Answer, PROMPT, about=1, verify=(is_good,), sizes=("small",), review=timedelta(seconds=60)),
        )
        return [one, two.text]

    sim = sim_of(body)
    sim.result("1-1-1-1", {"text": "bad", "good": False})
    assert sim.run.pending["1-1-1-1"].review
    sim.pass_time(60)
    assert sim.failure().kind == "TimedOut"
    sim.retry()
    sim.pass_time(0)
    assert sim.live
    sim.crash()
    asked = sim.run.pending["1-1-1-1"]
    assert (asked.attempt, asked.size, asked.review, asked.best, asked.due_us) == (2, "small", "", None, 0)
    assert sim.run.pending["1-1-0-1"].due_us == sim.now_us + 60_000_000


def test_a_retry_of_wrong_code_drives_the_right_one() -> None:
    async def wrong(step: Step) -> Any:
        said = await step.call(worker, "x")
        raise ValueError(said)

    async def right(step: Step) -> Any:
        return await step.call(worker, "x")

    sim = sim_of(wrong)
    sim.result("1-1", "y")
    sim.workflow = workflow_of(right)
    sim.retry()
    assert sim.outcome() == "y"
    assert sim.replay().agrees


def test_a_retry_from_an_earlier_state_uses_no_number_twice() -> None:
    class Begin(State):
        async def run(self, step: Step) -> Go:
            await step.call(worker, "x")
            return Go()

    class Go(State):
        async def run(self, step: Step) -> Done[int]:
            await step.call(worker, "x")
            await step.call(worker, "y")
            return Done(1)

    workflow = Workflow("back", version=1, start=Begin, result=int, states=[Begin, Go])
    sim = Sim(workflow, Begin())
    sim.result("1-1", "x")
    sim.broken("2-1")
    sim.retry(from_n=3)
    assert sim.run.pending["1-1"].attempt == 2
    sim.result("1-1", "x")
    sim.crash()
    assert list(sim.run.pending) == ["3-1"]
    sim.result("3-1", "x")
    sim.crash()
    sim.result("3-2", "x")
    assert sim.row.status == "done"
    scheduled = [(e.step, e.attempt) for e in sim.events(ev.StepScheduled)]
    assert len(scheduled) == len(set(scheduled))
    assert sim.replay().agrees


def test_a_retry_begins_nothing_again_that_it_does_not_take_back_but_children() -> None:
    async def body(step: Step) -> Any:
        await step.gather(step.call(once, "x"), step.call(worker, "y"), step.start(child, ChildState(text="z")))

    sim = sim_of(body)
    sim.crash()
    assert sim.failure().kind == "OutcomeUnknown"
    sim.retry()
    assert {step: p.attempt for step, p in sim.run.pending.items()} == {"1-1-0-1": 2, "1-1-1-1": 1, "1-1-2-1": 2}
    assert {RunCall("1-1-0-1"), SendTask("1-1-1-1"), StartChild("1-1-2-1")} == set(sim.last.effects)
    sim.crash() if not sim.once_in_flight else None
    assert sim.replay().agrees


def test_a_run_that_dies_gives_up_what_is_under_way_for_it() -> None:
    async def body(step: Step) -> Any:
        free = step.start(child, ChildState(text="a"), detached=True)
        await step.gather(step.call(once, "x"), step.call(worker, "y"), step.start(child, ChildState(text="z")), free)

    sim = sim_of(body)
    sim.crash()
    once_, task, kid = (TaskId(RUN, f"1-1-{n}-1", 1) for n in range(3))
    given_up = [DropTask(once_, ""), DropTask(task, worker.size or ""), CancelChild(kid)]
    assert sim.last.effects == [*given_up, RunEnded(sim.run.row)]


def test_what_a_run_has_left_behind() -> None:
    def scheduled(step: str, kind: str, size: str = "", attempt: int = 1) -> ev.StepScheduled:
        return ev.StepScheduled(step=step, kind=kind, target="t", attempt=attempt, size=size)

    failure = ev.Failure(kind="x", message="x")
    events = [
        scheduled("1", "start", attempt=2),
        scheduled("2", "call", "small"),
        scheduled("3", "call"),
        scheduled("4", "start"),
        scheduled("5", "call", "small"),
        None,
        ev.StepCancelled(step="4"),
        ev.AttemptFailed(step="5", attempt=1, failure=failure),
        ev.RunParked(reason="x"),
    ]
    assert remains(RUN, events) == [CancelChild(TaskId(RUN, "1", 2)), DropTask(TaskId(RUN, "2", 1), "small")]


def test_a_run_that_dies_while_it_is_taken_up_leaves_the_rest_alone() -> None:
    async def body(step: Step) -> Any:
        await step.gather(step.call(once, "x"), step.call(once, "y"))

    sim = sim_of(body)
    sim.crash()
    assert sim.failure().step == "1-1-0-1"
    sim.retry()
    assert sim.failure().step == "1-1-1-1"
    sim.retry()
    assert sim.failure().step == "1-1-0-1"


def test_what_is_effective() -> None:
    signal = ev.SignalReceived(id="1", signal="A")
    started = ev.RunStarted(workflow="w", version=1)
    parked = ev.RunParked(reason="x", step="1-1")
    scheduled = ev.StepScheduled(step="1-1", kind="call", target="t", attempt=2)
    erred = ev.StepErred(step="1-2", kind="call", target="t", attempt=4, failure=ev.Failure(kind="x", message="x"))
    events: list[ev.AnyEvent] = [started, scheduled, erred, signal, parked]
    placed = [(n, 0, event) for n, event in enumerate(events, start=1)]
    kept, used = effective([*placed, (6, 0, ev.RunRetried(from_n=5))])
    assert (kept, used) == (placed[:4], {})
    kept, used = effective([*placed, (6, 0, ev.RunRetried(from_n=3)), (7, 0, started)])
    assert (kept, used) == ([placed[0], placed[1], placed[3], (7, 0, started)], {"1-2": 4})
