"""What the engine needs from the outside, on one screen. Adapters implement it; `skerry.testing` has in-memory ones.

A promise named J1 to J9 is defined in docs/journal.md. Each port has one conformance suite, in
`skerry.testing.conformance`, which every adapter passes.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

import msgspec

from skerry.core.chain import Header
from skerry.core.events import AnyEvent, Event
from skerry.core.projection import RunRow, Status
from skerry.core.wire import Queue

S = TypeVar("S")


class Recorded(NamedTuple):
    """An event as it was read: its header, and its body with the value in place; None when the body was removed."""

    header: Header
    event: AnyEvent | None


class Claim(NamedTuple):
    """An id that was answered: the same `id` in the same `scope` gets the same `answer`, even after pruning."""

    scope: str
    id: str
    answer: str


class Append(msgspec.Struct, frozen=True, gc=False):
    """One atomic append: events of one run (`""`: of the node itself) with consecutive `n` from `first_n` on.

    Without events it takes no place (`first_n` does not count): a row alone stands in for the one before, blobs
    alone wait to be referred to.

    `row` replaces the run's row when it is not None; `claims` are new ids, `blobs` bytes by SHA-256 that somebody
    will refer to. All of it is on disk, or nothing.
    """

    run: str
    first_n: int
    at_us: int
    events: Sequence[Event]
    row: RunRow | None = None
    claims: Sequence[Claim] = ()
    blobs: Mapping[str, bytes] = {}


class Head(NamedTuple):
    """Where the journal ends. `epoch` is this writer's; the next event gets `seq + 1`."""

    node: str
    epoch: int
    seq: int
    at_us: int
    hash: bytes


class Journal(Protocol):
    """The append-only facts of one node. Only one process writes; it holds the data folder's lock."""

    @property
    def head(self) -> Head:
        """The end of what was appended so far (J1: no gaps, no doubles)."""
        ...

    def append(self, batch: Append) -> Awaitable[None]:
        """Takes its place in order at once; when awaited to the end it is on disk (J2, J3).

        Raises `Conflict`, at once and before anything has happened, if `(run, first_n)` is taken or leaves a gap, a
        claim's id exists, a new run comes without its row, or `at_us` is before the last one (J9). Raises
        `JournalError` if it cannot be written: then nothing of it is, and this journal takes nothing more until it
        is opened again.
        """
        ...

    async def row(self, run: str) -> RunRow | None:
        """A run's row."""
        ...

    async def rows(
        self, *, status: Sequence[Status] = (), workflow: str = "", limit: int = 100, before: str = ""
    ) -> list[RunRow]:
        """Rows by run id, newest first, before the run id `before`."""
        ...

    async def events(self, run: str, *, after_n: int = 0, limit: int = 100_000) -> list[Recorded]:
        """A run's events in order, values in place."""
        ...

    def unfinished(self) -> AsyncIterator[tuple[RunRow, list[Recorded]]]:
        """Every `running` run with its events from the last `state.entered` on, in few queries: for recovery.

        A run whose events are damaged comes without any.
        """
        ...

    async def due(self, until_us: int, limit: int) -> list[tuple[int, str]]:
        """(wake_us, run) of live runs that are due until then, earliest first."""
        ...

    async def answer(self, scope: str, id: str) -> str | None:
        """The answer of a claim."""
        ...

    async def blob(self, sha256: str) -> bytes:
        """A blob's bytes. Raises `NotFound`, or `JournalCorrupt` when they do not fit their name."""
        ...

    async def close(self) -> None:
        """Waits for what was appended, then lets go of the folder."""
        ...


class Clock(Protocol):
    """Time. The engine makes journal time from it, which never goes back (J9)."""

    def now_us(self) -> int:
        """Microseconds since 1970, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Returns after so many seconds of the monotonic clock."""
        ...

    def entropy(self, count: int) -> bytes:
        """Random bytes."""
        ...


class Message(NamedTuple):
    """A message on the bus. Subjects are made in `core.wire` and nowhere else."""

    subject: str
    data: bytes
    headers: Mapping[str, str] = {}


class Delivery(Protocol):
    """A message that was handed to us and waits for our word."""

    @property
    def message(self) -> Message:
        """What was sent."""
        ...

    @property
    def deliveries(self) -> int:
        """How often it was handed out, this time included."""
        ...

    async def ack(self) -> None:
        """Done: the bus forgets it. Returns when the bus has said so, or the connection is gone (at least once)."""
        ...

    async def working(self) -> None:
        """Still at it: the bus does not hand it to anybody else for another lease."""
        ...

    async def release(self, delay_s: float = 0.0) -> None:
        """Not done: somebody may take it again after `delay_s`."""
        ...

    async def reject(self, reason: str) -> None:
        """Never deliver it again (poison); the bus keeps a note of it."""
        ...


