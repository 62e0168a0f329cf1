"""The row that the journal keeps for each run, so that runs are found without reading their history.

It follows from the events alone: `skerry verify` folds them again and compares.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from skerry.core.structs import Frozen

Status: TypeAlias = Literal["running", "waiting", "review", "failed", "parked", "done", "cancelled"]
"""`running`: tasks or calls are under way. `waiting`: for a signal, a time or a child. `review`: for a person.
`failed`: a dead letter; `skerry retry` drives it again. `parked`: code and journal disagree.
`done` and `cancelled`: over."""

ENDED: frozenset[Status] = frozenset(("done", "cancelled"))
"""Nothing more will happen to such a run."""

LIVE: frozenset[Status] = frozenset(("running", "waiting", "review"))
"""An engine drives such a run, or will when it is due."""

STOPPED: frozenset[Status] = frozenset(("failed", "parked"))
"""Such a run waits for a person: `skerry retry` drives it again."""

OVER: frozenset[Status] = ENDED | STOPPED
"""No engine drives such a run."""


class RunRow(Frozen):
    """What `skerry runs` shows. `entry_n` is the place of the last `state.entered`: from there it is resumed.

    `wake_us` is the earliest time at which something is due, 0 for none. `note` says why it is where it is.
    """

    run: str
    workflow: str
    version: int
    status: Status = "running"
    state: str = ""
    entry_n: int = 0
    wake_us: int = 0
    parent: str = ""
    priority: int = 0
    source: str = ""
    event_id: str = ""
    started_us: int = 0
    updated_us: int = 0
    ended_us: int = 0
    note: str = ""


class Life(Frozen):
    """What a run's events alone say about its row: the part of it that `skerry verify` compares."""

    n: int = 0
    entry_n: int = 0
    end: Status | None = None

    def disagreement(self, row: RunRow) -> str:
        """What the row says otherwise, for people; empty when it fits."""
        if row.entry_n != self.entry_n:
            return f"its row says that it entered its state at event {row.entry_n}, its events say {self.entry_n}"
        if self.end is not None and row.status != self.end:
            return f"its row says {row.status}, its events say {self.end}"
        if self.end is None and row.status not in LIVE:
            return f"its row says {row.status}, its events say that it goes on"
        if (row.ended_us > 0) != (self.end in ENDED):
            return "its row and its events disagree about whether it has ended"
        return ""


_ENDS: dict[str, Status] = {
    "run.completed": "done",
    "run.cancelled": "cancelled",
    "run.failed": "failed",
    "run.parked": "parked",
}


def live_on(life: Life, n: int, kind: str) -> Life:
    """The life after the run's event `n` of a kind. Kinds stand in headers, so it works without bodies as well."""
    if kind == "state.entered":
        return Life(n=n, entry_n=n, end=None)
    if kind == "run.retried":
        return Life(n=n, entry_n=life.entry_n, end=None)
    if kind in _ENDS:
        return Life(n=n, entry_n=life.entry_n, end=_ENDS[kind])
    return Life(n=n, entry_n=life.entry_n, end=life.end)
