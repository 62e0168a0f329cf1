"""How runs end, and how they go from state to state."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.core import events as ev
from skerry.core.execution import TRANSITIONS_MAX
from skerry.core.failures import ENDLESS_LOOP
from skerry.core.ids import TaskId
from skerry.core.pending import DropTask, RunCall, RunEnded
from skerry.core.state import Done, State
from skerry.core.step import Step
from skerry.core.workflow import Workflow
from skerry.errors import Cancelled, DataError, StepFailed
from tests.core.relays import First, relay
from tests.core.scripts import A, local, worker
from tests.core.support import RUN, Sim, kinds, sim_of

# --- ends -----------------------------------------------------------------------------------------------------------


def test_cancelling_throws_into_the_code_and_lets_it_clean_up() -> None:
    async def body(step: Step) -> Any:
        try:
            await step.gather(step.call(worker, "x"), step.call(local, "x"), step.wait(A))
        finally:
            await step.call(local, "cleanup")

    sim = sim_of(body)
    sim.cancel()
    assert kinds(sim.last.events) == ["cancel.requested", *["step.cancelled"] * 3]
    assert sim.last.effects == [
        DropTask(TaskId(RUN, "1-1-0-1", 1), "small"),
        DropTask(TaskId(RUN, "1-1-1-1", 1), ""),
        RunCall("1-2"),
    ]
    sim.crash()
    sim.complete("1-2", "x")
    assert sim.row.status == "cancelled"
    assert sim.replay().agrees


def test_the_second_cancel_kills() -> None:
    async def body(step: Step) -> Any:
        try:
            await step.call(worker, "x")
        finally:
            await step.call(worker, "cleanup")

    for crash in (False, True):
        sim = sim_of(body)
        sim.cancel()
        if crash:
            sim.crash()
        sim.cancel()
        assert kinds(sim.last.events) == ["cancel.requested", "step.cancelled", "run.cancelled"]
        assert sim.last.effects == [DropTask(TaskId(RUN, "1-2", 1), "small"), RunEnded(sim.run.row)]
        assert (sim.row.status, sim.row.note) == ("cancelled", "because")
        assert sim.replay().agrees


def test_killing_asks_nobody() -> None:
    async def body(step: Step) -> Any:
        try:
            await step.wait(A)
        finally:
            await step.call(worker, "cleanup")

    sim = sim_of(body)
    sim.cancel(kill=True)
    assert kinds(sim.last.events) == ["cancel.requested", "step.cancelled", "run.cancelled"]
    assert sim.replay().agrees


@pytest.mark.parametrize(("how", "status"), [("next state", "cancelled"), ("done", "done"), ("error", "failed")])
def test_code_decides_how_a_cancelled_run_ends(how: str, status: str) -> None:
    sim = Sim(relay, First(how=how))
    sim.cancel()
    assert sim.row.status == status
    assert sim.replay().agrees
    if status == "failed":
        sim.cancel()
        assert sim.row.status == "cancelled"
        assert sim.replay().agrees


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("plain"), "plain"),
        (DataError("what", hint="do this"), "what (do this)"),
        (Cancelled(), ""),
        (RuntimeError("no running event loop"), "no running event loop (await only methods"),
        (ValueError("half \ud800"), "half ?"),
        (ValueError("x" * 3_000), "x" * 2_000),
    ],
)
def test_an_error_makes_a_dead_letter_that_says_why(error: BaseException, told: str) -> None:
    async def body(step: Step) -> Any:
        raise error

    sim = sim_of(body)
    assert sim.failure().message.startswith(told)
    assert sim.failure().kind == type(error).__name__
    assert sim.row.note.startswith(f"{type(error).__name__}: {told}")
    assert sim.replay().agrees


def test_an_error_without_words_is_told_as_well() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise KeyError("x")

    async def body(step: Step) -> Any:
        raise Mute

    assert sim_of(body).failure().message == "its message cannot be had: KeyError"


def test_a_forgotten_await_gives_a_hint() -> None:
    made: list[Any] = []

    def forget(step: Step) -> Any:
        made.append(step.call(local, "x"))
        return made[-1]

    async def used(step: Step) -> Any:
        return forget(step).upper()

    async def handed_on(step: Step) -> Any:
        return forget(step)

    async def given(step: Step) -> Any:
        await step.call(local, forget(step))

    for body in (used, handed_on, given):
        assert sim_of(body).failure().message.endswith("(is an `await` missing?)")
    for coroutine in made:
        coroutine.close()


def test_the_step_behind_an_error_is_named_through_others() -> None:
    async def body(step: Step) -> Any:
        try:
            await step.call(local, "x")
        except StepFailed as error:
            raise ValueError("cannot go on") from error

    sim = sim_of(body)
    sim.fail("1-1")
    assert (sim.failure().kind, sim.failure().step) == ("ValueError", "1-1")


def test_errors_that_turn_in_a_circle_name_no_step() -> None:
    async def body(step: Step) -> Any:
        one, two = ValueError("one"), ValueError("two")
        one.__cause__, two.__cause__ = two, one
        raise one

    assert sim_of(body).failure().step == ""


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Done(7), "a result of type int was not declared"),
        (Done({1}), "a result of type set was not declared"),
        (float("nan"), "at $.value, nan comes back as None"),
        ((1, 2), "at $.value, (1, 2) comes back as [1, 2]"),
    ],
)
def test_a_result_that_does_not_fit_is_named(value: Any, told: str) -> None:
    async def body(step: Step) -> Any:
        return value

    sim = sim_of(body)
    assert told in sim.failure().message
    assert sim.replay().agrees


# --- from state to state --------------------------------------------------------------------------------------------


def test_several_states_in_one_transition() -> None:
    sim = Sim(relay, First())
    sim.complete("1-1", "x")
    assert kinds(sim.last.events) == ["step.completed", "state.entered", "state.entered", "step.scheduled"]
    assert (sim.row.state, sim.row.entry_n, list(sim.run.pending)) == ("Third", 5, ["3-1"])
    sim.crash()
    sim.signal("A", {"text": "x"}, id="1")
    assert sim.row.status == "done"
    assert sim.replay().agrees


def test_a_state_must_return_a_state() -> None:
    sim = Sim(relay, First(how="wrong"))
    sim.complete("1-1", "x")
    assert sim.failure().message == "state First returned 17 (return a state, or Done(result))"
    assert sim.replay().agrees


class Endless(State):
    async def run(self, step: Step) -> Endless | Done[int]:
        return Endless()


def test_states_that_turn_in_a_circle_are_stopped() -> None:
    sim = Sim(Workflow("endless", version=1, start=Endless, result=int), Endless())
    assert sim.failure().kind == ENDLESS_LOOP
    assert len(sim.events(ev.StateEntered)) == TRANSITIONS_MAX + 1
    assert sim.replay().agrees
