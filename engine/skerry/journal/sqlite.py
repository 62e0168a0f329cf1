"""The journal of a node, in SQLite. The hot path is `SqliteJournal.append`; read it from top to bottom."""

from __future__ import annotations

import asyncio
import os
import queue
import re
import socket
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import aiosqlite

from skerry.core import codec
from skerry.core.chain import body_digest, header_hash
from skerry.core.codec import encode, encode_small
from skerry.core.events import VERSION, NodeAdopted, kind_of
from skerry.core.ids import check_token
from skerry.errors import Conflict, DataError, JournalError
from skerry.journal.faults import translate, translated
from skerry.journal.groupcommit import COLUMNS, STATEMENTS, GroupCommit, GroupConnection, Job, Statement, again
from skerry.journal.lock import FolderLock
from skerry.journal.log import LOG_BYTES, prepare_log
from skerry.journal.migrate import migrate
from skerry.journal.places import Places
from skerry.journal.reader import BUSY_S, DATABASE, JournalReader, Reads, connect_read_only, row_values, unseal_reads
from skerry.journal.sealed import Seal
from skerry.journal.sql import SQL
from skerry.ports import Append, Clock, Head

_PATIENCE_S = 5.0
"""So long, in seconds, an event loop that ends without closing its journal waits for the last commit."""

_SALT_BYTES = 16
_SALTS_AT_ONCE = 64
_BLOB_BYTES_MAX = 512 * 1024 * 1024
"""SQLite's own bound is 1 GB for a whole row."""

_PRAGMAS = (
    # Returned to the disk in steps after pruning; must be set before the first table is made.
    "PRAGMA auto_vacuum = INCREMENTAL",
    # Readers and the writer do not wait for each other, and a commit is one append to one file.
    "PRAGMA journal_mode = WAL",
    # A commit returns when the disk has it: J2.
    "PRAGMA synchronous = FULL",
    # After so many pages (4 MiB) a commit also copies the log into the database, and the log starts over in the same
    # file (see `prepare_log`), unless a reader still needs it; a log that grew beyond 64 MiB is cut back to that.
    f"PRAGMA wal_autocheckpoint = {LOG_BYTES // 4096}",
    "PRAGMA journal_size_limit = 67108864",
    # What pruning removes is overwritten, not only forgotten.
    "PRAGMA secure_delete = ON",
)


