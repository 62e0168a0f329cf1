"""What sources remember, in an SQLite file of the data folder. It may be deleted: nothing comes twice for that."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import TracebackType

from skerry.errors import Unavailable


class SqliteMemory:
    """The file, for `with`. Raises `Unavailable` when it cannot be opened."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=20.0, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS memory (watch TEXT, key TEXT, value TEXT, PRIMARY KEY (watch, key))"
            )
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(f"{path} cannot be used: {error}", hint="it is a cache: it may be removed") from error

    def __enter__(self) -> SqliteMemory:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._db.close()

    def of(self, watch: str) -> WatchMemory:
        """The part of one watch."""
        return WatchMemory(self._db, watch)


class WatchMemory:
    """What one watch remembers: a `skerry.ports.Memory`."""

    def __init__(self, db: sqlite3.Connection, watch: str) -> None:
        self._db = db
        self._watch = watch

    def get(self, key: str) -> str:
        """What was put there; empty when nothing was."""
        query = "SELECT value FROM memory WHERE watch = ? AND key = ?"
        found = self._db.execute(query, (self._watch, key)).fetchone()
        return str(found[0]) if found else ""

    def put(self, key: str, value: str) -> None:
        """Remembers it."""
        self._db.execute("INSERT OR REPLACE INTO memory VALUES (?, ?, ?)", (self._watch, key, value))
