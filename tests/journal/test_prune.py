"""Pruning removes bodies and blobs, says so, and leaves the chain whole (J4, J5); exports hold all that there is."""

from __future__ import annotations

import asyncio
import base64
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace

from skerry.core import codec
from skerry.core.api import Prune, Pruned
from skerry.core.chain import Header, body_digest
from skerry.core.events import BodiesRemoved
from skerry.errors import Conflict, NotFound
from skerry.journal import SqliteJournal, export, prune, verify
from skerry.ports import Append, Claim
from skerry.testing.conformance.journal import LARGE, begin, started, step, whole
from tests.journal.clock import WallClock
from tests.journal.files import fill, opened

FAR = 2**60
DOCUMENT = b"%PDF-1.7 a document that values refer to by its hash"
NAME = codec.sha256(DOCUMENT)


async def test_j4_pruned_runs_keep_headers_row_and_claims(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await fill(journal, ["a-1", "a-2", "a-3"], at_us=10)
        await journal.append(replace(begin("a-4", at_us=20), claims=[Claim("s", "1", "a-4")]))
        before = await journal.events("a-1")
        done = await prune(journal, Prune(before_us=11, by="me", reason="old"))
        assert done == Pruned(runs=3, events=27, blobs=1)
        after = await journal.events("a-1")
        assert [each.header for each in after] == [each.header for each in before]
        assert {each.event for each in after} == {None}
        assert (await journal.row("a-1")) == started("a-1", status="done", entry_n=2, ended_us=10)
        assert await journal.answer("s", "1") == "a-4"
        assert await whole(journal, "a-4") == list(begin("a-4").events)
        assert [each.event for each in await journal.events("")] == [
            BodiesRemoved(of=run, events=9, by="me", reason="old") for run in ("a-1", "a-2", "a-3")
        ]
        with pytest.raises(NotFound):
            await journal.blob(codec.sha256(bytes(LARGE)))
        with pytest.raises(Conflict):
            await journal.append(begin("a-1", at_us=FAR))
        assert await prune(journal, Prune(before_us=11)) == Pruned(runs=0, events=0, blobs=0)
    report = verify(tmp_path)
    assert report.ok, report
    assert report.removed == 27


async def test_j4_only_what_ended_before_then_is_pruned(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await fill(journal, ["a-1"], at_us=10)
        await fill(journal, ["a-2"], at_us=20)
        await journal.append(begin("a-3", at_us=20, status="waiting"))
        assert (await prune(journal, Prune(before_us=20))).runs == 1
        assert (await prune(journal, Prune(before_us=FAR, limit=0))).runs == 0
        assert None not in await whole(journal, "a-2")
        assert None not in await whole(journal, "a-3")
        assert await journal.blob(codec.sha256(bytes(LARGE))) == bytes(LARGE), "a-2 still needs it"
    assert verify(tmp_path).ok


async def test_j8_a_blob_that_anything_refers_to_stays(tmp_path: Path) -> None:
    """A hash in a live run's value counts, also one inside a blob; and so does a blob that came just now."""
    unused, late = b"nobody wants this", b"somebody will refer to this"
    inner = Raw(msgspec.json.encode({"document": NAME, "padding": "x" * 5000}))
    async with opened(tmp_path) as journal:
        blobs = {NAME: DOCUMENT, codec.sha256(unused): unused}
        await journal.append(Append("", 0, 5, (), blobs=blobs))
        await fill(journal, ["a-1"], at_us=10)
        await journal.append(begin("a-2", at_us=30))
        await journal.append(Append("a-2", 3, 30, [step(1, inner)]))
        await journal.append(Append("", 0, 30, (), blobs={codec.sha256(late): late}))
        assert await prune(journal, Prune(before_us=20)) == Pruned(runs=1, events=9, blobs=2)
        assert await journal.blob(NAME) == DOCUMENT
        assert await journal.blob(codec.sha256(late)) == late
        assert (await journal.events("a-2"))[2].event == step(1, inner)
        with pytest.raises(NotFound):
            await journal.blob(codec.sha256(unused))
    assert verify(tmp_path).ok


async def test_j4_nothing_of_a_removed_body_is_left_on_the_disk(tmp_path: Path) -> None:
    secret = Raw(b'"the patient is called Rumpelstiltskin"')
    scan = b"Rumpelstiltskin, on paper" * 20_000
    async with opened(tmp_path) as journal:
        await journal.append(begin("a-1", at_us=1))
        await journal.append(
            Append("a-1", 3, 1, [step(1, secret)] * 200, started("a-1", entry_n=2, status="done", ended_us=1))
        )
        await journal.append(Append("", 0, 1, (), blobs={codec.sha256(scan): scan}))
        await fill(journal, ["a-2"], at_us=10)
    assert b"Rumpelstiltskin" in (tmp_path / "journal.db").read_bytes()
    size = (tmp_path / "journal.db").stat().st_size
    async with opened(tmp_path) as journal:
        await prune(journal, Prune(before_us=5))
    assert {path.name: b"Rumpelstiltskin" in path.read_bytes() for path in tmp_path.iterdir()} == {
        "journal.db": False,
        "journal.lock": False,
    }
    assert (tmp_path / "journal.db").stat().st_size < size - len(scan) // 2


async def test_appends_go_on_while_it_prunes(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await fill(journal, [f"a-{number}" for number in range(120)], at_us=10)
        pruning = asyncio.create_task(prune(journal, Prune(before_us=11)))
        n = 2
        await journal.append(begin("b-1", at_us=WallClock().now_us()))
        while not pruning.done():
            n += 1
            at_us = max(WallClock().now_us(), journal.head.at_us)
            await journal.append(Append("b-1", n, at_us, [step(n)]))
        assert (await pruning).runs == 120
        assert len(await journal.events("b-1")) == n
    assert verify(tmp_path).ok


# --- exports ----------------------------------------------------------------------------------------------------------


async def lines(journal: SqliteJournal, runs: list[str] | None = None) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) async for line in export(journal, runs)]


async def test_an_export_holds_all_that_there_is(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await journal.append(replace(begin("a-0"), claims=[Claim("s", "1", "a-0")], blobs={NAME: DOCUMENT}))
        await journal.append(Append("a-0", 3, 1, [step(1, Raw(f'"{NAME}"'.encode()))]))
        await fill(journal, ["a-1", "a-2"], at_us=10)
        await prune(journal, Prune(before_us=11, limit=1))
        found = await lines(journal)
        anchor = await journal.anchor()
    head, rows = found[0], [line["row"] for line in found if "row" in line]
    assert head == {"skerry_journal": 1, "node": "a", "epoch": 1, "seq": anchor.seq, "hash": anchor.hash}
    assert [row["run"] for row in rows] == ["a-0", "a-1", "a-2"]
    blobs = {line["blob"]: base64.b64decode(line["data"]) for line in found if "blob" in line}
    assert blobs == {NAME: DOCUMENT, codec.sha256(bytes(LARGE)): bytes(LARGE)}
    assert [line["claim"] for line in found if "claim" in line] == [["s", "1", "a-0"]]
    events = [line for line in found if "kind" in line]
    assert [line["seq"] for line in events] == list(range(1, anchor.seq + 1))
    assert [line["body"] is None for line in events[3:12]] == [True] * 9
    assert events[-1]["body"]["type"] == "bodies.removed"


async def test_j5_an_export_can_be_checked_without_the_journal(tmp_path: Path) -> None:
    class Line(msgspec.Struct):
        seq: int
        epoch: int
        run: str
        n: int
        at_us: int
        kind: str
        version: int
        digest: str
        previous: str
        salt: str
        body: Raw

    async with opened(tmp_path) as journal:
        await fill(journal, ["a-1", "a-2"])
        exported = [line async for line in export(journal) if line.startswith(b'{"seq"')]
        anchor = await journal.anchor()
    previous = bytes(32)
    for line in exported:
        event = msgspec.json.decode(line, type=Line)
        assert body_digest(bytes.fromhex(event.salt), bytes(event.body)).hex() == event.digest
        assert event.previous == previous.hex()
        place = (event.seq, event.epoch, event.run, event.n, event.at_us, event.kind, event.version)
        previous = Header(*place, bytes.fromhex(event.digest), bytes.fromhex(event.previous)).hash()
    assert previous.hex() == anchor.hash


async def test_an_export_of_some_runs(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await fill(journal, ["a-1", "a-2", "a-3"])
        found = await lines(journal, ["a-3", "a-1"])
        assert [line["run"] for line in found if "kind" in line] == ["a-3"] * 9 + ["a-1"] * 9
        assert sum("blob" in line for line in found) == 1
        with pytest.raises(NotFound, match="a-9"):
            await lines(journal, ["a-9"])


async def test_the_shell_shows_a_readable_history(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await journal.append(begin("a-1", at_us=1_700_000_000_000_000))
    db = sqlite3.connect(tmp_path / "journal.db")
    assert db.execute("SELECT * FROM history").fetchall()[1] == (
        2, "a-1", 2, "2023-11-14 22:13:20", "state.entered",
        '{"type":"state.entered","entry":1,"state":"Extract","value":{}}',
    )  # fmt: skip
    db.close()


async def test_j8_a_document_that_was_just_handed_in_is_not_pruned(tmp_path: Path) -> None:
    """Whoever was told "kept" publishes next: before that, nothing refers to the blob yet."""
    clock = WallClock()
    async with opened(tmp_path) as journal:
        await fill(journal, ["a-1"], at_us=10)
        await journal.append(Append("", 0, clock.now_us(), (), blobs={NAME: DOCUMENT}))
        assert (await prune(journal, Prune(before_us=FAR))).runs == 1
        assert await journal.blob(NAME) == DOCUMENT


async def test_j4_a_childs_result_stays_until_its_parent_has_ended(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await journal.append(begin("a-1", at_us=5, status="waiting"))
        child = begin("a-2", at_us=10)
        ended = started("a-2", status="done", entry_n=2, ended_us=10, parent="a-1/1-1")
        await journal.append(replace(child, row=ended))
        assert (await prune(journal, Prune(before_us=FAR))).runs == 0
        await journal.append(Append("a-1", 3, 20, (), row=started("a-1", status="done", entry_n=2, ended_us=20)))
        assert (await prune(journal, Prune(before_us=FAR))).runs == 2
