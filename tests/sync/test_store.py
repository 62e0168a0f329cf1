"""The hub's store, fed by hand: what a batch changes, what is shown of it, and what is not believed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from skerry.cli import skerry
from skerry.core.chain import GENESIS
from skerry.errors import JournalNewer, NotFound
from skerry.hub.source import Source
from skerry.hub.store import HubStore
from skerry.journal import prune
from skerry.sync import page as pages
from skerry.sync.plan import START, Gap, Known, Take
from skerry.sync.wire import Cursor
from tests.sync.kit import Writer


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[Writer]:
    """A node's journal."""
    writing = await Writer(tmp_path / "edge1").open()
    yield writing
    await writing.close()


def take_all(data: Path, store: HubStore) -> list[object]:
    """All of a journal, as a hub takes it from the stream."""
    source, verdicts, after = Source(data), list[object](), 0
    try:
        while chunk := source.next(after):
            blobs = [(name, source.blob(name) or b"") for name in sorted(chunk.blobs)]
            if blobs:
                told = Cursor(kind="blobs", node=source.node, epoch=1, seq=after, hash="", batch="b")
                store.take_blobs(told, blobs, store.place[0] + 1)
            cursor = Cursor(
                kind="page", node=source.node, epoch=chunk.epoch, first=chunk.first, seq=chunk.seq,
                hash=chunk.hash.hex(), head=source.end() + 5, at_us=1_780_000_000_000_000, batch="b",
            )  # fmt: skip
            verdicts.append(store.take_page(cursor, pages.read(chunk.data), chunk.data, store.place[0] + 2))
            after = chunk.seq
    finally:
        source.close()
    return verdicts


async def test_a_batch_and_its_place_are_there_together_and_once(tmp_path: Path, writer: Writer) -> None:
    await writer.write(3, blob_bytes=5000)
    store = HubStore(tmp_path, write=True)
    assert take_all(writer.folder, store) == [Take()]
    place, stamp = store.place
    assert (place, stamp) == (1 + 2, "b")
    assert take_all(writer.folder, store) == [Known()]
    (view,) = store.nodes()
    assert (view.node, view.seq, view.behind, view.runs) == ("edge1", 18, 5, {"done": 3})
    store.close()
    again = HubStore(tmp_path)
    assert again.stands("edge1")[0].seq == 18
    assert again.stands("edge2")[0].hash == GENESIS
    again.close()


async def test_what_is_missing_is_asked_for_until_it_is_there(tmp_path: Path, writer: Writer) -> None:
    await writer.write(1)
    store, source = HubStore(tmp_path, write=True), Source(writer.folder)
    assert store.gaps() == store.hole() == {}
    await writer.write(1)
    late = source.next(6)
    assert late is not None
    cursor = Cursor(
        kind="page", node="edge1", epoch=1, first=7, seq=12, hash=late.hash.hex(), head=12, at_us=1, batch="b"
    )
    assert store.take_page(cursor, pages.read(late.data), late.data, 1) == Gap()
    assert store.gaps() == {"edge1": START}
    store.note_hole()
    assert store.hole() == {"edge1": START}
    take_all(writer.folder, store)
    assert store.gaps() == {}
    assert store.stands("edge1")[0].seq == 12
    store.note_hole()
    assert store.hole() == {"edge1": START}, "what was missing first is what is asked for"
    store.hole_is_asked_for()
    assert store.hole() == {}
    source.close()
    store.close()


async def test_bodies_that_a_node_has_removed_are_removed_here(tmp_path: Path, writer: Writer) -> None:
    await writer.write(2)
    store = HubStore(tmp_path, write=True)
    take_all(writer.folder, store)
    assert writer.journal is not None
    from skerry.core.api import Prune

    await prune(writer.journal, Prune(before_us=2**60, reason="law", by="ada"))
    await writer.write(1)
    take_all(writer.folder, store)
    lines = store.chain("edge1")
    assert sum(line[10] is None for line in lines) == 12
    assert all(line[9] is None for line in lines if line[10] is None)
    assert sum(line[5] == "bodies.removed" for line in lines) == 2
    store.close()


async def test_the_fleet_is_shown(tmp_path: Path, writer: Writer) -> None:
    await writer.write(4)
    store = HubStore(tmp_path, write=True)
    take_all(writer.folder, store)
    store.close()
    call = CliRunner()
    told = call.invoke(skerry, ["hub", "nodes", "--data", str(tmp_path), "--json"])
    (node,) = (json.loads(line) for line in told.stdout.splitlines())
    assert (node["node"], node["seq"], node["behind"], node["runs"]) == ("edge1", 24, 5, {"done": 4})
    told = call.invoke(skerry, ["hub", "runs", "--data", str(tmp_path), "--json", "--status", "done", "--limit", "3"])
    runs = [json.loads(line) for line in told.stdout.splitlines()]
    assert [run["workflow"] for run in runs] == ["shop"] * 3
    assert [run["run"] for run in runs] == sorted((run["run"] for run in runs), reverse=True)
    for what in ("nodes", "runs"):
        shown = call.invoke(skerry, ["hub", what, "--data", str(tmp_path)])
        assert shown.exit_code == 0
        assert "edge1" in shown.stdout
    assert "no such runs" in call.invoke(skerry, ["hub", "runs", "--data", str(tmp_path), "--node", "x"]).stdout
    assert call.invoke(skerry, ["hub", "nodes", "--data", str(tmp_path / "none")]).exit_code == 3


def test_a_store_that_is_none_or_newer(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        HubStore(tmp_path)
    store = HubStore(tmp_path, write=True)
    name = store.hub
    store.close()
    store = HubStore(tmp_path, write=True)
    assert store.hub == name
    store._db.execute("PRAGMA user_version = 99")  # pyright: ignore[reportPrivateUsage]
    store.close()
    with pytest.raises(JournalNewer):
        HubStore(tmp_path)


async def test_the_source_finds_places_and_epochs(writer: Writer) -> None:
    await writer.write(2)
    assert writer.journal is not None
    await writer.journal.raise_epoch()
    await writer.write(1)
    source = Source(writer.folder)
    assert (source.end(), source.epoch) == (18, 2)
    assert [source.first_after(epoch) for epoch in range(3)] == [1, 13, 19]
    assert source.hash_at(0) == GENESIS
    assert source.hash_at(19) is None
    first, second = source.next(0), source.next(12)
    assert first is not None
    assert second is not None
    assert (first.first, first.seq, first.epoch) == (1, 12, 1)
    assert (second.first, second.seq, second.epoch) == (13, 18, 2)
    assert source.next(18) is None
    assert source.hash_at(12) == first.hash == pages.read(second.data).previous
    assert source.changed()
    assert not source.changed()
    await writer.write(1)
    assert source.changed()
    source.close()


async def test_the_source_ends_a_page_when_it_is_long(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    await writer.write(20, steps=5)
    monkeypatch.setattr(pages, "BYTES_MAX", 4000)
    source, after, places = Source(writer.folder), 0, list[tuple[int, int]]()
    while chunk := source.next(after):
        places.append((chunk.first, chunk.seq))
        after = chunk.seq
    assert len(places) > 5
    assert places[0][0] == 1
    assert places[-1][1] == 160
    source.close()
