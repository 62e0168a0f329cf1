"""Reading a journal: beside its writer, or when there is none."""

from __future__ import annotations

import heapq
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import aiosqlite
import msgspec

from skerry.core import codec
from skerry.core.chain import GENESIS, Header, body_digest
from skerry.core.events import AnyEvent
from skerry.core.projection import RunRow, Status
from skerry.errors import JournalCorrupt, JournalError, JournalNewer, NotFound
from skerry.journal.anchor import Anchor
from skerry.journal.faults import translated
from skerry.journal.migrate import require_current
from skerry.journal.sealed import VIEWS, Seal, need_key, read_seal
from skerry.journal.sql import SQL
from skerry.ports import Head, Recorded

if TYPE_CHECKING:
    from skerry.core.recall import Placed

DATABASE = "journal.db"
BUSY_S = 10.0
"""How long SQLite waits for another connection's lock, in seconds, before it reports that the database is busy."""

_RUN_FIELDS = RunRow.__struct_fields__
_RUNS_PER_QUERY = 250
"""`unfinished` decodes so many runs at a time, so that the event loop is never blocked for more than some 10 ms."""

_EVENTS_PER_QUERY = 500
"""`histories` reads runs of so many events at a time (more is no faster); a run that has more is read alone."""

_AFTER_ALL = "\U0010ffff"
"""Comes after every run id."""

_Line = Sequence[Any]
"""seq, epoch, n, at_us, kind, version, digest, previous, salt, body."""

log = logging.getLogger("skerry.journal")


class History(NamedTuple):
    """A run's row and all its events, as `core.replay` takes them.

    There are no events when their bodies were removed (`pruned`), and when they cannot be read: `damage` says why.
    """

    row: RunRow
    events: Sequence[Placed] = ()
    pruned: bool = False
    damage: JournalError | None = None


