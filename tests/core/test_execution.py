"""What follows from each thing that happens to a run: events, effects, and where the run stands then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from skerry.core import events as ev
from skerry.core.execution import CHILD_CHECK_US, Execution
from skerry.core.fleet import Fleet
from skerry.core.ids import TaskId
from skerry.core.pending import CancelChild, DropTask, EmitEvent, RunCall, RunEnded, SendTask, StartChild
from skerry.core.projection import RunRow
from skerry.core.step import Step
from skerry.core.times import FAR_US
from skerry.errors import DataError, StepFailed, TimedOut
from tests.core.relays import First, relay
from tests.core.scripts import A, B, ChildState, child, deadline, local, once, worker
from tests.core.support import RUN, START_US, Sim, kinds, sim_of, workflow_of

# --- calls ----------------------------------------------------------------------------------------------------------


def test_a_local_call_records_its_outcome_only() -> None:
    async def body(step: Step) -> Any:
        return await step.call(local, "x")

    sim = sim_of(body)
    assert kinds(sim.last.events) == ["run.started", "state.entered"]
    assert sim.last.effects == [RunCall("1-1")]
    assert (sim.row.status, sim.row.entry_n, sim.row.state) == ("running", 2, "Only")
    sim.complete("1-1", "y")
    assert kinds(sim.last.events) == ["step.completed", "run.completed"]
    assert sim.last.effects == [RunEnded(sim.run.row)]
    assert sim.outcome() == "y"
    assert sim.row.ended_us == START_US


def test_a_task_for_a_worker_is_recorded_before_it_is_sent() -> None:
    async def body(step: Step) -> Any:
        return await step.call(worker, "x")

    sim = sim_of(body)
    (scheduled,) = sim.events(ev.StepScheduled)
    assert (scheduled.size, scheduled.attempt, bytes(scheduled.value)) == ("small", 1, b'{"text":"x"}')
    assert scheduled.due_us == START_US + 60_000_000
    assert sim.last.effects == [SendTask("1-1")]
    sim.result("1-1", "y")
    assert sim.events(ev.StepCompleted)[0].by == "w"
    assert sim.outcome() == "y"


def test_what_is_asked_for_and_given_up_at_once_was_never_there() -> None:
    async def fails() -> Any:
        raise ValueError("at once")

    async def body(step: Step) -> Any:
        try:
            await step.gather(step.call(worker, "x"), fails())
        except ValueError:
            return await step.call(local, "y")

    sim = sim_of(body)
    assert kinds(sim.last.events) == ["run.started", "state.entered"]
    assert [type(effect) for effect in sim.last.effects] == [RunCall]
    (step,) = sim.run.pending
    sim.crash()
    assert list(sim.run.pending) == [step]
    sim.complete(step, "z")
    assert sim.outcome() == "z"
    assert sim.replay().agrees


def test_a_failed_attempt_is_tried_again_until_its_policy_has_no_more() -> None:
    async def body(step: Step) -> Any:
        try:
            await step.call(worker, "x")
        except StepFailed as error:
            return [error.kind, error.attempts, error.step, str(error)]

    sim = sim_of(body)
    for attempt in (1, 2):
        sim.broken("1-1", retryable=True)
        assert (sim.row.status, sim.run.pending["1-1"].in_flight) == ("waiting", False)
        assert sim.row.wake_us == sim.run.pending["1-1"].retry_us
        sim.pass_time(10)
        assert sim.last.effects == [SendTask("1-1")]
        assert sim.run.pending["1-1"].attempt == attempt + 1
    sim.broken("1-1", retryable=True)
    assert sim.outcome() == ["ValueError", 3, "1-1", "it failed"]


def test_a_task_may_ask_for_more_time_but_not_for_ever() -> None:
    async def body(step: Step) -> Any:
        await step.call(local, "x")

    for after_s, wanted in ((30.0, START_US + 30_000_000), (1e300, FAR_US)):
        sim = sim_of(body)
        sim.fail("1-1", retryable=True, after_s=after_s)
        assert sim.run.pending["1-1"].retry_us == wanted


def test_what_is_due_is_not_tried_again_first() -> None:
    async def body(step: Step) -> Any:
        await step.call(worker, "x")

    sim = sim_of(body)
    sim.broken("1-1", retryable=True)
    sim.pass_time(60)
    assert sim.last.effects == [RunEnded(sim.run.row)]
    assert sim.failure().kind == "TimedOut"
    assert sim.failure().step == "1-1"


@pytest.mark.parametrize(("of", "size"), [(worker, "small"), (deadline, "")])
def test_a_deadline_drops_the_task(of: Any, size: str) -> None:
    async def body(step: Step) -> Any:
        await step.call(of, "x")

    sim = sim_of(body)
    assert sim.row.wake_us == START_US + 60_000_000
    sim.pass_time(60)
    assert sim.last.effects == [DropTask(TaskId(RUN, "1-1", 1), size), RunEnded(sim.run.row)]


def test_values_over_4_kib_are_blobs_and_come_back() -> None:
    async def body(step: Step) -> Any:
        answer = await step.call(worker, "x" * 10_000)
        return len(answer)

    sim = sim_of(body)
    sim.crash()
    sim.result("1-1", "y" * 9_000)
    assert sim.outcome() == 9_000
    assert all(len(body) < 1_000 for _, _, body in sim.journal.rows)
    assert len(sim.journal.blobs) == 2
    assert sim.replay().agrees


def test_a_task_that_runs_once_is_recorded_before_it_begins() -> None:
    async def body(step: Step) -> Any:
        return [*await step.gather(step.call(once, "x"), step.call(worker, "x"))]

    sim = sim_of(body)
    assert [e.step for e in sim.events(ev.StepScheduled)] == ["1-1-0-1", "1-1-1-1"]
    sim.result("1-1-1-1", "y")
    sim.crash()
    assert sim.failure().step == "1-1-0-1"
    sim.retry()
    assert sim.last.effects == [RunCall("1-1-0-1")]
    assert sim.run.pending["1-1-0-1"].attempt == 2
    sim.complete("1-1-0-1", "z")
    assert sim.outcome() == ["z", "y"]
    assert sim.replay().agrees


def test_a_once_task_whose_attempt_failed_is_of_known_outcome() -> None:
    async def body(step: Step) -> Any:
        return await step.call(once, "x")

    sim = sim_of(body)
    sim.fail("1-1", retryable=True)
    sim.crash()
    sim.pass_time(10)
    assert sim.last.effects == [RunCall("1-1")]
    sim.crash()
    assert sim.failure().kind == "OutcomeUnknown"


@pytest.mark.parametrize("tried", [False, True])
def test_on_an_adopted_node_a_once_task_runs_only_when_a_person_says_so(tried: bool) -> None:
    """The lost node may have begun it, or tried it again, after what is known here."""

    async def body(step: Step) -> Any:
        await step.call(worker, "x")
        return [*await step.gather(step.call(once, "x"), step.call(worker, "y"))]

    sim = sim_of(body)
    if tried:
        sim.result("1-1", "x")
        sim.fail("1-2-0-1", retryable=True)
    sim.fleet.adopted_us = START_US + 1
    sim.crash()
    sim.pass_time(10)
    if not tried:
        sim.result("1-1", "x")
    assert (sim.failure().kind, sim.failure().step) == ("OutcomeUnknown", "1-2-0-1")
    assert not any(isinstance(effect, RunCall) for effect in sim.last.effects)
    sim.retry()
    assert RunCall("1-2-0-1") in sim.last.effects
    sim.complete("1-2-0-1", "z")
    sim.result("1-2-1-1", "y")
    assert sim.outcome() == ["z", "y"]
    assert sim.replay().agrees


def test_what_began_on_an_adopted_node_by_itself_is_not_in_doubt() -> None:
    async def body(step: Step) -> Any:
        return await step.call(once, "x")

    workflow, fleet = workflow_of(body), Fleet()
    fleet.adopted_us = START_US
    for source, begun in (("a-folder", True), (RUN, False)):  # the lost node may have started that one, too
        row = RunRow(run=RUN, workflow="only", version=1, source=source, started_us=START_US)
        started = ev.RunStarted(workflow="only", version=1, source=source)
        _, transition = Execution.begin(workflow, started, row, workflow.encode_start(workflow.start()), fleet)
        assert (RunCall("1-1") in transition.effects) == begun, source


def test_a_worker_s_answer_of_the_wrong_type_is_a_failed_attempt() -> None:
    async def body(step: Step) -> Any:
        return await step.call(worker, "x")

    sim = sim_of(body)
    sim.result("1-1", 17)
    assert "does not fit" in sim.failure().message


# --- signals --------------------------------------------------------------------------------------------------------


def test_signals_are_taken_in_order_by_type_and_key_and_once() -> None:
    async def body(step: Step) -> Any:
        await step.call(local, "first")
        keyed = await step.wait(A, key="k")
        either = await step.wait(B, A)
        return [keyed.text, str(either), (await step.wait(A)).text]

    sim = sim_of(body)
    sim.signal("A", {"text": "one"}, id="1")
    sim.signal("A", {"text": "keyed"}, id="2", key="k")
    sim.signal("b-signal", {"type": "b-signal", "number": 3}, id="3")
    sim.signal("A", {"text": "two"}, id="4")
    sim.crash()
    sim.complete("1-1", "x")
    assert [e.signal for e in sim.events(ev.StepCompleted)] == ["", "2", "1", "4"]
    assert sim.outcome() == ["keyed", "A(text='one')", "two"]
    assert [held.id for held in sim.run.inbox] == ["3"]


def test_a_late_signal_is_taken_at_once() -> None:
    async def body(step: Step) -> Any:
        return (await step.wait(A)).text

    sim = sim_of(body)
    assert sim.row.status == "waiting"
    sim.signal("A", {"text": "late"}, id="1")
    assert kinds(sim.last.events) == ["signal.received", "step.completed", "run.completed"]
    assert sim.outcome() == "late"


def test_a_signal_that_fits_nobody_is_refused_when_somebody_waits_for_it() -> None:
    async def body(step: Step) -> Any:
        return (await step.wait(A)).text

    sim = sim_of(body)
    before = sim.run.n
    with pytest.raises(DataError, match="signal A"):
        sim.signal("A", {"text": 7}, id="1")
    with pytest.raises(DataError, match="no JSON"):
        sim.run.signal(ev.HeldSignal(id="2", signal="B", value=msgspec.Raw(b"{")), sim.now_us)
    assert (sim.run.n, sim.run.inbox, list(sim.run.pending)) == (before, [], ["1-1"])


def test_an_early_signal_that_does_not_fit_is_fenced_and_forgotten() -> None:
    async def body(step: Step) -> Any:
        await step.call(local, "x")
        first = await step.wait(A)
        await step.call(local, "x")
        return [first.text, (await step.wait(A)).text]

    sim = sim_of(body)
    sim.signal("A", {"text": 7}, id="bad")
    sim.complete("1-1", "x")
    assert kinds(sim.last.events) == ["step.completed", "result.fenced", "step.scheduled"]
    sim.crash()
    sim.signal("A", {"text": "a"}, id="2")
    sim.crash()
    sim.signal("A", {"text": "b"}, id="3")
    sim.complete("1-3", "x")
    assert sim.outcome() == ["a", "b"]
    assert len(sim.events(ev.ResultFenced)) == 1


def test_signals_in_the_inbox_come_along_into_the_next_state() -> None:
    sim = Sim(relay, First())
    sim.signal("A", {"text": "early"}, id="1")
    sim.complete("1-1", "x")
    assert [e.inbox[0].id for e in sim.events(ev.StateEntered)[1:]] == ["1", "1"]
    assert sim.row.status == "done"
    assert sim.replay().agrees


def test_a_signal_wakes_no_second_wait() -> None:
    async def body(step: Step) -> Any:
        return await step.gather(step.wait(A), step.wait(A))

    sim = sim_of(body)
    sim.signal("A", {"text": "x"}, id="1")
    assert list(sim.run.pending) == ["1-1-1-1"]


# --- waits, sleeps, timeouts ----------------------------------------------------------------------------------------


def test_a_wait_times_out() -> None:
    async def body(step: Step) -> Any:
        try:
            await step.wait(A, timeout=timedelta(days=3))
        except TimedOut as error:
            return [str(error), step.now().isoformat()]

    sim = sim_of(body)
    sim.pass_time(3 * 86_400 - 1)
    assert sim.live
    sim.crash()
    sim.pass_time(1)
    assert sim.outcome() == ["no wait outcome in time (A)", "2023-11-17T22:13:20Z".replace("Z", "+00:00")]


@pytest.mark.parametrize("early", [False, True])
def test_a_wait_of_no_length_takes_what_is_there(early: bool) -> None:
    async def body(step: Step) -> Any:
        await step.call(local, "x")
        try:
            return (await step.wait(A, timeout=timedelta(0))).text
        except TimedOut:
            return "none"

    sim = sim_of(body)
    if early:
        sim.signal("A", {"text": "early"}, id="1")
    sim.complete("1-1", "x")
    sim.pass_time(0.001)
    assert sim.outcome() == ("early" if early else "none")


def test_sleeping_and_the_time() -> None:
    async def body(step: Step) -> Any:
        await step.sleep(timedelta(seconds=10))
        await step.until(datetime(2023, 11, 15, tzinfo=UTC))
        await step.until(datetime(1999, 1, 1, tzinfo=UTC))
        return step.now().isoformat()

    sim = sim_of(body)
    sim.pass_time(9)
    assert list(sim.run.pending) == ["1-1"]
    sim.pass_time(1)
    sim.crash()
    sim.pass_time(6400)
    assert sim.outcome() == "2023-11-15T00:00:10+00:00"


@pytest.mark.parametrize(
    ("wait", "told"),
    [
        (lambda step: step.until(datetime(2023, 1, 1)), "a time without a zone"),
        (lambda step: step.wait(), "wait for nothing"),
        (lambda step: step.wait(A, A), "wait for A, A"),
        (lambda step: step.emit("two words"), "'two words' is not usable as an event's type"),
        (lambda step: step.emit("x", {"n": float("nan")}), "at $['n'], nan comes back as None"),
        (lambda step: step.call(worker, 17), "arguments of task worker"),
        (lambda step: step.start(child, First()), "workflow child v1 starts in ChildState"),
    ],
)
def test_steps_that_make_no_sense_fail_where_they_stand(wait: Any, told: str) -> None:
    sim = sim_of(lambda step: wait(step))
    assert told in sim.failure().message


def test_times_without_end_fit_a_journal() -> None:
    async def body(step: Step) -> Any:
        await step.gather(
            step.sleep(timedelta.max),
            step.wait(A, timeout=timedelta.max),
            step.until(datetime.max.replace(tzinfo=UTC)),
        )

    sim = sim_of(body)
    assert [pending.due_us for pending in sim.run.pending.values()] == [FAR_US] * 3


# --- children and events --------------------------------------------------------------------------------------------


def test_a_child_is_started_looked_for_and_cancelled() -> None:
    async def body(step: Step) -> Any:
        return (await step.start(child, ChildState(text="x"))).notes

    sim = sim_of(body)
    assert sim.last.effects == [StartChild("1-1")]
    assert sim.row.status == "waiting"
    for seconds, times in ((5, 1), (5, 2), (10, 4), (100_000, 128)):
        sim.pass_time(seconds)
        assert sim.last.effects == [StartChild("1-1")]
        sim.crash()  # when it looks again follows from how long it has waited, not from what was in memory
        assert sim.run.pending["1-1"].retry_us == sim.now_us + CHILD_CHECK_US * times
    sim.cancel()
    assert sim.last.effects == [CancelChild(TaskId(RUN, "1-1", 1)), RunEnded(sim.run.row)]


def test_a_child_s_result_and_its_end_by_cancel() -> None:
    async def body(step: Step) -> Any:
        result = await step.start(child, ChildState(text="x"))
        try:
            await step.start(child, ChildState(text="y"))
        except StepFailed as error:
            return [*result.notes, error.kind]

    sim = sim_of(body)
    with pytest.raises(DataError, match="no result type Other"):
        sim.complete("1-1", None, "Other")
    sim.complete("1-1", {"notes": ["a"]}, "Ended")
    sim.fail("1-2", "ChildCancelled")
    assert sim.outcome() == ["a", "ChildCancelled"]


def test_a_detached_child_gives_its_id_and_is_not_cancelled() -> None:
    async def body(step: Step) -> Any:
        first = await step.start(child, ChildState(text="x"), detached=True)
        await step.start(child, ChildState(text=first), detached=True)

    sim = sim_of(body)
    assert sim.row.status == "running"
    sim.complete("1-1", "n-1")
    assert bytes(sim.events(ev.StepScheduled)[1].value) == b'{"state":"ChildState","text":"n-1"}'
    sim.cancel()
    assert sim.last.effects == [RunEnded(sim.run.row)]


def test_an_event_is_recorded_then_published() -> None:
    async def body(step: Step) -> Any:
        await step.emit("invoice.posted", {"id": 1})
        await step.emit("bare")

    sim = sim_of(body)
    assert sim.last.effects == [EmitEvent("1-1")]
    sim.crash()
    sim.complete("1-1", None)
    sim.complete("1-2", None)
    assert [bytes(e.value) for e in sim.events(ev.StepScheduled)] == [b'{"id":1}', b"null"]
