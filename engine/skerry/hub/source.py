"""A node's journal, as its uplink reads it: beside the engine, read-only, page by page.

It blocks, and belongs to a process of its own. No look at the journal outlives a call, so the engine's log never waits
for it to be copied.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from skerry.core.chain import GENESIS, Header
from skerry.core.projection import RunRow
from skerry.errors import JournalError, NotFound
from skerry.journal.faults import translated
from skerry.journal.reader import BUSY_S, DATABASE, read_only_uri
from skerry.journal.references import references
from skerry.journal.sealed import unsealing
from skerry.journal.sql import SQL
from skerry.sync import page

_RUN_FIELDS = RunRow.__struct_fields__
_QUERY_EVENTS = 1000
"""As many as the statement reads at a time."""
_JSON_BEGINS = (b"{", b"[", b'"')
_EVENT_BYTES = 100
"""What a header counts towards a page's length."""


class Chunk(NamedTuple):
    """What goes next: a page of events up to `seq`, whose header has `hash`; and the blobs that it refers to."""

    epoch: int
    first: int
    seq: int
    hash: bytes
    data: bytes
    blobs: frozenset[str]


class Source:
    """A connection of its own. `withhold` names workflows: of their runs only headers leave this machine."""

    def __init__(self, folder: Path, *, withhold: Sequence[str] = ()) -> None:
        """Raises `NotFound` when there is no journal, `JournalError` when it cannot be read."""
        self.path = folder / DATABASE
        if not self.path.exists():
            raise NotFound(f"there is no journal in {folder}", hint="name the data folder with --data")
        self._withhold = frozenset(withhold)
        with translated("opening it for reading", self.path):
            self._db = sqlite3.connect(read_only_uri(self.path), uri=True, isolation_level=None, timeout=BUSY_S)
            unsealing(self._db, folder)
        self.node = str(self._meta("node"))
        self.adopted_by = str(self._meta("adopted_by") or "")
        """The node that writes it now, where that is not the node itself."""
        self._version = -1

    def close(self) -> None:
        """Lets go of the file."""
        self._db.close()

    @property
    def epoch(self) -> int:
        """The epoch in which the journal is written now."""
        return int(self._meta("epoch"))

    def end(self) -> int:
        """The seq of the last event."""
        return int(self._all("follow_end")[0][0])

    def changed(self) -> bool:
        """Whether somebody has written since it was asked last. It costs next to nothing."""
        with translated("reading", self.path):
            ((version,),) = self._db.execute("PRAGMA data_version").fetchall()
        before, self._version = self._version, version
        return bool(version != before)

    def hash_at(self, seq: int) -> bytes | None:
        """The hash of the header `seq`; None when there is no such event."""
        if seq == 0:
            return GENESIS
        found = self._events(seq - 1, seq)
        return Header(*found[0][:9]).hash() if found else None

    def first_after(self, epoch: int) -> int:
        """The seq of the first event of a later epoch; one after the end when there is none. Epochs only rise."""
        low, high = 1, self.end() + 1
        while low < high:
            middle = (low + high) // 2
            found = self._events(middle - 1, middle)
            if not found or found[0][1] > epoch:
                high = middle
            else:
                low = middle + 1
        return low

    def next(self, after: int) -> Chunk | None:
        """The page that comes after an event; None when there is nothing. It ends where the epoch does."""
        stored: list[Sequence[Any]] = []
        size, done = 0, False
        while not done:
            lines = self._events(after, 2**62)
            for line in lines:
                if line[9] == b"":  # the salt of what is sealed, and could not be unsealed
                    raise JournalError(f"event {line[0]} cannot be unsealed", hint="start again: the key has changed")
                if stored and line[1] != stored[0][1]:
                    done = True
                    break
                stored.append(line)
                size += _EVENT_BYTES + len(line[10] or b"")
                if len(stored) >= page.EVENTS_MAX or size >= page.BYTES_MAX:
                    done = True
                    break
            done = done or len(lines) < _QUERY_EVENTS
            after = stored[-1][0] if stored else after
        return self._chunk(stored) if stored else None

    def blob(self, sha256: str) -> bytes | None:
        """A blob's bytes; None when there is none of that name (any more)."""
        found = self._all("blob", (bytes.fromhex(sha256),))
        return bytes(found[0][0]) if found else None

    def row(self, run: str) -> RunRow | None:
        """A run's row; None when there is no such run."""
        found = self._all("run", (run,))
        return RunRow(**dict(zip(_RUN_FIELDS, found[0], strict=True))) if found else None

    def answered(self, scope: str, id: str) -> bool:
        """Whether an id was claimed."""
        return bool(self._all("answer", (scope, id)))

    def reached(self, blob: bytes) -> set[str]:
        """The names of blobs that a blob refers to, if it is JSON."""
        return references(blob) if blob[:1] in _JSON_BEGINS else set()

    # --- inside -------------------------------------------------------------------------------------------------------

    def _chunk(self, stored: Sequence[Sequence[Any]]) -> Chunk:
        names = dict.fromkeys(line[2] for line in stored if line[2])
        rows: list[RunRow] = []
        kept: set[str] = set()
        for name in names:
            row = self.row(name)
            if row is None:
                continue
            if row.workflow in self._withhold:
                kept.add(name)
                row = _bare(row)
            rows.append(row)
        if kept:
            stored = [[*line[:9], None, None] if line[2] in kept else line for line in stored]
        blobs = {name for line in stored if line[10] is not None for name in references(line[10])}
        last = stored[-1]
        return Chunk(
            epoch=last[1],
            first=stored[0][0],
            seq=last[0],
            hash=Header(*last[:9]).hash(),
            data=page.write(self.node, last[1], stored, rows),
            blobs=frozenset(blobs),
        )

    def _events(self, after: int, last: int) -> list[Any]:
        return self._all("export_events", {"after": after, "last": last})

    def _meta(self, name: str) -> Any:
        found = self._all("meta", (name,))
        return found[0][0] if found else None

    def _all(self, query: str, values: Any = ()) -> list[Any]:
        with translated("reading", self.path), closing(self._db.execute(SQL[query], values)) as cursor:
            return cursor.fetchall()


def _bare(row: RunRow) -> RunRow:
    """A row without anything that a person or a document has said."""
    told = {name: getattr(row, name) for name in ("run", "workflow", "version", "status", "entry_n", "priority")}
    times = {name: getattr(row, name) for name in ("wake_us", "started_us", "updated_us", "ended_us")}
    return RunRow(**told, **times)