class Reads:
    """What can be read of a journal, through one connection that only reads."""

    def __init__(self, db: aiosqlite.Connection, path: Path) -> None:
        """Internal: open a `JournalReader` or a `SqliteJournal`."""
        self._reads = db
        self.path = path

    async def read_head(self) -> Head:
        """Where the journal on disk ends."""
        node = await self._meta("node")
        epoch = await self._meta("epoch")
        last = await self._all("last_event", ())
        if not last:
            return Head(node=str(node), epoch=int(epoch), seq=0, at_us=0, hash=GENESIS)
        header = Header(*last[0])
        return Head(node=str(node), epoch=int(epoch), seq=header.seq, at_us=header.at_us, hash=header.hash())

    async def adopted_us(self) -> int:
        """When another node adopted this one, the last time; 0 when none has."""
        found = await self._all("meta", ("adopted_us",))
        return int(found[0][0]) if found else 0

    async def row(self, run: str) -> RunRow | None:
        """A run's row; None when there is no such run."""
        found = await self._all("run", (run,))
        return _row(found[0]) if found else None

    async def rows(
        self, *, status: Sequence[Status] = (), workflow: str = "", limit: int = 100, before: str = ""
    ) -> list[RunRow]:
        """Rows by run id, newest first, before the run id `before`; of these states, of this workflow."""
        common = {"workflow": workflow, "limit": limit, "before": before or _AFTER_ALL}
        if not status:
            return [_row(line) for line in await self._all("runs", common)]
        sorted_lists = [await self._all("runs_of_status", {**common, "status": each}) for each in set(status)]
        merged = heapq.merge(*sorted_lists, key=itemgetter(0), reverse=True)
        return [_row(line) for line, _ in zip(merged, range(limit), strict=False)]

    async def events(self, run: str, *, after_n: int = 0, limit: int = 100_000) -> list[Recorded]:
        """A run's events in order, values in place; of the node itself for `""`.

        Raises:
            JournalCorrupt: an event's body does not fit its header, or a blob its name.
            JournalNewer: an event is of a version that this code does not know.
        """
        lines = await self._all("events_of_run", {"run": run, "after_n": after_n, "limit": limit})
        return await self._recorded(run, lines)

    async def unfinished(self) -> AsyncIterator[tuple[RunRow, list[Recorded]]]:
        """Every `running` run with its events from the last `state.entered` on; without any, if one is damaged."""
        after_run = ""
        while rows := await self._all("unfinished_runs", {"after_run": after_run, "limit": _RUNS_PER_QUERY}):
            names = {"first_run": rows[0][1], "last_run": rows[-1][1]}
            lines = await self._all("unfinished_events", names)
            of_run = {key: [line[1:] for line in group] for key, group in groupby(lines, key=itemgetter(0))}
            for key, *fields in rows:
                row = _row(fields)
                try:
                    recorded = await self._recorded(row.run, of_run.get(key, []))
                except JournalCorrupt as error:  # one damaged run must not keep all others from going on
                    log.error("run %s cannot be taken up: %s (%s)", row.run, error.message, error.hint)
                    recorded = []
                yield row, recorded
            after_run = rows[-1][1]

    async def history(self, row: RunRow) -> History:
        """All events of the run that this row is of, however many, or what is wrong with them."""
        try:
            lines = await self._all("history_of_run", (row.run,))
        except JournalCorrupt as damage:
            return History(row, damage=damage)
        return await self._history(row, lines)

    async def histories(self) -> AsyncIterator[History]:
        """The same of every run, in the order in which they began.

        Short runs are read many at a time: the way to SQLite's thread and back costs more than what is read there.
        """
        after = 0
        while lines := await self._all("export_rows", (after,)):
            rows = {line[0]: _row(line[1:]) for line in lines}
            for keys in _bundles(rows, await self._sizes(after, lines[-1][0])):
                async for history in self._bundle({key: rows[key] for key in keys}):
                    yield history
            after = lines[-1][0]

    async def due(self, until_us: int, limit: int) -> list[tuple[int, str]]:
        """(wake_us, run) of live runs that are due until then, earliest first."""
        return [(line[0], line[1]) for line in await self._all("due", {"until_us": until_us, "limit": limit})]

    async def answer(self, scope: str, id: str) -> str | None:
        """The answer of a claim; None when nobody has claimed it."""
        found = await self._all("answer", (scope, id))
        return found[0][0] if found else None

    async def blob(self, sha256: str) -> bytes:
        """A blob's bytes.

        Raises:
            NotFound: there is none of that name; it may have been pruned.
            JournalCorrupt: they do not fit their name.
        """
        try:
            name = bytes.fromhex(sha256)
        except ValueError:
            name = b""
        found = await self._all("blob", (name,))
        if not found:
            raise NotFound(f"there is no blob {sha256}", hint="it was pruned, or the name is wrong")
        data: bytes = found[0][0]
        if codec.sha256(data) != sha256:
            raise JournalCorrupt(f"blob {sha256} is not what was written", hint="run `skerry verify`")
        return data

    # --- for exporting and pruning ------------------------------------------------------------------------------------

    async def lines(self, run: str) -> list[Any]:
        """A run's events as they are stored: header, salt and body; None where a body was removed."""
        return await self._all("export_run", {"run": run})

    async def all_events(self, last: int) -> AsyncIterator[Any]:
        """The same of all events up to the seq `last`, in the journal's order."""
        after = 0
        while lines := await self._all("export_events", {"after": after, "last": last}):
            for line in lines:
                yield line
            after = lines[-1][0]

    async def all_rows(self) -> AsyncIterator[RunRow]:
        """Every run's row, in the order in which they began."""
        after = 0
        while lines := await self._all("export_rows", (after,)):
            for _, *fields in lines:
                yield _row(fields)
            after = lines[-1][0]

    async def all_claims(self) -> list[tuple[str, str, str]]:
        """Every claim: scope, id, answer."""
        return await self._all("export_claims", ())

    async def prunable(self, before_us: int, limit: int) -> list[tuple[int, str, int]]:
        """Runs that ended before then and still have bodies: key, run, how many events."""
        return await self._all("prunable", {"before_us": before_us, "limit": limit})

    async def blob_count(self) -> int:
        """How many blobs there are."""
        return int((await self._all("blob_count", ()))[0][0])

    async def free_pages(self) -> int:
        """How many pages of the file are not in use."""
        return int((await self._all("free_pages", ()))[0][0])

    async def anchor(self) -> Anchor:
        """Where the journal on disk ends, to be kept outside: `verify` then finds a cut tail and a rewritten past."""
        head = await self.read_head()
        return Anchor(node=head.node, seq=head.seq, hash=head.hash.hex())

    # --- inside -------------------------------------------------------------------------------------------------------

    async def _sizes(self, after: int, last: int) -> Mapping[int, int]:
        """How many events runs have, by key; nothing is known when the index is damaged."""
        try:
            return dict(await self._all("history_sizes", {"after": after, "last": last}))
        except JournalCorrupt:
            return {}

    async def _bundle(self, rows: Mapping[int, RunRow]) -> AsyncIterator[History]:
        """The histories of runs whose keys follow each other."""
        try:
            lines = await self._all("history_events", {"first": min(rows), "last": max(rows)})
        except JournalCorrupt:  # whose events are damaged shows when each is read by itself
            for row in rows.values():
                yield await self.history(row)
            return
        of_run = {key: list(group) for key, group in groupby(lines, key=itemgetter(0))}
        for key, row in rows.items():
            yield await self._history(row, of_run.get(key, []))

    async def _history(self, row: RunRow, lines: Sequence[Sequence[Any]]) -> History:
        placed: list[Placed] = []
        try:
            for _, seq, n, at_us, version, digest, salt, body in lines:
                if body is not None:
                    event = _event(row.run, seq, n, version, digest, salt, body)
                    if names := codec.blobs_of(event):
                        event = codec.restore(event, await self._blobs(names))
                    placed.append((n, at_us, event))
        except (JournalCorrupt, JournalNewer) as damage:
            return History(row, damage=damage)
        return History(row, pruned=True) if len(placed) < len(lines) else History(row, placed)

    async def _recorded(self, run: str, lines: Iterable[_Line]) -> list[Recorded]:
        recorded: list[Recorded] = []
        for seq, epoch, n, at_us, kind, version, digest, previous, salt, body in lines:
            header = Header(seq, epoch, run, n, at_us, kind, version, digest, previous)
            event = None if body is None else _event(run, seq, n, version, digest, salt, body)
            if event is not None and (names := codec.blobs_of(event)):
                event = codec.restore(event, await self._blobs(names))
            recorded.append(Recorded(header, event))
        return recorded

    async def _blobs(self, names: Iterable[str]) -> Mapping[str, bytes]:
        try:
            return {name: await self.blob(name) for name in names}
        except NotFound as error:
            raise JournalCorrupt(f"{error.message}, but an event needs it", hint="run `skerry verify`") from error

    async def _meta(self, name: str) -> str | int:
        found = await self._all("meta", (name,))
        if not found:
            raise JournalCorrupt(f"{self.path} does not say its {name}", hint="restore the folder from a copy")
        value: str | int = found[0][0]
        return value

    async def _all(self, query: str, values: Any) -> list[Any]:
        with translated("reading", self.path):
            try:
                return list(await self._reads.execute_fetchall(SQL[query], values))
            except ValueError as error:  # aiosqlite's word for it
                raise JournalError("the journal is closed") from error


