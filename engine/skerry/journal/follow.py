"""Reading a journal as it grows, event by event, beside its writer: for what is made of it after the fact.

Unlike the rest of this package it blocks, and belongs to a thread of its own. It does not check what it reads:
`skerry verify` does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from skerry.core import codec
from skerry.core.events import AnyEvent
from skerry.errors import JournalCorrupt, JournalNewer, NotFound
from skerry.journal.faults import translated
from skerry.journal.reader import BUSY_S, DATABASE, read_only_uri
from skerry.journal.sealed import unsealing
from skerry.journal.sql import SQL


class Followed(NamedTuple):
    """An event as it was found; `event` is None when its body was removed or cannot be read. A long value is out."""

    seq: int
    n: int
    at_us: int
    run_key: int
    run: str
    event: AnyEvent | None


class Feed:
    """A connection of its own that only reads. Open it, and use it, in one thread."""

    def __init__(self, folder: Path) -> None:
        """Raises `NotFound` when there is no journal, `JournalError` when it cannot be read."""
        self._path = folder / DATABASE
        if not self._path.exists():
            raise NotFound(f"there is no journal in {folder}", hint="name the data folder with --data")
        with translated("opening it for reading", self._path):
            self._db = sqlite3.connect(read_only_uri(self._path), uri=True, isolation_level=None, timeout=BUSY_S)
            unsealing(self._db, folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def after(self, seq: int, limit: int) -> list[Followed]:
        """What comes after an event, as far as it is committed. Raises `JournalError`."""
        with translated("reading", self._path):
            lines = self._db.execute(SQL["follow"], {"after": seq, "limit": limit}).fetchall()
        return [
            Followed(seq, n, at_us, key, run, _event(version, body)) for seq, n, at_us, version, key, run, body in lines
        ]

    def before(self, key: int, n: int) -> Iterator[tuple[int, AnyEvent]]:
        """(time, event) of a run's events before its `n`th, without those whose bodies are gone."""
        with translated("reading", self._path):
            lines = self._db.execute(SQL["follow_before"], (key, n)).fetchall()
        for _, at_us, version, body in lines:
            event = _event(version, body)
            if event is not None:
                yield at_us, event

    def end(self) -> int:
        """The seq of the last event; 0 when there is none."""
        with translated("reading", self._path):
            found: tuple[int] = self._db.execute(SQL["follow_end"]).fetchone()
        return found[0]

    def live(self) -> dict[str, int]:
        """How many runs stand where, by status; those that have ended are left out."""
        with translated("reading", self._path):
            return dict(self._db.execute(SQL["follow_live"]).fetchall())

    def close(self) -> None:
        """Lets go of the file."""
        self._db.close()


def _event(version: int, body: bytes | None) -> AnyEvent | None:
    if body is None:
        return None
    try:
        return codec.decode(bytes(body), version=version)
    except (JournalCorrupt, JournalNewer):
        return None
