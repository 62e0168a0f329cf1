"""What a run that failed or was parked has left behind: children and tasks that may still be under way."""

from __future__ import annotations

from collections.abc import Iterable

from skerry.core import events as ev
from skerry.core.ids import TaskId
from skerry.core.pending import CancelChild, DropTask


def remains(run: str, events: Iterable[ev.AnyEvent | None]) -> list[CancelChild | DropTask]:
    """What is to be done about them when the run is cancelled; given its events from its last state entry on."""
    open: dict[str, ev.StepScheduled] = {}
    for event in events:
        if isinstance(event, ev.StepScheduled):
            open[event.step] = event
        elif isinstance(event, ev.StepCompleted | ev.StepErred | ev.StepCancelled | ev.AttemptFailed | ev.ReviewOpened):
            open.pop(event.step, None)
    effects: list[CancelChild | DropTask] = []
    for step, scheduled in open.items():
        attempt = TaskId(run, step, scheduled.attempt)
        if scheduled.kind == "start":
            effects.append(CancelChild(attempt))
        elif scheduled.size:
            effects.append(DropTask(attempt, scheduled.size))
    return effects
