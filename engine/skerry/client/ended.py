"""What happens to a run, and how it ends, as a client sees it."""

from __future__ import annotations

from typing import NamedTuple

from skerry.client.caller import error_of
from skerry.core import api, codec
from skerry.core import events as ev
from skerry.core.events import AnyEvent
from skerry.core.projection import Status
from skerry.errors import Conflict, NondeterminismError, NotFound, SkerryError, StepFailed

STANDING: frozenset[Status] = frozenset(("done", "cancelled", "failed", "parked"))
"""Nothing more happens to such a run by itself."""
ENDS = (ev.RunCompleted, ev.RunFailed, ev.RunCancelled, ev.RunParked)


class RunEvent(NamedTuple):
    """One event of a run: its place in the run and in the node, its time, its kind; no `event` if it was removed."""

    n: int
    seq: int
    at_us: int
    kind: str
    event: AnyEvent | None


def seen(shown: api.ShownEvent) -> RunEvent:
    """An event as an engine shows it."""
    body = bytes(shown.event)
    return RunEvent(shown.n, shown.seq, shown.at_us, shown.kind, codec.decode(body) if body else None)


def ended_without(run: str, last: AnyEvent | None, asked: str) -> SkerryError:
    """Why a run has no result, as an error to raise; `asked` is why somebody wanted it cancelled."""
    if isinstance(last, ev.RunFailed):
        hint = f"skerry show {run}, then skerry retry {run}"
        failure = last.failure
        error = error_of(failure.kind, failure.message, hint)
        if type(error) is SkerryError:
            error = StepFailed(f"{failure.kind}: {failure.message}", step=failure.step, kind=failure.kind)
            error.hint = hint
        return error
    if isinstance(last, ev.RunParked):
        return NondeterminismError(last.reason, step=last.step, expected=last.expected, got=last.got)
    if isinstance(last, ev.RunCancelled):
        return Conflict(
            f"run {run} was cancelled: {last.reason or asked or 'no reason given'}", hint=f"skerry show {run}"
        )
    return NotFound(f"run {run} has no result any more", hint="its bodies were removed; see skerry show")
