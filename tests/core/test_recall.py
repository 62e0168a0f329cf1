"""After a restart, in a replay and after a retry by hand: what code and journal say to each other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from skerry.core import events as ev
from skerry.core.pending import SendTask
from skerry.core.recall import resume
from skerry.core.replay import replay
from skerry.core.state import Done, State
from skerry.core.step import Step
from skerry.core.workflow import Workflow
from skerry.errors import Cancelled, NondeterminismError
from tests.core.relays import First, relay
from tests.core.scripts import A, local, worker
from tests.core.support import RUN, Body, Sim, sim_of, workflow_of


async def _as_recorded(step: Step) -> Any:
    first = await step.call(worker, "x")
    await step.sleep(timedelta(seconds=1))
    return [first, (await step.wait(A)).text]


def recorded() -> Sim:
    sim = sim_of(_as_recorded)
    sim.result("1-1", "y")
    sim.pass_time(1)
    sim.signal("A", {"text": "z"}, id="1")
    assert sim.outcome() == ["y", "z"]
    return sim


async def _renamed(step: Step) -> Any:
    return await step.call(local, "x")


async def _another_kind(step: Step) -> Any:
    await step.wait(A)


async def _reordered(step: Step) -> Any:
    await step.sleep(timedelta(seconds=1))
    return await step.call(worker, "x")


async def _one_more(step: Step) -> Any:
    await _as_recorded(step)
    await step.call(local, "more")


async def _one_less(step: Step) -> Any:
    await step.call(worker, "x")


async def _another_result(step: Step) -> Any:
    return [*await _as_recorded(step), "more"]


async def _an_error(step: Step) -> Any:
    await _as_recorded(step)
    raise ValueError("new")


async def _gathered(step: Step) -> Any:
    await step.each([step.call(worker, "x")])


@pytest.mark.parametrize(
    ("code", "step", "expected", "got"),
    [
        (_renamed, "1-1", "call worker", "call local"),
        (_another_kind, "1-1", "call worker", "wait A"),
        (_reordered, "1-1", "call worker", "sleep"),
        (_one_more, "", "the end with Outcome", "more steps"),
        (_one_less, "1-2", "sleep", "the end with Outcome"),
        (_another_result, "", 'the result Outcome {"value":["y","z"]}', 'Outcome {"value":["y","z","more"]}'),
        (_an_error, "", "the end with Outcome", "ValueError: new"),
        (_gathered, "1-1", "call worker", "call worker (step 1-1-0-1)"),
    ],
)
def test_other_code_is_a_mismatch_that_names_the_place(code: Body, step: str, expected: str, got: str) -> None:
    sim = recorded()
    sim.workflow = workflow_of(code)
    found = sim.replay()
    assert not found.agrees
    told = (found.expected, found.got)
    assert told == (expected, got)
    assert found.problem.startswith(f"run {RUN}, state entry 1 (only)")
    assert not step or f" step {step}:" in found.problem
    assert all(text in found.problem for text in told)


def test_a_resume_under_other_code_says_so() -> None:
    sim = sim_of(_as_recorded)
    with pytest.raises(NondeterminismError) as caught:
        resume(workflow_of(_renamed), sim.row, sim.journal.read(), sim.now_us)
    assert (caught.value.step, caught.value.expected, caught.value.got) == ("1-1", "call worker", "call local")
    assert "bring back the code" in caught.value.hint


def _edited(sim: Sim, which: type[ev.Event], change: Mapping[str, Any]) -> list[Any]:
    return [
        (n, at_us, msgspec.structs.replace(e, **change) if type(e) is which else e)
        for n, at_us, e in sim.journal.read()
    ]


@pytest.mark.parametrize(
    ("kind", "change", "told"),
    [
        (ev.StepCompleted, {"value": Raw(b"7")}, "event 4 (step.completed): return value of task worker"),
        (
            ev.StepCompleted,
            {"target": "other"},
            "step 1-1: the journal has call other, the code comes with call",
        ),
        (ev.StepScheduled, {"kind": "ask"}, "step 1-1: the journal has ask worker, the code comes with call worker"),
        (ev.RunCompleted, {"value": Raw(b'{"value":1}')}, 'the journal has the result Outcome {"value":1}'),
        (ev.RunCompleted, {"result": "Other"}, "the journal has the result Other"),
        (ev.StateEntered, {"state": "Gone"}, "event 2 (state.entered): workflow only v1 has no state Gone"),
        (ev.StateEntered, {"value": Raw(b'{"state":"Only","x":1}')}, "event 2 (state.entered)"),
    ],
)
def test_an_edited_event_is_found(kind: type[ev.Event], change: Mapping[str, Any], told: str) -> None:
    sim = recorded()
    found = replay(sim.workflow, sim.row, _edited(sim, kind, change))
    assert not found.agrees
    assert told in found.problem


def test_an_edited_outcome_shows_in_what_follows() -> None:
    sim = recorded()
    events = [
        (n, at, msgspec.structs.replace(e, value=Raw(b'"edited"')) if n == 4 else e) for n, at, e in sim.journal.read()
    ]
    assert "edited" in replay(sim.workflow, sim.row, events).got


@pytest.mark.parametrize("index", range(3, 9))
def test_a_missing_event_is_found(index: int) -> None:
    sim = recorded()
    events = sim.journal.read()
    assert [ev.kind_of(e) for _, _, e in events][2:] == [
        "step.scheduled",
        "step.completed",
        "step.scheduled",
        "step.completed",
        "step.scheduled",
        "signal.received",
        "step.completed",
        "run.completed",
    ]
    del events[index]
    unseen = index in (4, 6, 7)  # nothing follows from a timer or a signal until its outcome is there
    assert replay(sim.workflow, sim.row, events).agrees is unseen


class Onwards(State):
    async def run(self, step: Step) -> Here | There:
        return Here()


class Here(State):
    number: int = 1

    async def run(self, step: Step) -> Done[int]:
        return Done(1)


class There(State):
    async def run(self, step: Step) -> Done[int]:
        return Done(1)


onwards = Workflow("onwards", version=1, start=Onwards, result=int)


@pytest.mark.parametrize(
    ("change", "expected", "got"),
    [
        ({"state": "There", "value": Raw(b'{"state":"There"}')}, "state There next", "state Here next"),
        ({"value": Raw(b'{"state":"Here","number":2}')}, "state Here with", "the same with"),
    ],
)
def test_another_next_state_is_a_mismatch(change: Mapping[str, Any], expected: str, got: str) -> None:
    sim = Sim(onwards, Onwards())
    events = sim.journal.read()
    events[2] = (3, events[2][1], msgspec.structs.replace(events[2][2], **change))
    found = replay(onwards, sim.row, events)
    assert found.expected.startswith(expected)
    assert found.got.startswith(got)


def test_a_state_that_comes_while_the_code_still_has_steps_is_a_mismatch() -> None:
    sim = Sim(relay, First())
    events = sim.journal.read()
    entered = ev.StateEntered(entry=2, state="Second", value=Raw(b'{"state":"Second"}'))
    found = replay(relay, sim.row, [*events, (3, 0, entered)])
    assert (found.expected, found.got) == ("state Second next", "more steps")


def test_a_failure_must_be_the_one_that_is_recorded() -> None:
    async def wrong(step: Step) -> Any:
        raise ValueError("x")

    async def differently(step: Step) -> Any:
        raise KeyError("x")

    async def unfit(step: Step) -> Any:
        return float("nan")

    async def mended(step: Step) -> Any:
        return 1

    async def stepping(step: Step) -> Any:
        await step.call(local, "x")

    for before, now, got in (
        (wrong, differently, "KeyError: 'x'"),
        (wrong, mended, "the end with Outcome"),
        (wrong, stepping, "more steps"),
        (unfit, mended, "the end with Outcome"),
        (unfit, wrong, "ValueError: x"),
    ):
        sim = sim_of(before)
        assert sim.replay().agrees
        sim.workflow = workflow_of(now)
        assert sim.replay().got == got


def test_a_failure_between_states_must_be_the_one_that_is_recorded() -> None:
    sim = Sim(relay, First())
    failed = ev.RunFailed(failure=ev.Failure(kind="DataError", message="x"))
    sim.complete("1-1", "x")
    found = replay(relay, sim.row, [*sim.journal.read()[:3], (4, 0, failed)])
    assert (found.expected, found.got) == ("to fail with DataError", "state Second next")


def test_a_cancelled_end_must_be_one() -> None:
    async def cancelled(step: Step) -> Any:
        await step.call(local, "x")

    async def swallows(step: Step) -> Any:
        try:
            await step.call(local, "x")
        except Cancelled:
            return 1

    sim = sim_of(cancelled)
    sim.cancel()
    assert sim.replay().agrees
    sim.workflow = workflow_of(swallows)
    assert (sim.replay().expected, sim.replay().got) == ("a cancelled end", "the end with Outcome")
    sim = sim_of(swallows)
    sim.cancel()
    assert sim.outcome() == 1
    sim.workflow = workflow_of(cancelled)
    assert sim.replay().got == "a cancelled end"


@pytest.mark.parametrize(("step", "got"), [("1-1", "a step that goes on"), ("1-7", "no such step")])
def test_a_step_that_was_cancelled_must_be_given_up(step: str, got: str) -> None:
    sim = sim_of(_as_recorded)
    found = replay(sim.workflow, sim.row, [*sim.journal.read(), (4, 0, ev.StepCancelled(step=step))])
    assert (found.expected, found.got) == ("a cancelled step", got)


def test_events_of_steps_that_are_gone_are_passed_over() -> None:
    sim = recorded()
    fault = ev.Failure(kind="x", message="x")
    late: list[ev.AnyEvent] = [
        ev.AttemptFailed(step="1-1", attempt=1, failure=fault),
        ev.AnswerJudged(step="1-1", attempt=1, size="small", choice="review"),
        ev.ReviewOpened(step="1-1", question="?"),
        ev.BodiesRemoved(of=RUN, events=1),
    ]
    events = [*sim.journal.read(), *((11 + n, 0, event) for n, event in enumerate(late))]
    assert replay(sim.workflow, sim.row, events).agrees
    assert replay(sim.workflow, sim.row, [(11, 0, late[0])]).agrees


# --- drift ----------------------------------------------------------------------------------------------------------


def test_other_arguments_are_drift_and_the_recorded_outcome_stands() -> None:
    async def reworded(step: Step) -> Any:
        first = await step.call(worker, "other words")
        await step.sleep(timedelta(seconds=2))
        return [first, (await step.wait(A)).text]

    sim = recorded()
    sim.workflow = workflow_of(reworded)
    found = sim.replay()
    assert found.agrees
    assert [(drift.step, drift.expected != drift.got) for drift in found.drifts] == [("1-1", True), ("1-2", True)]


def test_drift_is_recorded_once_for_each_rewording() -> None:
    sim = sim_of(_as_recorded)
    for words, noted in (("x", 0), ("y", 1), ("y", 1), ("z", 2), ("z", 2)):

        async def reworded(step: Step, words: str = words) -> Any:
            return await step.call(worker, words)

        sim.workflow = workflow_of(reworded)
        _, transition = resume(sim.workflow, sim.row, sim.journal.read(), sim.now_us)
        sim.journal.append(sim.now_us, transition.events)
        assert len(sim.events(ev.DriftNoticed)) == noted
        assert transition.effects == [SendTask("1-1")]


def test_another_key_of_a_wait_is_drift() -> None:
    async def keyed(step: Step) -> Any:
        await step.wait(A, key="k")

    sim = sim_of(keyed)
    sim.workflow = workflow_of(lambda step: step.wait(A, key="l"))
    assert len(sim.replay().drifts) == 1
