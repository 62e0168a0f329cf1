"""The data folder: who may read it, who writes in it, whose it is, which version it has."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from skerry.core.codec import sha256
from skerry.errors import Conflict, DataError, JournalError, JournalLocked, JournalNewer, NotFound
from skerry.journal import JournalReader, SqliteJournal, verify
from skerry.journal.lock import FolderLock, holder
from skerry.journal.migrate import migrations
from skerry.journal.sql import SQL, parse
from skerry.journal.sqlite import default_node_name
from skerry.ports import Append
from skerry.testing.conformance.journal import begin, step
from tests.journal.clock import WallClock
from tests.journal.files import fill, opened
from tests.journal.test_crash import start
from tests.tidy.sources import ROOT


async def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    data = tmp_path / "deep" / "data"
    async with opened(data) as journal:
        await journal.append(begin("a-1"))
        modes = {path.name: path.stat().st_mode & 0o777 for path in data.iterdir()}
    assert data.stat().st_mode & 0o777 == 0o700
    assert set(modes.values()) == {0o600}
    assert {"journal.db", "journal.db-wal", "journal.lock"} <= set(modes)


async def test_a_node_keeps_its_name(tmp_path: Path) -> None:
    async with opened(tmp_path, node="edge-7") as journal:
        assert journal.head.node == "edge-7"
    async with opened(tmp_path, node="") as journal:
        assert journal.head.node == "edge-7"
    with pytest.raises(Conflict, match="edge-7"):
        await SqliteJournal.open(tmp_path, node="other", clock=WallClock())
    async with opened(tmp_path, node="edge-7"):
        pass  # the refusal has let go of the lock


async def test_a_name_must_be_usable_in_a_subject(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        await SqliteJournal.open(tmp_path, node="no.dots", clock=WallClock())


@pytest.mark.parametrize(
    ("host", "name"),
    [("Edge-7.example.org", "edge-7"), ("...", "node"), ("", "node"), ("a" * 60, "a" * 24), ("x_y z", "x-y-z")],
)
def test_the_name_comes_from_the_host(host: str, name: str) -> None:
    assert default_node_name(host) == name


async def test_a_second_writer_is_told_who_the_first_is(tmp_path: Path) -> None:
    async with opened(tmp_path):
        with pytest.raises(JournalLocked) as told:
            await SqliteJournal.open(tmp_path, clock=WallClock())
    assert f"process {os.getpid()}" in told.value.message
    assert "pytest" in told.value.message
    assert "since" in told.value.message
    assert str(os.getpid()) in told.value.hint
    assert holder(tmp_path) is None


def test_another_process_holds_it_until_it_dies(tmp_path: Path) -> None:
    child = start(tmp_path)
    assert child.stdout is not None
    child.stdout.readline()
    who = holder(tmp_path)
    assert who is not None
    assert who.pid == child.pid
    assert "child_append" in who.command
    with pytest.raises(JournalLocked, match=str(child.pid)):
        FolderLock(tmp_path)
    child.send_signal(signal.SIGKILL)
    child.stdout.read()
    child.stdout.close()
    child.wait()
    FolderLock(tmp_path).release()


def test_a_holder_that_has_not_said_who_it_is(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    (tmp_path / "journal.lock").write_bytes(b"")
    with pytest.raises(JournalLocked, match="unknown"):
        FolderLock(tmp_path)
    lock.release()


async def test_readers_read_beside_the_writer_and_without_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await JournalReader.open(tmp_path)
    async with opened(tmp_path) as journal:
        await fill(journal, ["a-1"])
        async with await SqliteJournal.read_only(tmp_path) as reader:
            assert len(await reader.events("a-1")) == 9
            await fill(journal, ["a-2"])
            assert len(await reader.rows()) == 2
            assert await reader.read_head() == journal.head
            with pytest.raises(JournalError):
                await reader._all("put_meta", ("x", 1))
    async with await JournalReader.open(tmp_path) as reader:
        assert len(await reader.rows()) == 2
    with pytest.raises(JournalError, match="closed"):
        await reader.rows()


async def test_a_reader_cannot_make_the_log_grow(tmp_path: Path) -> None:
    """Nobody reads at an old moment for long, so the log starts over again and again."""
    async with opened(tmp_path) as journal:
        await journal.append(begin("a-1"))
        for n in range(3, 60):
            await journal.append(Append("a-1", n, 1, [step(n)], blobs={}))
            await journal.append(Append("", 0, 0, (), blobs=dict([_blob(n)])))
            await journal.events("a-1")
        assert (tmp_path / "journal.db-wal").stat().st_size < 10 * 1024 * 1024
    assert (tmp_path / "journal.db").stat().st_size > 50 * 300_000


def _blob(number: int) -> tuple[str, bytes]:
    data = str(number).encode() * 150_000
    return sha256(data), data


async def test_j1_the_epoch_rises_when_it_is_told_and_stays(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await journal.append(begin("a-1"))
        assert await journal.raise_epoch() == 2
        await journal.append(Append("a-1", 3, 1, [step(1)]))
        assert [each.header.epoch for each in await journal.events("a-1")] == [1, 1, 2]
    async with opened(tmp_path) as journal:
        assert journal.head.epoch == 2
    assert verify(tmp_path).ok


async def test_j7_a_newer_database_is_refused_and_not_touched(tmp_path: Path) -> None:
    async with opened(tmp_path):
        pass
    db = sqlite3.connect(tmp_path / "journal.db")
    db.execute("PRAGMA user_version = 999")
    db.close()
    with pytest.raises(JournalNewer, match="999"):
        await SqliteJournal.open(tmp_path, clock=WallClock())
    with pytest.raises(JournalNewer):
        await JournalReader.open(tmp_path)
    with pytest.raises(JournalNewer):
        verify(tmp_path)


async def test_a_reader_cannot_bring_an_empty_database_up_to_date(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "journal.db").close()
    (tmp_path / "journal.db").touch()
    with pytest.raises(JournalError, match="version 0"):
        await JournalReader.open(tmp_path)


def test_migrations_are_numbered_without_gaps() -> None:
    assert list(migrations()) == list(range(1, len(migrations()) + 1))


def test_every_statement_has_a_name_of_its_own_and_a_use() -> None:
    with pytest.raises(ValueError, match="two statements"):
        parse("-- name: x\nSELECT 1\n-- name: x\nSELECT 2")
    code = "".join(path.read_text() for path in (ROOT / "engine/skerry/journal").rglob("*.py"))
    assert [name for name in SQL if f'"{name}"' not in code] == []


async def test_every_statement_fits_the_tables(tmp_path: Path) -> None:
    async with opened(tmp_path):
        pass
    db = sqlite3.connect(tmp_path / "journal.db")
    for name, statement in SQL.items():
        names = dict.fromkeys(("run", "before", "workflow", "limit", "status", "after", "after_n", "after_run"), 1)
        names |= dict.fromkeys(("first_run", "last_run", "until_us", "before_us", "first", "last", "seq", "rowid"), 1)
        values = names | {"sha256": b"", "name": b""} if "?" not in statement else [1] * statement.count("?")
        if name != "prune_free_pages":  # a script
            db.execute(f"EXPLAIN {statement}", values).fetchall()
    db.close()


def test_a_process_that_forgets_to_close_ends_all_the_same(tmp_path: Path) -> None:
    """Otherwise an engine that fails would hang with its lock, and nothing could take its place."""
    code = (
        "import asyncio, pathlib, sys\n"
        "from skerry.journal import SqliteJournal\n"
        "from skerry.testing.conformance.journal import begin\n"
        "from tests.journal.clock import WallClock\n"
        "async def main():\n"
        "    journal = await SqliteJournal.open(pathlib.Path(sys.argv[1]), clock=WallClock())\n"
        "    await journal.append(begin('a-1'))\n"
        "    waiting = [journal.append(begin(f'a-{n}')) for n in range(2, 500)]\n"
        "    raise SystemExit(7)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(tmp_path)], cwd=ROOT, timeout=30, check=False
    )
    assert done.returncode == 7


async def test_two_at_once(tmp_path: Path) -> None:
    results = await asyncio.gather(
        *(SqliteJournal.open(tmp_path, node="a", clock=WallClock()) for _ in range(3)), return_exceptions=True
    )
    journals = [each for each in results if isinstance(each, SqliteJournal)]
    assert len(journals) == 1
    await journals[0].close()
    assert sum(isinstance(each, JournalLocked) for each in results) == 2
