"""What a workflow may call: granted by name, to workflows and workers; some of it after a person has said yes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from skerry import Decision, Done, State, Step, Workflow, task
from skerry.config import load
from skerry.core import events as ev
from skerry.errors import DataError
from skerry.testing import Lab
from skerry.tools import Place, Tool, Tools, approved

done: list[str] = []


@task
def pay(to: str) -> str:
    """Pays, in the engine."""
    done.append(to)
    return to


@task(size="rules", timeout=timedelta(seconds=5))
def send(to: str) -> str:
    """Sends, at a worker."""
    done.append(to)
    return to


class Buy(State):
    """Asks whether it may, if it is told to, and then pays, so often."""

    ask: bool = False
    times: int = 1
    at_worker: bool = False

    async def run(self, step: Step) -> Done[str]:
        if self.ask:
            await step.wait(Decision, question="Pay?")  # it does not care what it is told; the grant does
        for time in range(self.times):
            await (step.call(send, f"{time}") if self.at_worker else step.call(pay, f"{time}"))
        return Done("paid")


buying = Workflow("buying", version=1, start=Buy, result=str)


async def ends(tools: dict[str, Tool], state: Buy, *, yes: bool | None = None) -> tuple[str, str, list[str]]:
    """How a run ends: its status, what failed, and what was done."""
    done.clear()
    async with Lab(buying, send) as lab:
        lab.engine.tools = Tools(tools, lab.engine.journal.events)
        run = await lab.start(buying, state)
        if yes is not None:
            await (lab.approve(run) if yes else lab.reject(run))
        row = await lab.settled(run)
        events = [each.event for each in await lab.engine.journal.events(run)]
        failed = [event.failure.kind for event in events if isinstance(event, ev.StepErred)]
        return row.status, "".join(failed), list(done)


@pytest.mark.parametrize("at_worker", [False, True])
async def test_a_call_is_granted_to_workflows_and_workers(at_worker: bool) -> None:
    name = "send" if at_worker else "pay"
    place: Place = "rules" if at_worker else "engine"
    state = Buy(at_worker=at_worker)
    for granted in (
        {},
        {name: Tool()},
        {name: Tool(workflows=("buying",), workers=(place,))},
        {"*": Tool(workflows=("buying",))},
        {"another": Tool(workflows=("x",))},
        {"*": Tool(workflows=("x",)), name: Tool()},
    ):
        assert await ends(granted, state) == ("done", "", ["0"]), granted
    for refused in (
        {name: Tool(workflows=("invoice",))},
        {name: Tool(workers=("small",))},
        {"*": Tool(workflows=("invoice",))},
        {name: Tool(approval=True)},
    ):
        assert await ends(refused, state) == ("failed", "Denied", []), refused


async def test_a_yes_is_good_for_one_call() -> None:
    needed = {"pay": Tool(approval=True)}
    assert await ends(needed, Buy(ask=True), yes=True) == ("done", "", ["0"])
    assert await ends(needed, Buy(ask=True), yes=False) == ("failed", "Denied", [])
    assert await ends(needed, Buy(ask=True, times=2), yes=True) == ("failed", "Denied", ["0"])


def test_what_counts_as_a_yes() -> None:
    yes = ev.ReviewAnswered(step="1", approved=True)
    waited = ev.StepCompleted(step="1", kind="wait", target="Decision")
    called = ev.StepCompleted(step="2", kind="call", target="pay")
    assert approved([yes, waited], "pay")
    assert approved([called, yes, waited], "pay")
    assert approved([yes, waited, called], "send")
    for events in ([], [yes], [waited], [yes, waited, called], [msgspec.structs.replace(yes, approved=False), waited]):
        assert not approved(events, "pay"), events
    asked = msgspec.structs.replace(waited, kind="ask")
    assert not approved([yes, asked], "pay"), "what a model has read and a person confirmed is no yes to a call"


def test_settings(tmp_path: Path) -> None:
    file = tmp_path / "skerry.toml"
    file.write_text('[tools.post]\nworkflows = ["invoice"]\nworkers = ["rules"]\napproval = true\n[tools."*"]\n')
    tools = load(file, environ={}).tools
    assert tools == {"post": Tool(workflows=("invoice",), workers=("rules",), approval=True), "*": Tool()}
    for wrong in ('workers = ["moon"]', "aproval = true"):
        file.write_text(f"[tools.post]\n{wrong}\n")
        with pytest.raises(DataError, match=r"tools\.post"):
            load(file, environ={})