class SqliteJournal(Reads):
    """The facts of one node, and their only writer. Open it with `open`."""

    def __init__(
        self,
        reads: aiosqlite.Connection,
        path: Path,
        *,
        lock: FolderLock,
        writes: aiosqlite.Connection,
        connection: GroupConnection,
        clock: Clock,
        head: Head,
        places: Places,
        seal: Seal | None,
    ) -> None:
        """Internal: use `open`."""
        super().__init__(reads, path)
        self._seal = seal
        self._lock = lock
        self._writes = writes
        self._connection = connection
        self.clock = clock
        self._node = head.node
        self._epoch = head.epoch
        self._seq = head.seq
        self._at_us = head.at_us
        self._hash = head.hash
        self._places = places
        self._salts: list[bytes] = []
        self._closed = False
        self._refuses = False  # closed, or broken: looked at on every append
        self._loop = asyncio.get_running_loop()
        self._writer = GroupCommit(
            writes, connection, failed=self._failed, committed=places.committed, abandoned=self._abandon
        )

    @classmethod
    async def open(cls, folder: Path, *, node: str = "", clock: Clock) -> Self:
        """Opens the journal of a data folder for writing, and makes both where they do not exist yet.

        Args:
            folder: The data folder. It is made with mode 0700, the journal in it with 0600.
            node: This node's name, for a new journal; empty: made from the host's name. It is kept for ever.
            clock: Where random salts come from.

        Raises:
            JournalLocked: another process writes there; says who.
            Conflict: the journal is another node's.
            JournalError: it cannot be read or written; `JournalNewer` and `JournalCorrupt` say why.
        """
        path = folder / DATABASE
        with translated("opening it", path):
            os.makedirs(folder, mode=0o700, exist_ok=True)
            lock = FolderLock(folder)
        try:
            return await cls._open(path, lock, node, clock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    async def _open(cls, path: Path, lock: FolderLock, node: str, clock: Clock) -> Self:
        with translated("opening it", path):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite itself would make it readable for all
            prepare_log(path)
            writes, connection = await _connect(path)
        try:
            with translated("opening it", path):
                for pragma in _PRAGMAS:
                    await writes.execute_fetchall(pragma)
                await migrate(writes, path)
                await _settle_node(writes, path, node)
                seal = await unseal_reads(writes, path.parent)
                if seal is not None:
                    await writes.execute_fetchall(SQL["put_meta"], ("sealed", seal.current))
            reads = await connect_read_only(path)
            try:
                head = await Reads(reads, path).read_head()
                places = Places(path)
            except BaseException:
                await reads.close()
                raise
        except BaseException:
            await writes.close()
            raise
        return cls(
            reads,
            path,
            lock=lock,
            writes=writes,
            connection=connection,
            clock=clock,
            head=head,
            places=places,
            seal=seal,
        )

    @staticmethod
    async def read_only(folder: Path) -> JournalReader:
        """The same as `JournalReader.open`: for commands that only look, beside a running engine."""
        return await JournalReader.open(folder)

    @property
    def head(self) -> Head:
        """The end of what was appended so far, on disk or on its way (J1)."""
        return Head(self._node, self._epoch, self._seq, self._at_us, self._hash)

    # All facts go through here.
    def append(self, batch: Append, *, also: Sequence[Statement] = ()) -> asyncio.Future[None]:
        """Gives the events their place in order, now; the future is done when they are on disk (J1, J2, J3).

        A cancelled wait does not take the events back. `also` is for this package: what else the transaction does.

        Raises:
            Conflict: `(run, first_n)` is taken or leaves a gap, a claim's id exists, time would go back (J9), or the
                first append of a run has no row. Nothing has happened.
            DataError: a blob does not fit its name, or is too large. Nothing has happened.
            JournalError: this journal cannot be written any more. (Or, from the future: it could not be, and nothing
                of this append was acknowledged.)
        """
        if self._refuses:
            raise self._refusal()
        run, n, at_us, events, row, claims = (
            batch.run, batch.first_n, batch.at_us, batch.events, batch.row, batch.claims
        )  # fmt: skip
        if events and at_us < self._at_us:
            raise Conflict(f"an event at {at_us} us would be before the last one, at {self._at_us} us (J9)")
        key = self._places.check(run, n if events else None, row, claims)
        blob_lines = [_blob_line(name, data, at_us) for name, data in batch.blobs.items()] if batch.blobs else []

        # Nothing is changed up to the end of this loop, so that an event that cannot be encoded leaves no trace.
        seq, epoch, previous, salts = self._seq, self._epoch, self._hash, self._salts
        lines: list[Any] = []
        for event in events:
            body = encode_small(event)
            if body is None:
                body, blob, data = encode(event)
                if blob:
                    blob_lines.append((bytes.fromhex(blob), len(data), at_us, data))
            salt = salts.pop() if salts else self._fresh_salt()
            digest = body_digest(salt, body)
            kind = kind_of(event)
            seq += 1
            # `sqlite3` binds a bytearray at once; for bytes it looks for an adapter first: that costs more than a copy.
            lines += (seq, epoch, key, n, at_us, kind, VERSION)
            lines += (bytearray(digest), bytearray(previous), bytearray(salt), bytearray(body))
            previous = header_hash((seq, epoch, run, n, at_us, kind, VERSION, digest, previous))
            n += 1

        if lines:
            self._seq, self._at_us, self._hash = seq, at_us, previous
            self._places.take(run, key, n - 1, seq)
        if claims:
            self._places.claim(claims)
        done = self._loop.create_future()
        run_line = None if row is None else (key, *row_values(row))
        if self._seal is not None:
            run_line, blob_lines = self._sealed(self._seal, lines, run_line, blob_lines)
        self._writer.put(Job(done, lines, run_line, claims, blob_lines, also))
        return done

    async def raise_epoch(self) -> int:
        """Raises the epoch of all events to come: after a restore from a copy, or an adoption (J1). Returns it."""
        self._epoch += 1
        await self.change([(SQL["put_meta"], ("epoch", self._epoch))])
        return self._epoch

    async def adopted(self, epoch: int, event: NodeAdopted, at_us: int) -> None:
        """Begins an epoch with the event that says who goes on with this journal now (J1)."""
        self._epoch = epoch
        notes = (("epoch", epoch), ("adopted_us", at_us), ("adopted_by", event.by))
        also = [(SQL["put_meta"], note) for note in notes]
        await self.append(Append("", self.last_n("") + 1, at_us, (event,)), also=also)

    def change(self, statements: Sequence[Statement] = (), *, afterwards: str = "") -> asyncio.Future[None]:
        """For this package: something that is no fact (J4), in order with the appends.

        `afterwards` is a script that runs outside the transaction, when that was committed.

        Raises:
            JournalError: as `append` does.
        """
        if self._refuses:
            raise self._refusal()
        done = self._loop.create_future()
        self._writer.put(Job(done, [], also=statements, afterwards=afterwards))
        return done

    def commits(self) -> tuple[int, float]:
        """How many commits there were since it was opened, and how many seconds they took together."""
        return self._writer.commits, self._connection.spent_s

    def last_n(self, run: str) -> int:
        """The place of a run's last event (of the node's own for ""), on disk or on its way; 0 when there is none."""
        return self._places.last_n(run)

    async def close(self) -> None:
        """Waits for what was appended, then lets go of the folder. Does nothing the second time."""
        if self._closed:
            return
        self._closed = self._refuses = True
        await self._writer.close()
        self._places.close()
        try:
            await self._reads.close()
            await self._writes.close()
        except sqlite3.Error as error:
            # SQLite copies its log into the database when it closes. If it cannot, the log stays and is read at the
            # next opening; whoever waits for an append that failed has been told already.
            if self._writer.broken is None:
                raise self._failed(error) from error
        finally:
            self._lock.release()

    @staticmethod
    def _sealed(
        seal: Seal, lines: list[Any], run_line: tuple[Any, ...] | None, blob_lines: list[tuple[bytes, int, int, bytes]]
    ) -> tuple[tuple[Any, ...] | None, list[tuple[bytes, int, int, bytes]]]:
        """What goes to the disk, sealed: events in place, a run's note (its last column), blobs."""
        seal.events(lines, COLUMNS)
        run = None if run_line is None else (*run_line[:-1], seal.note(run_line[-1]))
        return run, [(name, size, at_us, seal.seal(data)) for name, size, at_us, data in blob_lines]

    def _fresh_salt(self) -> bytes:
        pool = self.clock.entropy(_SALT_BYTES * _SALTS_AT_ONCE)
        self._salts += [pool[at : at + _SALT_BYTES] for at in range(0, len(pool), _SALT_BYTES)]
        return self._salts.pop()

    def _failed(self, error: Exception) -> JournalError:
        self._refuses = True
        found = translate(error, "writing; nothing of this append was acknowledged", self.path)
        found.__cause__ = error
        return found

    def _abandon(self) -> None:
        self._closed = self._refuses = True
        for db in (self._reads, self._writes):
            # In a thread without an event loop, or aiosqlite would tell this one, which is about to close.
            stop = threading.Thread(target=db.stop)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
            stop.start()
            stop.join()
        self._connection.closed.wait(_PATIENCE_S)

    def _refusal(self) -> JournalError:
        return again(self._writer.broken) if self._writer.broken is not None else JournalError("the journal is closed")


async def _connect(path: Path) -> tuple[aiosqlite.Connection, GroupConnection]:
    """The writing connection: aiosqlite's, and the one of ours inside it, made by `sqlite3.connect(factory=...)`."""
    made: list[GroupConnection] = []

    def factory(*arguments: Any, **options: Any) -> GroupConnection:
        connection = GroupConnection(*arguments, **options)
        connection.inbox = queue.SimpleQueue()
        connection.taken = []
        connection.closed = threading.Event()
        connection.spent_s = 0.0
        made.append(connection)
        return connection

    # isolation_level=None: we say BEGIN and COMMIT ourselves.
    db = await aiosqlite.connect(
        path, factory=factory, isolation_level=None, timeout=BUSY_S, cached_statements=STATEMENTS
    )
    return db, made[0]


async def _settle_node(db: aiosqlite.Connection, path: Path, node: str) -> None:
    """Gives a new journal its node's name and first epoch; checks the name of an old one."""
    found = list(await db.execute_fetchall(SQL["meta"], ("node",)))
    if found:
        if node and node != found[0][0]:
            raise Conflict(
                f"{path} is the journal of node {found[0][0]}, not of {node}",
                hint="a node keeps its name for ever; leave the name out, or use another data folder",
            )
        return
    name = check_token("the node's name", node or default_node_name(socket.gethostname()))
    await db.execute_fetchall("BEGIN IMMEDIATE")
    await db.execute_fetchall(SQL["put_meta"], ("node", name))
    await db.execute_fetchall(SQL["put_meta"], ("epoch", 1))
    await db.execute_fetchall("COMMIT")


def default_node_name(hostname: str) -> str:
    """A short token from a host's name: its first label, in lower case, at most 24 characters."""
    token = re.sub(r"[^a-z0-9]+", "-", hostname.lower().partition(".")[0]).strip("-")
    return token[:24].strip("-") or "node"


def _blob_line(name: str, data: bytes, at_us: int) -> tuple[bytes, int, int, bytes]:
    if len(data) > _BLOB_BYTES_MAX:
        raise DataError(f"a blob of {len(data):,} bytes is too large; the journal takes up to {_BLOB_BYTES_MAX:,}")
    if codec.sha256(data) != name:
        raise DataError(f"the bytes handed in as blob {name!r} do not have that SHA-256")
    return (bytes.fromhex(name), len(data), at_us, data)
