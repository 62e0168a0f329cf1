"""Runs of an older version of their workflow; forks; what a replay of them sees."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from skerry.core import events as ev
from skerry.core.recall import resume
from skerry.core.replay import replay
from skerry.core.state import Done, State
from skerry.core.step import Step
from skerry.core.workflow import Workflow
from skerry.errors import DataError, StepFailed
from tests.core.scripts import local, worker
from tests.core.support import RUN, Sim, sim_of


class Old(State):
    total: int

    async def run(self, step: Step) -> Done[int]:
        await step.call(local, "x")
        return Done(self.total)


class New(State):
    euros: int
    cents: int = 0

    async def run(self, step: Step) -> Newer | Done[int]:
        await step.call(local, "x")
        return Newer(euros=self.euros) if self.cents else Done(self.euros)


class Newer(State):
    euros: int

    async def run(self, step: Step) -> Done[int]:
        await step.call(local, "y")
        return Done(self.euros)


def _up(tag: str, fields: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return "New", {"euros": fields["total"]}


def _up_again(tag: str, fields: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return tag, {**fields, "cents": 5}


v1 = Workflow("money", version=1, start=Old, result=int)
v3 = Workflow("money", version=3, start=New, result=int, upcasters={1: _up, 2: _up_again})


def test_a_run_of_an_older_version_goes_on_through_upcasters() -> None:
    sim = Sim(v1, Old(total=7))
    sim.workflow = v3
    sim.crash()
    sim.complete("1-1", "x")
    assert sim.events(ev.StateEntered)[-1].version == 3
    sim.crash()
    sim.complete("2-1", "y")
    assert sim.row.status == "done"
    assert sim.replay().agrees


def test_a_state_of_an_older_version_is_compared_as_what_it_became() -> None:
    class Start(State):
        async def run(self, step: Step) -> New | Done[int]:
            return New(euros=7)

    class OldStart(State, tag="Start"):
        async def run(self, step: Step) -> Old | Done[int]:
            return Old(total=7)

    old = Workflow("two", version=1, start=OldStart, result=int, states=[Old])

    def up(tag: str, fields: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return _up(tag, fields) if tag == "Old" else (tag, fields)

    new = Workflow("two", version=2, start=Start, result=int, states=[New], upcasters={1: up})
    sim = Sim(old, OldStart())
    assert replay(new, sim.row, sim.journal.read()).agrees


@pytest.mark.parametrize(
    ("workflow", "hint"),
    [
        (Workflow("money", version=2, start=New, result=int), "register v1 beside it, or give v2 an upcaster from 1"),
        (
            Workflow("money", version=2, start=New, result=int, upcasters={1: lambda tag, fields: (tag, fields)}),
            "keep the state, or add an upcaster",
        ),
        (
            Workflow("money", version=2, start=New, result=int, upcasters={1: lambda tag, fields: (tag, fields["x"])}),
            "mend it and `skerry retry` the run",
        ),
    ],
)
def test_a_state_that_no_longer_decodes_says_what_to_do(workflow: Workflow[Any], hint: str) -> None:
    sim = Sim(v1, Old(total=7))
    with pytest.raises(DataError) as caught:
        resume(workflow, sim.row, sim.journal.read(), sim.now_us)
    assert caught.value.hint == hint
    assert f"run {RUN}, event 2 (state.entered)" in caught.value.message


def test_a_fork_s_seed_goes_with_it() -> None:
    async def body(step: Step) -> Any:
        first = step.uuid()
        await step.call(local, str(first))
        return str(first)

    sim = sim_of(body)
    events = [
        (n, at, msgspec.structs.replace(e, seed="another") if isinstance(e, ev.StateEntered) else e)
        for n, at, e in sim.journal.read()
    ]
    forked, _ = resume(sim.workflow, sim.row, events, sim.now_us)
    assert forked.pending["1-1"].command.args != sim.run.pending["1-1"].command.args
    assert forked.seed == "another"


def test_step_failures_are_the_same_in_a_replay() -> None:
    async def body(step: Step) -> Any:
        try:
            await step.call(worker, "x")
        except StepFailed as error:
            return [str(error), error.kind, error.step, error.attempts, type(error).__name__]

    sim = sim_of(body)
    sim.broken("1-1")
    assert sim.outcome() == ["it failed", "ValueError", "1-1", 1, "StepFailed"]
    assert sim.replay().agrees
