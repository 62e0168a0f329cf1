"""`verify` finds and names what was edited, damaged or lost (J1, J4, J5, J7, J8)."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from skerry.errors import DataError, NotFound
from skerry.journal import Anchor, Report, verify
from skerry.ports import Append
from skerry.testing.conformance.journal import begin, step
from tests.journal.files import fill, opened, pages_of, spoil, tamper

RUNS = [f"a-{number}" for number in range(20)]


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A folder with a sound journal of 20 runs; a-3 has the events seq 28 to 36."""
    async with opened(tmp_path / "data") as journal:
        await fill(journal, RUNS)
    return tmp_path / "data"


def only(report: Report, what: str) -> str:
    """The message of the one fault that there is."""
    assert [fault.what for fault in report.faults] == [what], report
    assert not report.ok
    return report.faults[0].message


async def test_a_sound_journal_has_no_faults(data: Path) -> None:
    seen: list[int] = []
    report = verify(data, progress=lambda progress: seen.append(progress.done))
    assert report.ok, report
    assert (report.events, report.runs, report.blobs, report.removed, report.seq) == (180, 20, 1, 0, 180)
    assert (report.node, report.epoch) == ("a", 1)
    assert seen[-1] == 180


async def test_an_empty_journal_has_no_faults(tmp_path: Path) -> None:
    async with opened(tmp_path / "data"):
        pass
    assert verify(tmp_path / "data").ok


