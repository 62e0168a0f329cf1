"""What cannot be written is not acknowledged, and is told as what it is (J2)."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from skerry.core.codec import sha256
from skerry.errors import JournalCorrupt, JournalError, JournalLocked
from skerry.journal import JournalReader, SqliteJournal, verify
from skerry.journal.faults import translate
from skerry.ports import Append
from skerry.testing.conformance.journal import LARGE, begin, step
from tests.journal.clock import WallClock
from tests.journal.files import fill, opened


def subclasses(kind: type[BaseException]) -> set[type[BaseException]]:
    return {kind}.union(*(subclasses(each) for each in kind.__subclasses__()))


DRIVER_ERRORS = sorted(subclasses(sqlite3.Error) | {sqlite3.Warning, OSError}, key=str)


@pytest.mark.parametrize("kind", DRIVER_ERRORS)
def test_every_error_of_the_driver_has_one_of_ours(kind: type[Exception]) -> None:
    found = translate(kind("boom"), "writing", Path("journal.db"))
    assert isinstance(found, JournalError)
    assert "boom" in found.message
    assert "writing" in found.message
    assert found.hint


def test_garbage_in_a_message_of_the_driver_means_damage() -> None:
    garbage = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
    assert type(translate(garbage, "reading", Path("journal.db"))) is JournalCorrupt


CODES = {name: getattr(sqlite3, name) for name in dir(sqlite3) if name.startswith("SQLITE_")}


@pytest.mark.parametrize(
    ("name", "kind", "word"),
    [
        ("SQLITE_FULL", JournalError, "full"),
        ("SQLITE_IOERR_FSYNC", JournalError, "disk"),
        ("SQLITE_READONLY_DBMOVED", JournalError, "written"),
        ("SQLITE_CANTOPEN", JournalError, "opened"),
        ("SQLITE_BUSY", JournalLocked, "another program"),
        ("SQLITE_BUSY_SNAPSHOT", JournalLocked, "another program"),
        ("SQLITE_CORRUPT_INDEX", JournalCorrupt, "damaged"),
        ("SQLITE_NOTADB", JournalCorrupt, "no database"),
        ("SQLITE_CONSTRAINT_UNIQUE", JournalError, "failed"),
    ],
)
def test_what_sqlite_reports_is_told_as_what_it_is(name: str, kind: type[JournalError], word: str) -> None:
    error = sqlite3.OperationalError("reported")
    error.sqlite_errorcode, error.sqlite_errorname = CODES[name], name
    found = translate(error, "writing", Path("journal.db"))
    assert type(found) is kind
    assert word in found.message
    assert name in found.message


async def _break(journal: SqliteJournal, pragma: str) -> None:
    """Makes the next commit of this journal fail in SQLite itself."""
    await journal._writes.execute_fetchall(pragma)


@pytest.mark.parametrize(
    ("pragma", "word"), [("PRAGMA max_page_count = 1", "full"), ("PRAGMA query_only = 1", "written")]
)
async def test_j2_a_failed_commit_tells_all_who_wait_and_ends_the_journal(
    tmp_path: Path, pragma: str, word: str
) -> None:
    async with opened(tmp_path) as journal:
        await fill(journal, ["a-1"])
        sound = journal.head
        await _break(journal, pragma)
        waiting = [journal.append(begin(f"a-{number}", at_us=10)) for number in range(100, 500)]
        waiting += [journal.append(Append("a-100", 3, 10, [step(1, LARGE)]))]
        results = await asyncio.gather(*waiting, return_exceptions=True)
        failed = [result for result in results if isinstance(result, JournalError)]
        assert len(failed) == 401 or word == "full"  # a page or two may have been left
        assert word in failed[-1].message
        assert "nothing of this append was acknowledged" in failed[-1].message
        for _ in range(2):
            with pytest.raises(JournalError, match=word):
                await journal.append(begin("a-2", at_us=10))
        with pytest.raises(JournalError, match=word):
            await journal.raise_epoch()
    acknowledged = results.count(None)
    async with opened(tmp_path) as journal:
        assert journal.head.seq == sound.seq + 2 * acknowledged
        await journal.append(begin("a-2", at_us=10))
    assert verify(tmp_path).ok


async def test_j2_an_error_nobody_waits_for_is_told_at_the_next_append(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await _break(journal, "PRAGMA query_only = 1")
        forgotten = journal.append(begin("a-1"))
        with pytest.raises(JournalError):
            await journal.append(begin("a-2"))
        assert forgotten.done()


async def test_a_program_that_holds_the_database_is_told(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await _break(journal, "PRAGMA busy_timeout = 50")
        other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalLocked, match="another program"):
            await journal.append(begin("a-1"))
        other.close()
    assert verify(tmp_path).ok


@pytest.mark.parametrize("folder", ["/proc/skerry", "/dev/null/skerry"])
async def test_a_folder_that_cannot_be_made_is_told(folder: str) -> None:
    with pytest.raises(JournalError, match="data folder cannot be used") as told:
        await SqliteJournal.open(Path(folder), clock=WallClock())
    assert told.value.hint


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"this is a text, and no database" * 200)
    with pytest.raises(JournalCorrupt):
        await SqliteJournal.open(tmp_path, clock=WallClock())
    with pytest.raises(JournalCorrupt):
        await JournalReader.open(tmp_path)


async def test_a_damaged_page_is_told_by_whoever_reads_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await fill(journal, ["a-1"], steps=200)
    raw = bytearray((tmp_path / "journal.db").read_bytes())
    at = raw.index(b'"step":"199"')
    raw[at + 8 : at + 11] = b"198"
    (tmp_path / "journal.db").write_bytes(raw)
    async with await JournalReader.open(tmp_path) as reader:
        with pytest.raises(JournalCorrupt, match="event 202 of run a-1"):
            await reader.events("a-1")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MiB; the test is skipped where we may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "skerry-test", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no `mount`")
    if done.returncode:
        pytest.skip("mounting is not permitted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def test_j2_a_disk_that_fills_up(small_disk: Path) -> None:
    data = small_disk / "data"
    acknowledged = 0
    async with opened(data) as journal:
        with pytest.raises(JournalError, match="full"):
            for number in range(10_000):
                name, content = str(number), os.urandom(100_000)
                batch = begin(f"a-{name}", at_us=10)
                await journal.append(replace(batch, blobs={sha256(content): content}))
                acknowledged += 1
    assert acknowledged > 10
    report = verify(data)
    assert report.ok, report
    assert report.events == 2 * acknowledged
    with pytest.raises(JournalError, match="full"):  # there is no room for the log
        (small_disk / "ballast").write_bytes(b"x" * os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_bsize)
        await SqliteJournal.open(data, clock=WallClock())
    (small_disk / "ballast").unlink()
    async with opened(data, node="") as journal:
        assert journal.head.seq == 2 * acknowledged


async def test_j2_a_disk_that_becomes_read_only(small_disk: Path) -> None:
    data = small_disk / "data"
    async with opened(data) as journal:
        await fill(journal, ["a-1"])
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    assert subprocess.run(remount, check=False).returncode == 0
    with pytest.raises(JournalError) as told:
        await SqliteJournal.open(data, clock=WallClock())
    assert "read-only" in told.value.message.lower() + told.value.hint
    async with await JournalReader.open(data) as reader:
        assert len(await reader.events("a-1")) == 9
    assert verify(data).ok
