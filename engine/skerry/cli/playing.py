"""Plays the demo's parts: lets come what comes, and follows the runs until each stays where it is without a person."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from skerry.cli.exits import FAILED, Stop
from skerry.cli.parts import Coming, Part
from skerry.cli.story import in_a_line
from skerry.client.ended import RunEvent, seen
from skerry.core import events as ev
from skerry.core.projection import RunRow, Status

if TYPE_CHECKING:
    from skerry.client import Client

_POLL_S = 0.1
_PATIENCE_S = 45.0
_AT_ONCE = 3
"""Few at a time, as post comes in; a copy then comes when its original was posted."""
SETTLED: frozenset[Status] = frozenset(("done", "review", "failed", "parked", "cancelled"))
"""There a run stays without a person."""


class Shown(NamedTuple):
    """What came in, the run that it led to, why that is where it is, and the command that could answer what it asks."""

    part: Part
    name: str
    row: RunRow
    answer: str = "approve"
    why: str = ""

    @property
    def settled(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.row.status in SETTLED


async def play(client: Client, parts: Sequence[Part], tell: Callable[[list[Shown]], None]) -> list[Shown]:
    """All runs of the parts, settled; `tell` hears how they stand meanwhile. Raises `Stop` when that takes too long."""
    deadline = time.monotonic() + _PATIENCE_S
    waiting = [(part, coming) for part in parts for coming in part.comings]
    shown: dict[str, Shown] = {}
    while True:
        while waiting and sum(not each.settled for each in shown.values()) < _AT_ONCE:
            part, coming = waiting.pop(0)
            await _publish(client, part, coming, shown)
        await _follow(client, parts, shown)
        tell(list(shown.values()))
        slow = [each.name for each in shown.values() if not each.settled]
        if not waiting and not slow:
            return list(shown.values())
        if time.monotonic() > deadline:
            raise Stop(f"not finished after {_PATIENCE_S:.0f} s: {', '.join(slow)}", hint="skerry doctor", code=FAILED)
        await asyncio.sleep(_POLL_S)


async def _publish(client: Client, part: Part, coming: Coming, shown: dict[str, Shown]) -> None:
    for handle in await client.publish(coming.event, coming.data, file=coming.file):
        shown[handle.run] = Shown(part, coming.name, await handle.row(), coming.answer)


async def _follow(client: Client, parts: Sequence[Part], shown: dict[str, Shown]) -> None:
    """How the runs stand, and those that they have led to in another part: oldest first, as causes come first."""
    by_workflow = {part.workflow: part for part in parts}
    for row in reversed(await client.runs(limit=1000)):
        known, cause = shown.get(row.run), shown.get(row.source)
        if known is None:
            part = by_workflow.get(row.workflow)
            if part is None or cause is None:
                continue
            known = Shown(part, f"{cause.name} (by {cause.part.title.lower()})", row)
        elif known.row == row and known.why:
            continue
        known = known._replace(row=row)
        shown[row.run] = known._replace(why=await _why(client, known) if known.settled else "")


async def _why(client: Client, shown: Shown) -> str:
    events = [seen(each) for each in (await client.show(shown.row.run)).events]
    for each in reversed(events):
        if isinstance(each.event, ev.RunCompleted) and bytes(each.event.value):
            return shown.part.told(each.event.result, bytes(each.event.value)) + _by_model(events)
    return in_a_line(events) or shown.row.note


def _by_model(events: list[RunEvent]) -> str:
    """Which fields a model has read of what was accepted, in words."""
    for each in events:
        event = each.event
        if isinstance(event, ev.AnswerJudged) and event.choice == "accept" and event.size != "rules":
            fields = ", ".join(name.replace("_", " ") for name in event.asked) or "all of it"
            return f" (size {event.size} has read the {fields})"
    return ""