class JournalReader(Reads):
    """A journal's contents, read-only. Open it with `open`; close it, or use it with `async with`."""

    @classmethod
    async def open(cls, folder: Path) -> Self:
        """Opens the journal of a data folder for reading, whether or not an engine is writing in it.

        Raises:
            NotFound: there is no journal in this folder.
            JournalError: it cannot be read; `JournalNewer` and `JournalCorrupt` say why.
        """
        path = folder / DATABASE
        db = await connect_read_only(path)
        try:
            await require_current(db, path)
        except BaseException:
            await db.close()
            raise
        return cls(db, path)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Lets go of the file."""
        await self._reads.close()


async def connect_read_only(path: Path) -> aiosqlite.Connection:
    """A connection that can only read. It takes no lock that a writer would wait for.

    Raises:
        NotFound: there is no journal.
        JournalError: it cannot be read.
    """
    if not os.path.exists(path):  # noqa: ASYNC240 - one look at a local disk
        raise NotFound(f"there is no journal in {path.parent}", hint="name the data folder with --data")
    with translated("opening it for reading", path):
        db = await aiosqlite.connect(read_only_uri(path), uri=True, isolation_level=None, timeout=BUSY_S)
        try:
            await db.execute_fetchall(SQL["first_look"])
        except sqlite3.OperationalError:
            await db.close()
            if (uri := still_uri(path)) is None:
                raise
            db = await aiosqlite.connect(uri, uri=True, isolation_level=None)
        except BaseException:
            await db.close()
            raise
        try:
            await unseal_reads(db, path.parent)
        except BaseException:
            await db.close()
            raise
    return db


async def unseal_reads(db: aiosqlite.Connection, folder: Path) -> Seal | None:
    """Has a connection unseal what it reads, as `unsealing` does. Raises `JournalError`."""
    seal = read_seal(folder)
    try:
        found = list(await db.execute_fetchall(SQL["meta"], ("sealed",)))
    except sqlite3.Error:  # no journal yet, or one that is damaged: whoever reads it says so
        found = []
    need_key(seal, str(found[0][0]) if found else "", folder)
    if seal is not None:
        for name, count, function in seal.functions():
            await db.create_function(name, count, function, deterministic=True)  # pyright: ignore[reportUnknownMemberType]
        await db.executescript(VIEWS)
    return seal


def still_uri(path: Path) -> str | None:
    """How to read a journal on a read-only disk; None when it is not safe.

    SQLite cannot keep the index of its log (`-shm`) there. Where nobody can write, nothing changes while we read; and
    without a log left over there is nothing that the index would be needed for.
    """
    log = path.with_name(path.name + "-wal")
    return None if log.exists() else f"{read_only_uri(path)}&immutable=1"


def read_only_uri(path: Path) -> str:
    """The path as SQLite's URI, for reading only."""
    return f"{path.absolute().as_uri()}?mode=ro"


