"""A journal in memory: for tests and the simulator. It keeps every promise but the disk."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from skerry.core import codec
from skerry.core.chain import GENESIS, Header, body_digest
from skerry.core.events import VERSION, kind_of
from skerry.core.projection import LIVE, RunRow, Status
from skerry.errors import Conflict, DataError, JournalError, NotFound
from skerry.ports import Append, Head, Recorded


class Line(NamedTuple):
    """An event as it is kept: header and body."""

    header: Header
    body: bytes


@dataclass
class MemoryDisk:
    """What outlives a `MemoryJournal`. Hand it to the next one: that is how a journal is opened again."""

    node: str = "memory"
    epoch: int = 1
    lines: list[Line] = field(default_factory=list[Line])
    runs: dict[str, list[Line]] = field(default_factory=dict[str, list[Line]])
    rows: dict[str, RunRow] = field(default_factory=dict[str, RunRow])
    claims: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    blobs: dict[str, bytes] = field(default_factory=dict[str, bytes])


class _Pending(NamedTuple):
    batch: Append
    lines: list[Line]
    blobs: dict[str, bytes]
    done: asyncio.Future[None]


class MemoryJournal:
    """The `Journal` port on a `MemoryDisk`.

    As on a real disk, an append is visible to readers once it is committed: one turn of the event loop later,
    together with all that was appended by then.

    Args:
        disk: What is there already; None: a new, empty one.
        entropy: Where salts come from, given a count of bytes; give a seeded one for a run that repeats itself.
    """

    def __init__(self, disk: MemoryDisk | None = None, *, entropy: Callable[[int], bytes] = os.urandom) -> None:
        self.disk = MemoryDisk() if disk is None else disk
        self._entropy = entropy
        self._header = self.disk.lines[-1].header if self.disk.lines else None
        self._last_n = {run: len(lines) for run, lines in self.disk.runs.items()}
        self._known = set(self.disk.rows)
        self._claimed = set(self.disk.claims)
        self._at_us = self._header.at_us if self._header else 0
        self._pending: list[_Pending] = []
        self._broken: JournalError | None = None
        self._fail_next: JournalError | None = None
        self._held = False

    @property
    def head(self) -> Head:
        """The end of what was appended so far."""
        seq = self._header.seq if self._header else 0
        return Head(self.disk.node, self.disk.epoch, seq, self._at_us, self._hash())

    def append(self, batch: Append) -> asyncio.Future[None]:
        """Takes its place in order at once; the future is done one turn of the event loop later.

        Raises:
            Conflict: as in the port; nothing has happened.
            DataError: a blob does not fit its name; nothing has happened.
            JournalError: this journal was broken (`break_next_commit`), crashed or closed.
        """
        if self._broken is not None:
            raise type(self._broken)(self._broken.message, hint=self._broken.hint)
        self._check(batch)
        header, lines, blobs = self._header, list[Line](), dict(batch.blobs)
        previous = self._hash()
        for n, event in enumerate(batch.events, batch.first_n):
            body, blob, data = codec.encode(event)
            if blob:
                blobs[blob] = data
            seq = header.seq + 1 if header else 1
            digest = body_digest(salt := self._entropy(16), body)
            kind = kind_of(event)
            header = Header(seq, self.disk.epoch, batch.run, n, batch.at_us, kind, VERSION, digest, previous)
            previous = header.hash()
            lines.append(Line(header, salt + body))
        if lines:
            self._header, self._at_us = header, batch.at_us
            self._last_n[batch.run] = batch.first_n - 1 + len(lines)
            self._known.add(batch.run)
        self._claimed.update((claim.scope, claim.id) for claim in batch.claims)
        loop = asyncio.get_running_loop()
        if not self._pending and not self._held:
            loop.call_soon(self._commit)
        self._pending.append(_Pending(batch, lines, blobs, done := loop.create_future()))
        return done

    @property
    def waiting(self) -> int:
        """For tests: how many appends are not durable yet."""
        return len(self._pending)

    def hold(self) -> None:
        """For tests: the disk is slow. What is appended from now on becomes durable with `let`, or `let_go`."""
        self._held = True

    def let(self, count: int = 1) -> None:
        """For tests: so many of the appends that wait become durable, the oldest first."""
        rest = self._pending[count:]
        del self._pending[count:]
        self._commit()
        self._pending = rest

    def let_go(self) -> None:
        """For tests: all that waits becomes durable, and the disk is quick again."""
        self._held = False
        self._commit()

    def break_next_commit(self, reason: str) -> None:
        """For tests: the next commit fails as if the disk were full, and this journal takes nothing more."""
        self._fail_next = JournalError(reason, hint="free some space on that disk, then start again")

    def crash(self) -> MemoryDisk:
        """For tests: the process dies. What was not committed is gone, its futures never end. Returns the disk."""
        self._pending.clear()
        self._broken = JournalError("the journal has crashed")
        return self.disk

    async def row(self, run: str) -> RunRow | None:
        """A run's row."""
        return self.disk.rows.get(run)

    async def rows(
        self, *, status: Sequence[Status] = (), workflow: str = "", limit: int = 100, before: str = ""
    ) -> list[RunRow]:
        """Rows by run id, newest first, before the run id `before`."""
        found = [
            row
            for run, row in sorted(self.disk.rows.items(), reverse=True)
            if (not before or run < before)
            and (not status or row.status in status)
            and (not workflow or row.workflow == workflow)
        ]
        return found[:limit]

    async def events(self, run: str, *, after_n: int = 0, limit: int = 100_000) -> list[Recorded]:
        """A run's events in order, values in place."""
        return [self._recorded(line) for line in self.disk.runs.get(run, [])[after_n : after_n + limit]]

    async def unfinished(self) -> AsyncIterator[tuple[RunRow, list[Recorded]]]:
        """Every `running` run with its events from the last `state.entered` on."""
        for row in list(self.disk.rows.values()):
            if row.status == "running":
                yield row, await self.events(row.run, after_n=max(row.entry_n - 1, 0))

    async def due(self, until_us: int, limit: int) -> list[tuple[int, str]]:
        """(wake_us, run) of live runs that are due until then, earliest first."""
        rows = self.disk.rows.values()
        return sorted((row.wake_us, row.run) for row in rows if row.status in LIVE and 0 < row.wake_us <= until_us)[
            :limit
        ]

    async def answer(self, scope: str, id: str) -> str | None:
        """The answer of a claim."""
        return self.disk.claims.get((scope, id))

    async def blob(self, sha256: str) -> bytes:
        """A blob's bytes. Raises `NotFound`."""
        try:
            return self.disk.blobs[sha256]
        except KeyError:
            raise NotFound(f"there is no blob {sha256}") from None

    async def close(self) -> None:
        """Waits for what was appended."""
        if self._broken is None:
            self._commit()
        self._broken = JournalError("the journal is closed")

    def _hash(self) -> bytes:
        return self._header.hash() if self._header else GENESIS

    def _check(self, batch: Append) -> None:
        run, last = batch.run, self._last_n.get(batch.run, 0)
        if batch.events and batch.at_us < self._at_us:
            raise Conflict(f"an event at {batch.at_us} us would be before the last one, at {self._at_us} us (J9)")
        if not batch.events and batch.row is not None and run not in self._known:
            raise Conflict(f"run {run} has not begun: its first row comes with its first event")
        if batch.events and batch.first_n != last + 1:
            raise Conflict(f"event {batch.first_n} of run {run!r} does not follow event {last} (J1)")
        if batch.row is not None and (batch.row.run != run or not run):
            raise Conflict(f"the row of run {batch.row.run!r} came with events of run {run!r}")
        if batch.row is None and run and run not in self._known:
            raise Conflict(f"the first append of run {run} has no row")
        new = [(claim.scope, claim.id) for claim in batch.claims]
        if len(set(new)) < len(new) or not self._claimed.isdisjoint(new):
            raise Conflict(f"an id of {new} was claimed before")
        for name, data in batch.blobs.items():
            if codec.sha256(data) != name:
                raise DataError(f"the bytes handed in as blob {name!r} do not have that SHA-256")

    def _commit(self) -> None:
        pending, self._pending = self._pending, []
        if self._fail_next is not None and pending:
            self._broken, self._fail_next = self._fail_next, None
            for each in pending:
                if not each.done.done():
                    each.done.set_exception(type(self._broken)(self._broken.message, hint=self._broken.hint))
                    each.done.exception()  # whoever does not wait for it learns of it at the next append
            return
        for batch, lines, blobs, done in pending:
            self.disk.lines += lines
            if lines:
                self.disk.runs.setdefault(batch.run, []).extend(lines)
            self.disk.blobs.update(blobs)
            self.disk.claims.update({(claim.scope, claim.id): claim.answer for claim in batch.claims})
            if batch.row is not None:
                self.disk.rows[batch.run] = batch.row
            if not done.done():
                done.set_result(None)

    def _recorded(self, line: Line) -> Recorded:
        event = codec.decode(line.body[16:], version=line.header.version)
        return Recorded(line.header, codec.restore(event, self.disk.blobs))
