"""An SQLite file of a workflow's own: private, on disk when a transaction has ended, its schema with a version."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from skerry.errors import RetryableError, Unavailable

_BUSY_TIMEOUT_S: Final = 20.0


class SqliteFile:
    """An open file, made if it is not there. Not for use by several threads; open one for each.

    Args:
        path: of the file.
        name: what it is, for people ("ledger").
        package: where `schemas` are.
        schemas: the SQL scripts that make each version of the schema of the one before; the number of the last is the
            file's `user_version`.

    Raises:
        Unavailable: it cannot be opened, or was written by a newer version.
    """

    def __init__(self, path: Path, name: str, package: str, schemas: Sequence[str]) -> None:
        self.path = path
        self._name = name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _make_private(path)
            self._db = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
            try:
                self._prepare(package, schemas)
            except BaseException:
                self._db.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(
                f"the {name} {path} cannot be opened: {error}",
                hint="check the path, its rights and the free disk space",
            ) from error

    def _prepare(self, package: str, schemas: Sequence[str]) -> None:
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        version = self._version()
        if version > len(schemas):
            raise Unavailable(
                f"the {self._name} {self.path} was made by a newer version (schema {version})",
                hint="install that version",
            )
        if version < len(schemas):
            with self._locked():
                # Asked again now that nobody else can: two processes may open a new file at once.
                for number in range(self._version(), len(schemas)):
                    script = resources.files(package).joinpath(schemas[number]).read_text(encoding="utf-8")
                    for statement in _statements(script):
                        self._db.execute(statement)
                    self._db.execute(f"PRAGMA user_version={number + 1}")

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. What was written stays written without it."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All of what is written within, or nothing; nobody else writes meanwhile.

        Raises:
            RetryableError: the disk is full, or another process holds the file for too long. Nothing was written.
        """
        try:
            with self._locked():
                yield
        except sqlite3.OperationalError as error:
            raise RetryableError(
                f"the {self._name} {self.path} could not be written: {error}", retry_after_s=1.0
            ) from error

    @contextmanager
    def _locked(self) -> Generator[None]:
        # With the lock for writing from the first: two processes cannot both look, and both find nothing.
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def _make_private(path: Path) -> None:
    """Make the file, if it is not there, for its owner only; SQLite gives the files beside it the same rights."""
    if str(path) != ":memory:":
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _statements(script: str) -> Iterator[str]:
    """The statements of an SQL script, one by one: `executescript` would end the transaction that is open."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