def _event(run: str, seq: int, n: int, version: int, digest: bytes, salt: bytes | None, body: Any) -> AnyEvent:
    """The event of a body, which must be what was written. A long value is still out, in its blob."""
    if not isinstance(body, bytes) or body_digest(salt or b"", body) != digest:
        raise JournalCorrupt(
            f"event {n} of run {run or 'the node'} (seq {seq}) is not what was written",
            hint="run `skerry verify` to see all that is damaged",
        )
    return codec.decode(body, version=version)


def _bundles(keys: Iterable[int], sizes: Mapping[int, int]) -> Iterator[list[int]]:
    """Runs to be read at once: of no more than `_EVENTS_PER_QUERY` events, unless it is one alone."""
    bundle: list[int] = []
    room = _EVENTS_PER_QUERY
    for key in keys:
        size = sizes.get(key, _EVENTS_PER_QUERY)
        if bundle and size > room:
            yield bundle
            bundle, room = [], _EVENTS_PER_QUERY
        bundle.append(key)
        room -= size
    yield bundle


def _row(fields: Iterable[Any]) -> RunRow:
    return RunRow(**dict(zip(_RUN_FIELDS, fields, strict=True)))


def row_values(row: RunRow) -> tuple[Any, ...]:
    """A row's fields in the order of the table's columns."""
    return msgspec.structs.astuple(row)