async def test_it_reads_beside_a_writer(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as journal:
        await fill(journal, RUNS)
        assert verify(tmp_path / "data").events == 180
        await journal.append(begin("a-99", at_us=10))
        assert verify(tmp_path / "data").ok


def test_no_journal_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        verify(tmp_path)


async def test_j5_an_edited_body_is_named(data: Path) -> None:
    tamper(data, "UPDATE events SET body = replace(body, 'price', 'prize') WHERE seq = 30")
    fault = verify(data).faults[0]
    assert (fault.what, fault.seq, fault.run, fault.n) == ("body", 30, "a-3", 3)
    assert len(verify(data).faults) == 1


@pytest.mark.parametrize(
    "change",
    [
        "kind = 'step.failed'",
        "at_us = 11",
        "n = 900",
        "epoch = 0",
        "version = 2",
        "digest = zeroblob(32)",
        "run_key = 900",
    ],
)
async def test_j5_an_edited_header_is_named(data: Path, change: str) -> None:
    tamper(data, f"UPDATE events SET {change} WHERE seq = 30")
    report = verify(data)
    assert 30 in {fault.seq for fault in report.faults if fault.what == "chain"}, report
    assert {fault.seq for fault in report.faults} <= {0, 30, 31}


async def test_j5_an_edited_body_with_a_new_digest_breaks_the_chain(data: Path) -> None:
    import hashlib

    body = b'{"type":"step.completed","step":"0","kind":"call","target":"prize","value":1}'
    digest = hashlib.sha256(b"salt" + body).digest()
    tamper(data, "UPDATE events SET body = ?, salt = ?, digest = ? WHERE seq = 30", body, b"salt", digest)
    assert "30" in only(verify(data), "chain")


async def test_j5_a_rewritten_past_is_found_with_an_anchor(data: Path) -> None:
    async with opened(data) as journal:
        anchor = await journal.anchor()
    assert verify(data, anchor=Anchor.parse(str(anchor))).ok
    tamper(data, "UPDATE events SET kind = 'step.failed' WHERE seq = 180")  # nothing is chained to the last one
    assert verify(data, anchor=anchor).faults[0].what in {"body", "anchor"}
    assert "anchor" in {fault.what for fault in verify(data, anchor=anchor).faults}


async def test_j5_a_cut_tail_is_found_with_an_anchor(data: Path) -> None:
    async with opened(data) as journal:
        await journal.append(Append("", 1, 10, [step(1)]))
        anchor = await journal.anchor()
    tamper(data, "DELETE FROM events WHERE seq = 181")
    assert verify(data).ok
    assert "181" in only(verify(data, anchor=anchor), "anchor")


async def test_j5_an_anchor_of_another_node_does_not_fit(data: Path) -> None:
    async with opened(data) as journal:
        anchor = await journal.anchor()
    assert "node b" in only(verify(data, anchor=Anchor(node="b", seq=180, hash=anchor.hash)), "anchor")


async def test_j1_a_deleted_event_is_missed(data: Path) -> None:
    tamper(data, "DELETE FROM events WHERE seq = 30")
    faults = verify(data).faults
    assert (faults[0].what, faults[0].seq) == ("event", 30)
    assert "missing" in faults[0].message
    assert (faults[1].run, faults[1].n) == ("a-3", 4)


async def test_j4_a_body_that_is_gone_without_a_word_is_missed(data: Path) -> None:
    tamper(data, "UPDATE events SET body = NULL, salt = NULL WHERE seq = 30")
    assert "a-3" in only(verify(data), "body")


async def test_j7_a_body_of_a_newer_version_is_named(data: Path) -> None:
    tamper(data, "UPDATE events SET version = 99 WHERE seq = 180")
    assert "99" in only(verify(data), "body")


async def test_j5_a_body_of_another_type_is_named(data: Path) -> None:
    tamper(data, "UPDATE events SET body = CAST(body AS TEXT) WHERE seq = 30")
    assert "(seq 30)" in only(verify(data), "body")


@pytest.mark.parametrize("change", ["data = zeroblob(5000)", "size = 1", "sha256 = zeroblob(32)"])
async def test_j8_a_blob_that_does_not_fit_its_name_is_named(data: Path, change: str) -> None:
    tamper(data, f"UPDATE blobs SET {change}")
    report = verify(data)
    assert {fault.what for fault in report.faults} == {"blob"}
    assert (report.faults[-1].run, report.faults[-1].n) == ("a-0", 8)


async def test_j8_a_blob_that_is_gone_is_missed(data: Path) -> None:
    tamper(data, "DELETE FROM blobs")
    assert "gone" in only(verify(data), "blob")


@pytest.mark.parametrize("change", ["status = 'running'", "status = 'failed'", "entry_n = 1", "ended_us = 0"])
async def test_a_row_that_contradicts_its_events_is_named(data: Path, change: str) -> None:
    tamper(data, f"UPDATE runs SET {change} WHERE run = 'a-3'")
    assert "a-3" in only(verify(data), "run")


async def test_a_row_that_is_gone_is_missed(data: Path) -> None:
    tamper(data, "DELETE FROM runs WHERE run = 'a-3'")
    assert {fault.seq for fault in verify(data).faults if fault.what == "event"} == set(range(28, 37))


async def test_flipped_bytes_in_a_body_are_found(data: Path) -> None:
    raw = (data / "journal.db").read_bytes()
    [*_, last] = re.finditer(rb'"step":"3"', raw)
    (data / "journal.db").write_bytes(raw[: last.start()] + b'"step":"4"' + raw[last.end() :])
    fault = verify(data).faults[0]
    assert fault.what == "body"
    assert fault.seq > 0
    assert fault.run.startswith("a-")
    assert fault.n > 0


async def test_a_corrupt_page_is_found_and_its_events_are_named(data: Path) -> None:
    page = pages_of(data, "events")[2]
    spoil(data, page)
    report = verify(data)
    assert any(fault.what == "page" and fault.page == page for fault in report.faults), report
    lost = [fault for fault in report.faults if fault.what == "event" and fault.n]
    assert lost
    assert all(fault.seq and fault.run.startswith("a-") for fault in lost), "the index still knows whose they were"
    assert report.events > 100, "what lies on other pages was checked all the same"


@pytest.mark.parametrize("size", [0, 100, 4096, 40_960])
async def test_a_file_that_was_cut_off_is_a_finding(data: Path, size: int) -> None:
    with open(data / "journal.db", "r+b") as file:
        file.truncate(size)
    assert not verify(data).ok


async def test_any_flipped_byte_is_survived(data: Path) -> None:
    """Wherever it is. Not each is found: much of a page is free space."""
    sound = (data / "journal.db").read_bytes()
    found = 0
    # The first page holds the tables' definitions, and every kind of trouble.
    for offset in [*range(16, 4096, 61), *range(4096, len(sound), 997)]:
        raw = bytearray(sound)
        raw[offset : offset + 8] = b"\xff" * 8
        (data / "journal.db").write_bytes(raw)
        found += not verify(data).ok
    assert found > 10


async def test_a_file_that_is_no_database_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"this is a text, and no database at all" * 100)
    assert "no database" in verify(tmp_path).faults[-1].message


async def test_many_faults_are_counted_and_some_named(data: Path) -> None:
    db = sqlite3.connect(data / "journal.db")
    db.execute("UPDATE events SET body = x'7b7d'")
    db.commit()
    db.close()
    report = verify(data)
    assert report.fault_count >= 180
    assert len(report.faults) == 100


@pytest.mark.parametrize("text", ["", "a", "a:1", "a:x:" + "0" * 64, "a:1:" + "0" * 63, ":1:" + "0" * 64])
def test_what_is_no_anchor_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        Anchor.parse(text)
