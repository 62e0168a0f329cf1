"""Journals for tests: opened, filled, tampered with."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from skerry.core.events import RunCompleted
from skerry.journal import SqliteJournal
from skerry.ports import Append
from skerry.testing.conformance.journal import LARGE, begin, started, step
from tests.journal.clock import WallClock


@asynccontextmanager
async def opened(folder: Path, node: str = "a") -> AsyncIterator[SqliteJournal]:
    """The writer of a folder's journal, closed at the end."""
    journal = await SqliteJournal.open(folder, node=node, clock=WallClock())
    try:
        yield journal
    finally:
        await journal.close()


async def fill(journal: SqliteJournal, runs: Sequence[str], *, steps: int = 5, at_us: int = 10) -> None:
    """Runs of some steps, one of them with a large value, that have come to their end at `at_us`."""
    for run in runs:
        await journal.append(begin(run, at_us=at_us))
        facts = [step(number) for number in range(steps)] + [step(steps, LARGE), RunCompleted(result="Posted")]
        row = started(run, status="done", entry_n=2, ended_us=at_us)
        await journal.append(Append(run, 3, at_us, facts, row))


def tamper(folder: Path, statement: str, *values: Any) -> None:
    """Somebody with the sqlite3 shell."""
    db = sqlite3.connect(folder / "journal.db")
    assert db.execute(statement, values).rowcount == 1, statement
    db.commit()
    db.close()


def pages_of(folder: Path, table: str) -> list[int]:
    """The leaf pages of a table or index. Needs SQLite's dbstat; the test is skipped without it."""
    db = sqlite3.connect(folder / "journal.db")
    try:
        found = db.execute("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY pageno", (table,))
        return [page for (page,) in found]
    except sqlite3.OperationalError as error:
        pytest.skip(str(error))
    finally:
        db.close()


def spoil(folder: Path, page: int) -> None:
    """A page of the disk that nothing can be read from any more."""
    with open(folder / "journal.db", "r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
