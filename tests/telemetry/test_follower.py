"""What is told of a journal is the same whenever it is told, and each thing once."""

from __future__ import annotations

import errno
import itertools
from pathlib import Path
from typing import Any

import msgspec
import pytest

from skerry.core import api
from skerry.core import events as ev
from skerry.telemetry import follower as module
from skerry.telemetry.follower import CURSOR, Cursor, read_cursor
from skerry.telemetry.meter import Series
from skerry.telemetry.otlp import ids
from skerry.telemetry.settings import folder_of
from skerry.telemetry.spans import RunSpans
from skerry.telemetry.spool import Spool, batches
from tests.telemetry.collector import Told
from tests.telemetry.flows import Failing
from tests.telemetry.journals import engine_in, follow, waiting


def counted(cursor: Cursor | None, name: str) -> int:
    """A counter of the state file, over all labels."""
    assert cursor is not None
    return sum(series.count for series in cursor.series if series.name == name)


async def test_it_begins_at_the_end_of_a_journal_that_was_there(tmp_path: Path) -> None:
    async with engine_in(tmp_path) as here:
        await here.run("tell-local", count=1)
        follow(tmp_path)
        assert waiting(tmp_path) == []
        run = await here.run("tell-local", count=2)
    follow(tmp_path)
    assert [span.name for span in waiting(tmp_path)] == ["call here", "call here", "state Local", "run tell-local"]
    assert {span.trace for span in waiting(tmp_path)} == {ids(run)[0]}


async def test_what_happened_while_nobody_followed_is_told_later_and_once(tmp_path: Path) -> None:
    async with engine_in(tmp_path) as here:
        follow(tmp_path)
        for count in (3, 4):
            await here.run("tell-local", count=count)
        follow(tmp_path)
        first = waiting(tmp_path)
        await here.run("tell-local", count=5)
    follow(tmp_path)
    follow(tmp_path)
    spans = waiting(tmp_path)
    assert spans[: len(first)] == first
    assert len(spans) == 3 + 4 + 5 + 3 * 2
    assert len({span.id + span.trace for span in spans}) == len(spans)
    cursor = read_cursor(folder_of(tmp_path))
    assert (counted(cursor, "skerry.runs.ended"), counted(cursor, "skerry.steps")) == (3, 12)


async def test_a_crash_between_a_batch_and_the_cursor_doubles_nothing(tmp_path: Path) -> None:
    async with engine_in(tmp_path) as here:
        follow(tmp_path)
        file = folder_of(tmp_path) / CURSOR
        before = file.read_bytes()
        await here.run("tell-local", count=3)
        follow(tmp_path)
        told = waiting(tmp_path)
        file.write_bytes(before)
        await here.run("tell-local", count=2)
    follow(tmp_path)
    spans = waiting(tmp_path)
    assert spans[: len(told)] == told and len(spans) == 3 + 2 + 4
    assert counted(read_cursor(folder_of(tmp_path)), "skerry.steps") == 5


async def test_it_is_the_same_however_little_is_kept_in_mind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of(tmp_path)
    async with engine_in(tmp_path) as here:
        follow(tmp_path)
        start = (folder / CURSOR).read_bytes()
        await here.run("tell-parent", text="x")
        monkeypatch.setattr(Failing, "now", True)
        run = await here.run("tell-fails", "failed")
        monkeypatch.setattr(Failing, "now", False)
        await here.verbs.retry(api.RetryRun(run=run))
        await here.stands(run, "done")
    whole = follow(tmp_path)
    spans, series = waiting(tmp_path), read_cursor(folder)
    for batch in batches(folder):
        batch.path.unlink()
    (folder / CURSOR).write_bytes(start)
    monkeypatch.setattr(module, "_RUNS_MAX", 0)
    monkeypatch.setattr(module, "_EVENTS", 1)
    again = follow(tmp_path)
    assert waiting(tmp_path) == spans
    assert whole.seq == again.seq

    def by_name(cursor: Cursor | None) -> list[Series]:
        assert cursor is not None
        return sorted(cursor.series, key=msgspec.json.encode)

    assert by_name(read_cursor(folder)) == by_name(series)


