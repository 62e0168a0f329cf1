"""What workflows may call: `[tools.NAME]` in skerry.toml, by the name of the task. The engine asks before each call.

    [tools.post]
    workflows = ["invoice"]     # only these may call it
    workers = ["rules"]         # and only workers of these sizes may have it ("engine": called in the engine itself)
    approval = true             # after a person has said yes to the run, since it was called last

    [tools."*"]                 # every task that is not named; without it, those may be called by all
    workflows = ["invoice", "email"]

A call that is not granted fails, with that on record; `skerry retry` makes it again when things have changed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from skerry.core import events as ev
from skerry.core.structs import Frozen
from skerry.core.wire import Size
from skerry.errors import Denied

if TYPE_CHECKING:
    from skerry.core.execution import Execution
    from skerry.core.pending import Pending
    from skerry.ports import Recorded

Place: TypeAlias = Size | Literal["engine"]
_ANY = "*"


class Tool(Frozen):
    """Who may call a task, and where it may run; none: all, and anywhere. `approval`: a person says yes first."""

    workflows: tuple[str, ...] = ()
    workers: tuple[Place, ...] = ()
    approval: bool = False


class Tools:
    """The grants of the settings. `read` gives a run's events."""

    def __init__(self, tools: Mapping[str, Tool], read: Callable[[str], Awaitable[Sequence[Recorded]]]) -> None:
        self._tools = tools
        self._read = read

    async def check(self, run: Execution, pending: Pending) -> None:
        """Raises `Denied` when a step may not be begun."""
        if pending.command.kind != "call":
            return
        name, workflow = pending.command.target, run.row.workflow
        tool = self._tools.get(name) or self._tools.get(_ANY)
        if tool is None:
            return
        where = pending.size or "engine"
        if tool.workflows and workflow not in tool.workflows:
            raise Denied(f"workflow {workflow} may not call {name}", hint=f"[tools.{name}] in the settings")
        if tool.workers and where not in tool.workers:
            raise Denied(f"{name} may not run at {where}", hint=f"[tools.{name}] in the settings")
        if tool.approval and not approved([each.event for each in await self._read(run.row.run)], name):
            hint = "let the workflow ask for it: step.wait(Decision, question=...)"
            raise Denied(f"{name} needs a person's approval, and nobody has said yes", hint=hint)


def approved(events: Sequence[ev.Event | None], name: str) -> bool:
    """Whether a person has said yes to a question of the run, since a task was last called."""
    yes: set[str] = set()
    granted = False
    for event in events:
        if isinstance(event, ev.ReviewAnswered) and event.approved:
            yes.add(event.step)
        elif isinstance(event, ev.StepCompleted) and event.kind == "wait" and event.step in yes:
            granted = True
        elif isinstance(event, ev.StepCompleted) and event.kind == "call" and event.target == name:
            granted = False
    return granted
