"""Both journals pass the one suite."""

from __future__ import annotations

from pathlib import Path

from skerry.journal import SqliteJournal
from skerry.ports import Journal
from skerry.testing.conformance.journal import JournalSuite, one_of_each
from skerry.testing.memory_journal import MemoryDisk, MemoryJournal
from tests.journal.clock import WallClock


class TestSqliteJournal(JournalSuite):
    async def open(self, folder: Path) -> Journal:
        return await SqliteJournal.open(folder, node="a", clock=WallClock())


class TestMemoryJournal(JournalSuite):
    disks: dict[Path, MemoryDisk]

    async def open(self, folder: Path) -> Journal:
        if "disks" not in vars(self):
            self.disks = {}
        return MemoryJournal(self.disks.setdefault(folder, MemoryDisk(node="a")))


def test_the_suite_knows_every_kind_of_event() -> None:
    from skerry.core.events import AnyEvent

    assert {type(event) for event in one_of_each()} == set(AnyEvent.__args__)
