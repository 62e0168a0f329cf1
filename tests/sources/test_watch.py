"""A watched folder, with the real engine in memory: each file is taken in once, whatever stops and starts."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from skerry import Blob, Done, State, Step, Workflow
from skerry.clock import SystemClock
from skerry.core import api
from skerry.core.structs import Frozen
from skerry.errors import Busy, DataError
from skerry.ports import Arrival, Memory, SourceKind
from skerry.registry import Registry
from skerry.runtime.service import Service
from skerry.runtime.watch import EngineTaker
from skerry.sources import Planned, Watching, plan, watching
from skerry.sources.folder import Folder, look
from skerry.testing import Lab


class Came(State):
    document: Blob

    async def run(self, step: Step) -> Done[str]:
        return Done(self.document.name)


came = Workflow("came", version=1, start=Came, result=str, on="file.came")


class Taker(EngineTaker):
    """The engine's, that is busy sometimes."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(Service(lab.engine, lab.verbs, sweep_s=0))
        self.busy = 0

    async def take(self, event: str, arrival: Arrival, by: str) -> api.Started:
        if self.busy:
            self.busy -= 1
            raise Busy("full")
        return await super().take(event, arrival, by)


class QuickClock(SystemClock):
    """Pauses take no time."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0.001)


def folder(path: Path, **more: Any) -> list[Planned]:
    table = {"event": "file.came", "path": str(path), "every_s": 0.01, "settle_s": 0.0, **more}
    return plan({"in": table}, Registry())


@asynccontextmanager
async def watched(lab: Lab, planned: list[Planned], data: Path) -> AsyncIterator[tuple[Watching, Taker]]:
    taker = Taker(lab)
    async with watching(planned, data, taker, QuickClock()) as watches:
        yield watches, taker


async def until(watches: Watching, **counts: Any) -> api.WatchStatus:
    async with asyncio.timeout(20):
        while True:
            status = watches.status()[0]
            if all(getattr(status, name) == value for name, value in counts.items()):
                return status
            await asyncio.sleep(0.005)


async def test_files_are_taken_in_once(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "a.txt").write_text("one")
    (inbox / "b.txt.part").write_text("half")
    (inbox / ".hidden").write_text("no")
    async with Lab(came) as lab:
        async with watched(lab, folder(inbox), tmp_path) as (watches, _):
            await until(watches, taken=1)
            (inbox / "copy.txt").write_text("one")  # the same content is the same document
            await until(watches, taken=1, again=1)
            os.replace(inbox / "b.txt.part", inbox / "b.txt")
            status = await until(watches, taken=2, again=1)
            assert (status.state, status.kind, status.event) == ("watching", "folder", "file.came")
        async with watched(lab, folder(inbox), tmp_path) as (watches, _):  # it remembers
            (inbox / "c.txt").write_text("three")
            await until(watches, taken=1, again=0)
        (tmp_path / "watch.db").unlink()
        async with watched(lab, folder(inbox), tmp_path) as (watches, _):  # and without memory nothing happens twice
            await until(watches, taken=0, again=4)
        rows = await lab.engine.journal.rows()
        assert sorted([await lab.result(row.run) for row in rows]) == ["a.txt", "b.txt", "c.txt"]


async def test_changes_are_events_where_they_matter(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    file = inbox / "team.ics"
    async with Lab(came) as lab:
        async with watched(lab, folder(inbox, changes=True, patterns=["*.ICS"]), tmp_path) as (watches, _):
            for count, text in enumerate(["one", "two", "one"], start=1):
                file.write_text(text)
                os.utime(file, (count, count))
                await until(watches, taken=count)


async def test_what_is_busy_waits_and_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    async with Lab(came) as lab:
        async with watched(lab, folder(inbox), tmp_path) as (watches, taker):
            taker.busy = 5
            (inbox / "a.txt").write_text("one")
            await until(watches, taken=1)
            assert taker.busy == 0
        async with watched(lab, folder(inbox, event="nobody.listens"), tmp_path / "other") as (watches, _):
            status = await until(watches, refused=1, state="watching")
            assert "a.txt" in status.note and "nobody.listens" in status.note


async def test_a_folder_that_comes_later(tmp_path: Path) -> None:
    async with Lab(came) as lab:
        async with watched(lab, folder(tmp_path / "inbox"), tmp_path) as (watches, _):
            assert "FileNotFoundError" in (await until(watches, state="failing")).note
            (tmp_path / "inbox").mkdir()
            (tmp_path / "inbox" / "a.txt").write_text("one")
            await until(watches, taken=1)


async def test_what_cannot_be_taken_in_keeps_nothing_waiting(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    with (inbox / "a.iso").open("wb") as huge:
        huge.truncate(1 << 40)  # more than there is memory for
    async with Lab(came) as lab:
        async with watched(lab, folder(inbox), tmp_path) as (watches, _):
            assert "a.iso has more than the 67108864 bytes" in (await until(watches, refused=1)).note
            (inbox / "b.txt").symlink_to("/proc/self/mem")  # a file that cannot be read, whoever reads
            assert "OSError" in (await until(watches, state="failing")).note
            (inbox / "c.txt").write_text("one")
            await until(watches, taken=1, refused=1)


class Counting(Frozen):
    """A source of numbers that fails once."""

    upto: int = 3


async def numbers(settings: Counting, memory: Memory) -> AsyncGenerator[Arrival, None]:
    for number in range(int(memory.get("next") or 0), settings.upto):
        yield Arrival(id=str(number), file=b"x%d" % number, name=str(number), source="numbers")
        memory.put("next", str(number + 1))
        if number == 1 and not memory.get("failed"):
            memory.put("failed", "yes")
            raise OSError("away")


NUMBERS = SourceKind("numbers", Counting, numbers, event="file.came")


async def test_a_source_of_ones_own_goes_on_where_it_was(tmp_path: Path) -> None:
    registry = Registry()
    registry.add(NUMBERS)
    planned = plan({"n": {"kind": "numbers", "upto": 4}}, registry)
    async with Lab(came) as lab, watched(lab, planned, tmp_path) as (watches, _):
        status = await until(watches, state="ended")
        assert (status.taken, status.again) == (4, 0)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"kind": "box", "event": "x"}, "nothing of the kind 'box'"),
        ({"path": "x"}, "which event"),
        ({"path": "x", "event": "y", "pth": 1}, "no setting pth"),
        ({"path": 3, "event": "y"}, "path"),
        ({"event": "y"}, "path"),
    ],
)
def test_settings_that_are_not_understood(table: Mapping[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        plan({"in": table}, Registry())


def test_a_file_that_is_still_written_waits(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.txt").write_text("x")
    assert look(Folder(path=tmp_path)) == []
    (seen,) = look(Folder(path=tmp_path, recursive=True))
    assert seen.key == "sub/a.txt"
