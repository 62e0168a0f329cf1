"""What is known of a step that has no outcome yet, and what a transition asks the outside to do."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from msgspec import Raw

from skerry.core.answers import Objection
from skerry.core.commands import Command
from skerry.core.events import Event
from skerry.core.ids import TaskId
from skerry.core.projection import RunRow


class Pending:
    """A step without an outcome. `attempt` is the current one; `tries` counts those since it was last retried by hand.

    `in_flight`: somebody is at it (a worker, the engine, a child run). `due_us` and `retry_us` are 0 for none.
    `begun_us` is when it was scheduled.
    `review` is the question that is open to a person. `best` is the answer with the fewest objections so far.
    """

    __slots__ = (
        "attempt",
        "begun_us",
        "best",
        "command",
        "due_us",
        "in_flight",
        "objections",
        "retry_us",
        "review",
        "scheduled",
        "size",
        "tries",
    )

    def __init__(self, command: Command, attempt: int) -> None:
        self.command = command
        self.attempt = attempt
        self.tries = 1
        self.size = ""
        self.begun_us = 0
        self.due_us = 0
        self.retry_us = 0
        self.scheduled = False
        self.in_flight = False
        self.review = ""
        self.best: Raw | None = None
        self.objections: tuple[Objection, ...] = ()

    @property
    def wake_us(self) -> int:
        """When something is due here by itself; 0 for never."""
        if self.due_us and self.retry_us:
            return min(self.due_us, self.retry_us)
        return self.due_us or self.retry_us


class RunCall(NamedTuple):
    """Run a local task."""

    step: str


class SendTask(NamedTuple):
    """Put the current attempt on the bus, for a worker."""

    step: str


class DropTask(NamedTuple):
    """Tell the workers of a size that an attempt is no longer wanted."""

    task: TaskId
    size: str


class StartChild(NamedTuple):
    """Start the child run of a step, unless it was started already."""

    step: str


class CancelChild(NamedTuple):
    """Cancel the child run that an attempt of a step started, if it did."""

    child: TaskId


class EmitEvent(NamedTuple):
    """Publish the event of a step."""

    step: str


class RunEnded(NamedTuple):
    """The run is over, as its row says: tell its parent, and whoever waits for it."""

    row: RunRow


Effect: TypeAlias = RunCall | SendTask | DropTask | StartChild | CancelChild | EmitEvent | RunEnded


class Transition:
    """The events of one transition, and what may happen once they are on disk (promise J2)."""

    __slots__ = ("effects", "error", "events", "row")

    def __init__(self, *events: Event) -> None:
        self.events: list[Event] = list(events)
        self.effects: list[Effect] = []
        self.row: RunRow | None = None
        self.error: BaseException | None = None
        """What the state's code raised, for the log: the journal has its words, not where it came from."""
