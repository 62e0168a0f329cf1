"""What is known of a step that has no outcome yet, and what a transition asks the outside to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec
from msgspec import Raw

from skerry.core.answers import Objection
from skerry.core.budget import Spent
from skerry.core.commands import Command
from skerry.core.events import Event
from skerry.core.ids import TaskId
from skerry.core.projection import RunRow


class Pending(msgspec.Struct, eq=False):
    """A step without an outcome. `attempt` is the current one; `tries` counts those since it was last retried by hand.

    `in_flight`: somebody is at it (a worker, the engine, a child run). `due_us` and `retry_us` are 0 for none.
    `begun_us` is when it was scheduled.
    `review` is the question that is open to a person. `best` is the answer with the fewest objections so far, `spent`
    what all attempts have used.
    """

    command: Command
    attempt: int
    tries: int = 1
    size: str = ""
    begun_us: int = 0
    due_us: int = 0
    retry_us: int = 0
    scheduled: bool = False
    in_flight: bool = False
    review: str = ""
    best: Raw | None = None
    objections: tuple[Objection, ...] = ()
    spent: Spent = Spent()

    @property
    def wake_us(self) -> int:
        """When something is due here by itself; 0 for never."""
        if self.due_us and self.retry_us:
            return min(self.due_us, self.retry_us)
        return self.due_us or self.retry_us


def keep_best(pending: Pending, answer: Raw, objections: Sequence[Objection]) -> None:
    """Keeps an answer if it is no worse than the best so far: fitting its type counts first, then fewer objections."""
    answered = bytes(answer) != b""
    if answered and (pending.best is None or _badness(objections) <= _badness(pending.objections)):
        pending.best = answer
        pending.objections = tuple(objections)
    elif pending.best is None:
        pending.objections = tuple(objections)


def _badness(objections: Sequence[Objection]) -> tuple[bool, int]:
    return any(o.rule == "schema" for o in objections), len(objections)


class RunCall(msgspec.Struct, frozen=True):
    """Run a local task."""

    step: str


class SendTask(msgspec.Struct, frozen=True):
    """Put the current attempt on the bus, for a worker."""

    step: str


class DropTask(msgspec.Struct, frozen=True):
    """Tell the workers of a size that an attempt is no longer wanted."""

    task: TaskId
    size: str


class StartChild(msgspec.Struct, frozen=True):
    """Start the child run of a step, unless it was started already."""

    step: str


class CancelChild(msgspec.Struct, frozen=True):
    """Cancel the child run that an attempt of a step started, if it did."""

    child: TaskId


class EmitEvent(msgspec.Struct, frozen=True):
    """Publish the event of a step."""

    step: str


class RunEnded(msgspec.Struct, frozen=True):
    """The run is over, as its row says: tell its parent, and whoever waits for it."""

    row: RunRow


Effect: TypeAlias = RunCall | SendTask | DropTask | StartChild | CancelChild | EmitEvent | RunEnded


class Transition(msgspec.Struct, eq=False):
    """The events of one transition, and what may happen once they are on disk (promise J2).

    `error` is what the state's code raised, for the log: the journal has its words, not where it came from.
    """

    events: list[Event] = []
    effects: list[Effect] = []
    row: RunRow | None = None
    error: BaseException | None = None