class DeadLetter(NamedTuple):
    """A message that is never handed out again: it was rejected, or handed out too often. `id` is the bus's own."""

    queue: Queue
    id: str
    subject: str
    reason: str
    deliveries: int


class Word(NamedTuple):
    """What is on a subject where the first one counts. `place` is the bus's own."""

    subject: str
    data: bytes
    place: int


class Starts(Protocol):
    """Where engines of a group claim what they begin: on each subject, the first word counts."""

    async def first(self, subject: str, data: bytes) -> Word:
        """Puts `data` on a subject if nothing is there; what is there then, whoever has put it.

        Raises `Unavailable` when that is not known: `data` may be there or not, so ask again.
        """
        ...

    async def replace(self, word: Word, data: bytes) -> None:
        """Puts `data` in a word's place, if that is still there. Raises `Unavailable`."""
        ...

    async def withdraw(self, word: Word) -> None:
        """Removes a word: another may be first now. Raises `Unavailable`."""
        ...

    def all(self, subjects: str) -> AsyncIterator[Word]:
        """What is on the subjects that fit (wildcards allowed), the oldest first. Raises `Unavailable`."""
        ...


Handler: TypeAlias = Callable[[Delivery], Awaitable[None]]
Responder: TypeAlias = Callable[[Message], Awaitable[bytes]]
Listener: TypeAlias = Callable[[Message], None]


class Subscription(Protocol):
    """Something that goes on until it is closed."""

    async def close(self) -> None:
        """Takes nothing more. What was already handed out stays handed out."""
        ...


class Bus(Protocol):
    """Transport: at least once, restart-tolerant, never the truth. Lost connections are mended inside."""

    async def publish(self, message: Message) -> None:
        """On the bus's disk when it returns. A subject that still holds a message is fine: it is the same task.

        Raises `Busy` when the stream is full, `Unavailable` when there is no connection or no answer: it may then
        be stored or not, so publish it again.
        """
        ...

    async def ensure(self, queue: Queue) -> None:
        """Makes the queue if it is not there. Its messages wait until somebody consumes it."""
        ...

    async def consume(self, queue: Queue, handler: Handler, *, window: int) -> Subscription:
        """Hands out the queue's messages, each to its own call of `handler`, at most `window` unsettled at a time."""
        ...

    async def dead_letters(self, queue: Queue, *, limit: int = 100) -> list[DeadLetter]:
        """The queue's dead letters that nobody has buried, oldest first."""
        ...

    async def bury(self, letter: DeadLetter) -> None:
        """Removes a dead letter for good; its subject is free again."""
        ...

    async def notify(self, message: Message) -> None:
        """To whoever listens right now; may be lost."""
        ...

    async def listen(self, subject: str, listener: Listener) -> Subscription:
        """Messages of a subject (wildcards allowed) as they pass; never blocks."""
        ...

    async def request(self, message: Message, *, timeout_s: float) -> bytes:
        """The one answer to a message. Raises `Unavailable` when nobody answers in time."""
        ...

    async def respond(self, subject: str, responder: Responder) -> Subscription:
        """Answers requests on a subject (wildcards allowed), many at a time."""
        ...

    async def close(self) -> None:
        """Sends what is under way, then disconnects."""
        ...


# --- sources ----------------------------------------------------------------------------------------------------------


class Arrival(NamedTuple):
    """Something that has come to a source, to be published as an event.

    `id` is the same whenever the source shows it again; within `source` (and an event's workflow) it is taken in once.
    `event` is what the watch's settings say, unless it is given here. `file` is the document that goes with it.
    """

    id: str
    data: Mapping[str, Any] = {}
    file: bytes | None = None
    name: str = ""
    media_type: str = "application/octet-stream"
    event: str = ""
    source: str = ""


class Memory(Protocol):
    """What a source remembers between two starts. A cache: without it everything is shown again, and known."""

    def get(self, key: str) -> str:
        """What was put there; empty when nothing was."""
        ...

    def put(self, key: str, value: str) -> None:
        """Remembers it."""
        ...


@dataclass(frozen=True)
class SourceKind(Generic[S]):
    """A kind of place that can be watched: a folder, a mailbox. Stands in a module like a workflow does.

    `name` is the `kind` in `[watch.NAME]`, whose other keys are `settings`. `arrivals` goes on for ever; it yields what
    has come, oldest first, and is only resumed when that is on disk (or was refused for good): so what it remembers
    after a `yield` was handed over. It may raise anything, and is then begun again after a while. `event` is published
    unless the settings name another. `check` says what is wrong with the settings, for `skerry doctor`.
    """

    name: str
    settings: type[S]
    arrivals: Callable[[S, Memory], AsyncGenerator[Arrival, None]]
    event: str = ""
    check: Callable[[S], str] = lambda settings: ""