async def test_a_run_that_is_retried_gets_a_second_span_in_its_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine_in(tmp_path) as here:
        follow(tmp_path)
        monkeypatch.setattr(Failing, "now", True)
        run = await here.run("tell-fails", "failed")
        monkeypatch.setattr(Failing, "now", False)
        await here.verbs.retry(api.RetryRun(run=run))
        await here.stands(run, "done")
    follow(tmp_path)
    spans = waiting(tmp_path)
    by_id = {span.id: span for span in spans}
    assert len(by_id) == len(spans)
    first, second = [span for span in spans if span.name == "run tell-fails"]
    assert (first.failed, first.named["error.type"], first.message) == (True, "ValueError", "")
    assert not second.failed and second.parent == first.id
    assert [span.name for span in spans if not span.parent] == ["run tell-fails"]
    assert all(span.parent in by_id for span in spans if span.parent)


async def test_a_child_is_linked_to_the_step_that_started_it(tmp_path: Path) -> None:
    async with engine_in(tmp_path) as here:
        follow(tmp_path)
        await here.run("tell-parent", text="x")
    follow(tmp_path)

    def one(name: str) -> Told:
        (found,) = [span for span in waiting(tmp_path) if span.name == name]
        return found

    step = one("start tell-child")
    assert one("run tell-child").links == [(step.trace, step.id)]


async def test_times_of_local_calls_follow_from_each_other(tmp_path: Path) -> None:
    async with engine_in(tmp_path) as here:
        follow(tmp_path)
        await here.run("tell-local", count=20)
    follow(tmp_path)
    spans = waiting(tmp_path)
    (state,) = [span for span in spans if span.name == "state Local"]
    at_us = state.start_us
    for span in [span for span in spans if span.name == "call here"]:
        assert span.start_us == at_us
        at_us = span.end_us
    assert at_us == state.end_us


async def test_bodies_that_are_gone_are_counted(tmp_path: Path) -> None:
    import sqlite3

    async with engine_in(tmp_path) as here:
        follow(tmp_path)
        await here.run("tell-local", count=2)
    db = sqlite3.connect(tmp_path / "journal.db")
    db.execute("UPDATE events SET body = NULL, salt = NULL WHERE kind = 'step.completed'")
    db.commit()
    db.close()
    follower = follow(tmp_path)
    assert [span.name for span in waiting(tmp_path)] == ["state Local", "run tell-local"]
    assert follower.spool.tally.dropped == {"events": 2}


def test_every_kind_of_event_is_known_to_the_spans() -> None:
    from skerry.telemetry.spans import HANDLERS

    others = {ev.NodeStarted, ev.NodeAdopted, ev.BodiesRemoved}  # these have no run
    assert set(HANDLERS) | others >= set(ev.Event.__subclasses__())


async def test_a_disk_that_was_full_doubles_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with engine_in(tmp_path) as here:
        follow(tmp_path)
        await here.run("tell-local", count=3)
    put, tries = Spool.put, itertools.count()

    def full(spool: Spool, *arguments: Any, **options: Any) -> None:
        if next(tries) == 0:
            raise OSError(errno.ENOSPC, "no space left on device")
        put(spool, *arguments, **options)

    monkeypatch.setattr(Spool, "put", full)
    for _ in range(2):
        follow(tmp_path)
    assert next(tries) > 1
    assert len(waiting(tmp_path)) == 5
    assert counted(read_cursor(folder_of(tmp_path)), "skerry.steps") == 3


def _broken(*_: object) -> None:
    raise KeyError("a defect")


async def test_what_cannot_be_told_is_passed_over_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with engine_in(tmp_path) as here:
        follow(tmp_path)
        await here.run("tell-local", count=3)
        with monkeypatch.context() as patch:
            patch.setattr(RunSpans, "take", _broken)
            follower = follow(tmp_path)
        assert "a defect" in caplog.text
        assert follower.spool.tally.dropped == {"events": 6}
        await here.run("tell-local", count=1)
    follow(tmp_path)
    assert len(waiting(tmp_path)) == 3


async def test_a_journal_that_was_restored_is_told_from_its_end(tmp_path: Path) -> None:
    async with engine_in(tmp_path) as here:
        follow(tmp_path)
        cursor = read_cursor(folder_of(tmp_path))
        assert cursor is not None
        later = msgspec.structs.replace(cursor, seq=cursor.seq + 1_000_000)
        (folder_of(tmp_path) / CURSOR).write_bytes(msgspec.json.encode(later))
        follow(tmp_path)
        await here.run("tell-local", count=1)
    follow(tmp_path)
    assert len(waiting(tmp_path)) == 3
