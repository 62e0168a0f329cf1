"""Many appends, one commit: how events get to the disk (promises J2 and J3).

The event loop puts the jobs of one of its turns into an inbox together, in order. On aiosqlite's thread,
`GroupConnection.commit` takes whatever has gathered, writes it in one transaction, waits for the disk, tells the event
loop, and takes what has gathered meanwhile. So the busier it is, the more appends share one wait for the disk; and one
append alone waits for one. It returns when nothing has come for a moment: then the next job costs one hop through
aiosqlite, to call it again.

A turn's jobs together, not each at once: the thread would begin with the first one, and then have to wrest the
interpreter from the event loop, which has the others still to make, for each statement.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aiosqlite
import msgspec

from skerry.errors import JournalError
from skerry.journal.sql import SQL

_LINGER_S = 0.02
"""How long `commit` waits for more before it returns, in seconds."""

COLUMNS = 11
"""Of the table `events`."""

_ROWS_MAX = 128
"""Events to one INSERT statement. `sqlite3` hands the interpreter to the other thread around each statement, and may
wait 5 ms to get it back when the event loop is busy; one long statement waits once."""

_INSERT_EVENT = SQL["insert_event"]
_ONE_EVENT = _INSERT_EVENT[_INSERT_EVENT.rindex("(") :]
_INSERT_EVENTS = [_INSERT_EVENT + f",\n{_ONE_EVENT}" * (count - 1) for count in range(_ROWS_MAX + 1)]
"""The same for so many rows."""
STATEMENTS = _ROWS_MAX + 64
"""So many stay prepared: these, and the few others of the writer."""

Statement = tuple[str, Sequence[Any] | Mapping[str, Any]]
"""SQL and its values."""


class Job(msgspec.Struct, eq=False):
    """What one append writes, ready for SQL.

    `also` are further statements of the same transaction, `afterwards` is a script to run once it is committed.
    `events` holds the columns of one event after the other: seq, epoch, run_key, n, at_us, kind, version, digest,
    previous, salt, body.
    """

    done: asyncio.Future[None]
    events: list[Any]
    run: tuple[Any, ...] | None = None
    claims: Sequence[tuple[str, str, str]] = ()
    blobs: Sequence[tuple[bytes, int, int, bytes]] = ()
    also: Sequence[Statement] = ()
    afterwards: str = ""


Inbox = queue.SimpleQueue[list[Job] | None]
"""Jobs in order; None wakes `commit` so that it returns."""


class GroupConnection(sqlite3.Connection):
    """A connection whose `commit()` writes and commits what is in the inbox, until nothing more comes."""

    inbox: Inbox
    taken: list[Job]
    written: Callable[[list[Job]], object]
    closed: threading.Event
    spent_s: float
    """How long commits took, all of them together: writing, and waiting for the disk."""

    def close(self) -> None:
        """Closes the connection, and lets `closed` be seen by other threads."""
        super().close()
        self.closed.set()

    def commit(self) -> None:
        """Runs on aiosqlite's thread. What it took last is in `taken`, whether it succeeds or not."""
        self.taken = []
        while taken := self._take():
            self.taken = taken
            began = time.perf_counter()
            self._write(taken)
            self.spent_s += time.perf_counter() - began
            for job in taken:
                if job.afterwards:
                    self.executescript(job.afterwards)
            self.written(taken)

    def _take(self) -> list[Job]:
        taken: list[Job] = []
        with contextlib.suppress(queue.Empty):
            jobs = self.inbox.get(timeout=_LINGER_S)
            while jobs is not None:
                taken += jobs
                jobs = self.inbox.get_nowait()
        return taken

    def _write(self, taken: Sequence[Job]) -> None:
        events: list[Any] = []
        for job in taken:
            events += job.events
        if 0 < len(events) <= _ROWS_MAX * COLUMNS and all(map(_only_events, taken)):
            # One statement is a transaction of its own: nothing is said twice, and the interpreter is waited for once.
            self.execute(_INSERT_EVENTS[len(events) // COLUMNS], events)
            return
        self.execute("BEGIN IMMEDIATE")
        try:
            self._write_all(taken, events)
            self.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # SQLite may have rolled back by itself
                self.execute("ROLLBACK")
            raise

    def _write_all(self, taken: Sequence[Job], events: list[Any]) -> None:
        start, left = 0, len(events) // COLUMNS
        while left:
            count = min(_ROWS_MAX, left)
            end = start + count * COLUMNS
            self.execute(_INSERT_EVENTS[count], events[start:end])
            start, left = end, left - count
        # Only the last row of each run counts: the ones before it would be replaced within this transaction.
        if runs := {job.run[0]: job.run for job in taken if job.run is not None}:
            self.executemany(SQL["put_run"], runs.values())
        for job in taken:
            if job.blobs:
                self.executemany(SQL["insert_blob"], job.blobs)
            if job.claims:
                self.executemany(SQL["insert_claim"], job.claims)
            for statement, values in job.also:
                self.execute(statement, values)


def _only_events(job: Job) -> bool:
    return job.run is None and not (job.claims or job.blobs or job.also)


class GroupCommit:
    """The one writer of a journal: a queue of jobs, and the task that has them committed."""

    def __init__(
        self,
        db: aiosqlite.Connection,
        connection: GroupConnection,
        *,
        failed: Callable[[Exception], JournalError],
        committed: Callable[[list[Job]], None],
        abandoned: Callable[[], object],
    ) -> None:
        """What the journal does when a commit failed (it makes our error of SQLite's), succeeded, or never will."""
        self._loop = loop = asyncio.get_running_loop()
        self._db = db
        self._connection = connection
        self._inbox = connection.inbox
        self._failed = failed
        self._committed = committed
        self._abandoned = abandoned
        self._gathered: list[Job] = []
        self._idle: asyncio.Future[None] | None = None
        self._closing = False
        self.broken: JournalError | None = None
        self.commits = 0
        connection.written = lambda taken: loop.call_soon_threadsafe(self._settle, taken)
        self._task = asyncio.create_task(self._run(), name="skerry journal writer")
        self._task.add_done_callback(self._ended)

    def put(self, job: Job) -> None:
        """Takes a job's place in order. Its future is resolved when it is on disk, or cannot be."""
        if not self._gathered:
            self._loop.call_soon(self._hand_over)
        self._gathered.append(job)

    def _hand_over(self) -> None:
        if not self._gathered:
            return  # done already, by `close`
        gathered, self._gathered = self._gathered, []
        self._inbox.put(gathered)
        self._wake()

    def _wake(self) -> None:
        if self._idle is not None:
            self._idle.set_result(None)
            self._idle = None

    async def close(self) -> None:
        """Waits until everything in the queue was written, or has failed."""
        self._closing = True
        self._hand_over()
        self._inbox.put(None)
        self._wake()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            while not self._inbox.empty() or not self._closing:
                if self._inbox.empty():
                    self._idle = self._loop.create_future()
                    await self._idle
                await self._db.commit()
        except Exception as error:
            self._break(self._failed(error))

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            # The event loop ends and nobody has closed the journal. aiosqlite's threads would keep the process alive.
            self._break(JournalError("the journal's writer was cancelled; what it had in hand may be on disk or not"))
            self._inbox.put(None)
            self._abandoned()

    def _settle(self, taken: list[Job]) -> None:
        self.commits += 1
        self._committed(taken)
        for job in taken:
            if not job.done.done():  # it is when whoever waited was cancelled; the event stands all the same
                job.done.set_result(None)

    def _break(self, reason: JournalError) -> None:
        """Nothing that is still in hand was acknowledged, and nothing more is taken (promise J2)."""
        self.broken = reason
        for job in (*self._connection.taken, *_rest(self._inbox), *self._gathered):
            if not job.done.done():
                job.done.set_exception(again(reason))
                job.done.exception()  # whoever does not wait for it learns of it at the next append


def again(error: JournalError) -> JournalError:
    """A copy to raise: raising one object in many tasks would mix up their tracebacks."""
    copy = type(error)(error.message, hint=error.hint)
    copy.__cause__ = error.__cause__
    return copy


def _rest(inbox: Inbox) -> list[Job]:
    rest: list[Job] = []
    with contextlib.suppress(queue.Empty):
        while True:
            rest += inbox.get_nowait() or ()
    return rest
