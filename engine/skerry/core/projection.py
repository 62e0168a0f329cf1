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
