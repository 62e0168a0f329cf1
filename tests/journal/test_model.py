"""Whatever is appended, in whatever order: the SQLite journal says what the simplest possible one says (J1 to J9)."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from skerry.core import codec
from skerry.core.events import Event, StateEntered
from skerry.core.projection import RunRow
from skerry.errors import SkerryError
from skerry.journal import SqliteJournal, verify
from skerry.ports import Append, Claim, Journal
from skerry.testing.conformance.journal import LARGE, started, step
from skerry.testing.memory_journal import MemoryDisk, MemoryJournal
from tests.journal.clock import WallClock

RUNS = ["", "a-1", "a-2", "a-3"]

runs = st.sampled_from(RUNS)
values = st.sampled_from([Raw(b"1"), Raw(b'"\xc3\xa4"'), Raw(b"{}"), LARGE])
facts: st.SearchStrategy[Event] = st.one_of(
    st.builds(step, st.integers(1, 9), values),
    st.builds(lambda value: StateEntered(entry=1, state="S", value=value), values),
)
statuses = st.sampled_from(["running", "running", "waiting", "done"])


@st.composite
def appends(draw: st.DrawFn) -> Append:
    """An append that fits, more often than not; `first_n` is relative: 1 is the right place."""
    run = draw(runs)
    row: RunRow | None = None
    if run and draw(st.integers(0, 3)):
        row = started(run, status=draw(statuses), wake_us=draw(st.integers(0, 5)), entry_n=draw(st.integers(0, 3)))
    return Append(
        run,
        draw(st.sampled_from([1, 1, 1, 1, 1, 1, 0, 2])),
        draw(st.sampled_from([0, 0, 0, 1, 1, -1])),
        draw(st.lists(facts, max_size=4)),
        row,
        draw(st.lists(st.builds(Claim, st.just("s"), st.sampled_from("abc"), st.just(run)), max_size=1)),
        draw(st.sampled_from([{}, {}, {codec.sha256(b"doc"): b"doc"}, {codec.sha256(b"doc"): b"other"}])),
    )


class Model:
    """Applies the same to both, and compares."""

    def __init__(self, sqlite: SqliteJournal, memory: MemoryJournal) -> None:
        self.sqlite, self.memory = sqlite, memory
        self.n = dict.fromkeys(RUNS, 0)

    async def append(self, batch: Append) -> None:
        batch = replace(
            batch, first_n=batch.first_n + self.n[batch.run], at_us=max(0, batch.at_us + self.memory.head.at_us)
        )
        one, two = await self._told(self.sqlite, batch), await self._told(self.memory, batch)
        assert one == two, batch
        if one == "":
            self.n[batch.run] += len(batch.events)

    async def _told(self, journal: Journal, batch: Append) -> str:
        try:
            await journal.append(batch)
        except SkerryError as error:
            return type(error).__name__
        return ""

    async def compare(self) -> None:
        one, two = await _seen(self.sqlite), await _seen(self.memory)
        assert one == two


async def _seen(journal: Journal) -> list[Any]:
    """All that can be read, but for hashes: salts differ."""
    seen: list[Any] = [journal.head[:4], await journal.rows(), await journal.due(3, 2)]
    for run in RUNS:
        seen += [await journal.row(run), await _plain(await journal.events(run))]
        seen += [await _plain(await journal.events(run, after_n=1, limit=2))]
    seen += [await journal.rows(status=["running", "done"], limit=2), await journal.rows(before="a-3")]
    seen += [await journal.answer("s", id) for id in "abc"]
    seen.append({row.run: await _plain(recorded) async for row, recorded in journal.unfinished()})
    return seen


async def _plain(recorded: Sequence[Any]) -> list[Any]:
    return [(each.header[:7], each.event) for each in recorded]


async def _drive(folder: Path, batches: Sequence[Append], reopen_after: int) -> None:
    disk = MemoryDisk(node="a")
    model = Model(await SqliteJournal.open(folder, node="a", clock=WallClock()), MemoryJournal(disk))
    for number, batch in enumerate(batches):
        await model.append(batch)
        if number == reopen_after:
            await model.compare()
            await model.sqlite.close()
            model.sqlite = await SqliteJournal.open(folder, clock=WallClock())
            model.memory = MemoryJournal(disk)
    await model.compare()
    await model.sqlite.close()


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(batches=st.lists(appends(), max_size=25), reopen_after=st.integers(0, 25))
def test_it_agrees_with_the_model(batches: list[Append], reopen_after: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_drive(Path(folder), batches, reopen_after))
        found = [fault for fault in verify(Path(folder)).faults if fault.what != "run"]  # these rows are made up
        assert found == []
