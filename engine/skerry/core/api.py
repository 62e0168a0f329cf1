"""What one can ask of a running engine: requests on `command.<node>.<verb>`, each answered by a `wire.Reply`.

A change is answered after its commit, and the same id gets the same answer: whoever got no answer asks again.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Raw

from skerry.core.projection import RunRow, Status
from skerry.core.structs import NOTHING, Frozen
from skerry.core.types import Blob


class Publish(Frozen, omit_defaults=True):
    """`publish`: an event, which starts every workflow that it triggers. Answer: `Started`.

    `id` is unique for its `source`; without one, every request is a new event. A file's id is its content hash.
    `file` must have been put into the blob store before.
    """

    type: str
    data: dict[str, Any] = {}
    file: Blob | None = None
    source: str = ""
    id: str = ""
    priority: int = 0
    by: str = ""


class Start(Frozen, omit_defaults=True):
    """`start`: one run of one workflow. Answer: `Started`."""

    workflow: str
    data: dict[str, Any] = {}
    file: Blob | None = None
    source: str = ""
    id: str = ""
    priority: int = 0
    by: str = ""


class Started(Frozen, omit_defaults=True):
    """The runs that an event or a `start` led to; `again` when it had been taken in before.

    `waits_for` (without runs): an engine of the same group has claimed it, is down, and begins them when it is back.
    """

    runs: tuple[str, ...]
    again: bool = False
    waits_for: str = ""


class Signal(Frozen, omit_defaults=True):
    """`signal`: input for a run. `signal` is the type's name, `value` its JSON. Answer: `Taken`."""

    run: str
    signal: str
    value: Raw = Raw(b"{}")
    key: str = ""
    id: str = ""
    by: str = ""


class Answer(Frozen, omit_defaults=True):
    """`answer`: a person's word on an open review (of `step`, where a run has several). Answer: `Taken`.

    With `approved`, the best answer is taken with `changes` put over it; objections that still stand need a `reason`.
    """

    run: str
    approved: bool
    step: str = ""
    changes: dict[str, Any] = {}
    reason: str = ""
    id: str = ""
    by: str = ""


class Audit(Frozen, omit_defaults=True):
    """`audit`: a person's word on an answer that an ended run took without one (of `step`, where it has several).

    `changes` are the fields that were wrong, as they should have been; none: all was right. Answer: `Taken`.
    """

    run: str
    step: str = ""
    changes: dict[str, Any] = {}
    reason: str = ""
    by: str = ""


class Cancel(Frozen, omit_defaults=True):
    """`cancel`: ends a run; its code may clean up, unless it is the second time or `kill` is set. Answer: `Taken`.

    With an `id`, it counts as one time however often it is asked.
    """

    run: str
    reason: str = ""
    kill: bool = False
    by: str = ""
    id: str = ""


class RetryRun(Frozen, omit_defaults=True):
    """`retry`: drives a failed or parked run again; with an `id`, once for it. Answer: `Taken`."""

    run: str
    reason: str = ""
    by: str = ""
    id: str = ""


class Taken(Frozen, omit_defaults=True):
    """A change was recorded; the run now stands so. `again` when the same id had been taken before."""

    run: str
    status: Status
    again: bool = False


class ListRuns(Frozen, omit_defaults=True):
    """`runs`: rows, newest first, before the run id `before`; a thousand at most. Answer: `Rows`."""

    status: tuple[Status, ...] = ()
    workflow: str = ""
    limit: int = 100
    before: str = ""


class Rows(Frozen):
    """Rows of runs."""

    rows: tuple[RunRow, ...]


class Show(Frozen, omit_defaults=True):
    """`show`: a run with its events after `after_n`, as many as fit a message. Answer: `Shown`.

    When there are none yet and the run has not ended, waits for them up to `wait_s` seconds (at most 20); with `end`,
    for the run's end.
    """

    run: str
    after_n: int = 0
    wait_s: float = 0.0
    end: bool = False
    limit: int = 1000


class ShownEvent(Frozen, omit_defaults=True):
    """One event: its header's place and time, and its body (none when it was removed).

    A value over 4 KiB is not in it: `blob` names it, and `blob.<node>.get` has it.
    """

    n: int
    seq: int
    at_us: int
    kind: str
    event: Raw = NOTHING


class Shown(Frozen):
    """A run's row, and events of it."""

    row: RunRow
    events: tuple[ShownEvent, ...]


class Prune(Frozen, omit_defaults=True):
    """`prune`: removes the bodies of runs that ended before `before_us`. Answer: `Pruned`."""

    before_us: int
    reason: str = ""
    by: str = ""
    limit: int = 10_000


class Pruned(Frozen):
    """How many runs, events and blobs lost their bodies."""

    runs: int
    events: int
    blobs: int


class SizeLoad(Frozen):
    """Tasks of one size: on the bus, and waiting in the journal for room there."""

    size: str
    on_bus: int
    waiting: int


class WatchStatus(Frozen, omit_defaults=True):
    """One `[watch.NAME]`: how many arrivals were taken in, were known, were refused, and when the last one came."""

    name: str
    kind: str
    event: str = ""
    state: Literal["starting", "watching", "failing", "ended"] = "starting"
    taken: int = 0
    again: int = 0
    refused: int = 0
    last_us: int = 0
    note: str = ""
    """Why it fails, or why the last refused arrival was."""


class EngineStatus(Frozen):
    """`status`: what the engine is doing."""

    node: str
    software: str
    pid: int
    started_us: int
    seq: int
    live_runs: int
    live_runs_max: int
    draining: bool
    sizes: tuple[SizeLoad, ...]
    workflows: tuple[str, ...]
    notes: tuple[str, ...] = ()
    """What needs a person's attention, in sentences."""
    watches: tuple[WatchStatus, ...] = ()
