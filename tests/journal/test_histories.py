"""Whole histories, read many at a time: each is what its run's own events say, and damage stays with its run."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skerry.core.api import Prune
from skerry.errors import JournalCorrupt, JournalNewer
from skerry.journal import JournalReader, prune, reader
from skerry.journal.reader import History
from skerry.ports import Append, Recorded
from skerry.testing.conformance.journal import LARGE, ONE, begin, step
from tests.journal.files import fill, opened, pages_of, spoil, tamper

RUNS = [f"a-{number}" for number in range(6)]


class Counting(JournalReader):
    """Notes how many lines each of its queries has brought."""

    brought: ClassVar[dict[str, list[int]]]

    async def _all(self, query: str, values: Any) -> list[Any]:
        found = await super()._all(query, values)
        self.brought.setdefault(query, []).append(len(found))
        return found


async def histories(folder: Path) -> list[History]:
    async with await JournalReader.open(folder) as journal:
        return [history async for history in journal.histories()]


async def one_by_one(folder: Path) -> list[History]:
    async with await JournalReader.open(folder) as journal:
        return [await journal.history(row) async for row in journal.all_rows()]


def plain(found: Sequence[History]) -> list[Any]:
    """In a form that can be compared: errors have no equality."""
    return [(*each[:3], each.damage and (type(each.damage), each.damage.message)) for each in found]


def placed(recorded: Sequence[Recorded]) -> list[Any]:
    return [(header.n, header.at_us, event) for header, event in recorded]


def damaged(found: Sequence[History]) -> dict[str, str]:
    return {each.row.run: each.damage.message for each in found if each.damage is not None}


async def _drive(folder: Path, sizes: Sequence[int], at_once: int) -> None:
    async with opened(folder) as journal:
        for number, size in enumerate(sizes):
            await journal.append(begin(f"a-{number}"))
            for place in range(size):
                value = LARGE if place == 2 else ONE
                await journal.append(Append(f"a-{number}", 3 + place, 1, [step(place, value)]))
        expected = [placed(await journal.events(f"a-{number}")) for number in range(len(sizes))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "_EVENTS_PER_QUERY", at_once)
        Counting.brought = {}
        async with await Counting.open(folder) as counting:
            found = [history async for history in counting.histories()]
    assert [each.row.run for each in found] == [f"a-{number}" for number in range(len(sizes))]
    assert [each.events for each in found] == expected
    assert not damaged(found)
    queries = Counting.brought.get("history_events", [])
    assert sum(queries) == sum(map(len, expected)), "nothing is read twice"
    assert all(lines <= max(at_once, *map(len, expected)) for lines in queries)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(sizes=st.lists(st.integers(0, 9), max_size=8), at_once=st.integers(1, 30))
def test_each_is_what_its_events_say_and_queries_are_bounded(sizes: list[int], at_once: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_drive(Path(folder), sizes, at_once))


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A folder with a sound journal of six runs of nine events; a-3 has the events seq 28 to 36."""
    async with opened(tmp_path / "data") as journal:
        await fill(journal, RUNS)
    return tmp_path / "data"


async def test_events_of_the_node_itself_are_of_no_run(data: Path) -> None:
    async with opened(data) as journal:
        await journal.append(Append("", 1, 20, [step(1)]))
    assert [(each.row.run, len(each.events)) for each in await histories(data)] == [(run, 9) for run in RUNS]


async def test_a_run_whose_events_are_gone_has_none(data: Path) -> None:
    tamper(data, "UPDATE runs SET key = 99 WHERE run = 'a-5'")
    found = await histories(data)
    assert [(each.row.run, len(each.events)) for each in found] == [(run, 9) for run in RUNS[:5]] + [("a-5", 0)]
    assert plain(await one_by_one(data)) == plain(found)


async def test_an_empty_journal_has_none(tmp_path: Path) -> None:
    async with opened(tmp_path):
        pass
    assert await histories(tmp_path) == []


@pytest.mark.parametrize(
    ("change", "kind", "word"),
    [
        ("UPDATE events SET body = CAST('{}' AS BLOB) WHERE seq = 30", JournalCorrupt, "(seq 30)"),
        ("UPDATE events SET version = 99 WHERE seq = 30", JournalNewer, "version 99"),
    ],
)
async def test_a_damaged_event_is_named_for_its_run_and_the_others_are_read(
    data: Path, change: str, kind: type[Exception], word: str
) -> None:
    sound = await histories(data)
    tamper(data, change)
    found = await histories(data)
    assert found[3].row.run == "a-3"
    assert not found[3].events
    assert type(found[3].damage) is kind
    assert word in str(found[3].damage)
    assert found[:3] + found[4:] == sound[:3] + sound[4:]
    assert plain(await one_by_one(data)) == plain(found)


async def test_a_blob_that_is_gone_is_missed_where_it_is_needed(data: Path) -> None:
    async with opened(data) as journal:
        await journal.append(begin("b-1", at_us=20))
    tamper(data, "DELETE FROM blobs")
    found = await histories(data)
    assert set(damaged(found)) == set(RUNS)
    assert len(found[-1].events) == 2


async def test_removed_bodies_are_no_damage(data: Path) -> None:
    async with opened(data) as journal:
        asked = Prune(before_us=11, limit=2, by="ada", reason="policy")
        assert (await prune(journal, asked)).runs == 2
    found = await histories(data)
    assert not damaged(found)
    assert [(each.pruned, len(each.events)) for each in found] == [(True, 0)] * 2 + [(False, 9)] * 4


@pytest.mark.parametrize("what", ["events", "events_by_run"])
async def test_a_corrupt_page_takes_only_its_own_runs_away(tmp_path: Path, what: str) -> None:
    names = [f"a-{number:03}" for number in range(200)]
    async with opened(tmp_path) as journal:
        await fill(journal, names)
    spoil(tmp_path, pages_of(tmp_path, what)[1])
    found = await histories(tmp_path)
    assert [each.row.run for each in found] == names
    assert 0 < len(damaged(found)) < len(names)
    assert plain(await one_by_one(tmp_path)) == plain(found)
