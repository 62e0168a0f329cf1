"""A call that an engine knows it has not begun is no call of unknown outcome."""

from __future__ import annotations

from typing import Any

from skerry.core import events as ev
from skerry.core.pending import RunCall, Transition
from skerry.core.putoff import put_off
from skerry.core.step import Step
from tests.core.scripts import local, once, worker
from tests.core.support import Sim, sim_of


def _stop(sim: Sim, *steps: str) -> Transition:
    transition = Transition()
    transition.effects.extend(RunCall(step) for step in steps)
    put_off(sim.run, transition, sim.now_us + 1)
    sim.run.n += len(transition.events)
    sim.journal.append(sim.now_us, transition.events)
    sim.row = transition.row or sim.row
    return transition


def test_a_once_call_that_was_put_off_is_begun_later() -> None:
    async def body(step: Step) -> Any:
        return [*await step.gather(step.call(once, "x"), step.call(local, "x"), step.call(worker, "x"))]

    sim = sim_of(body)
    put = _stop(sim, "1-1-0-1", "1-1-1-1", "gone")
    assert [type(e) for e in put.events] == [ev.AttemptFailed]
    assert put.effects == []
    assert _stop(sim, "1-1-0-1").events == []  # it was put off before
    sim.crash()
    assert sim.run.pending["1-1-0-1"].in_flight is False
    sim.pass_time(1)
    assert sim.last.effects == [RunCall("1-1-0-1")]
    sim.complete("1-1-0-1", "a")
    sim.complete("1-1-1-1", "b")
    sim.result("1-1-2-1", "c")
    assert sim.outcome() == ["a", "b", "c"]
    assert sim.replay().agrees


def test_where_nothing_is_called_nothing_is_put_off() -> None:
    async def body(step: Step) -> Any:
        return await step.call(worker, "x")

    sim = sim_of(body)
    put = _stop(sim)
    assert (put.events, put.effects, put.row) == ([], [], None)
