"""What every `Journal` does. Each test names the promise (J1 to J9, docs/journal.md) that it is about.

class TestMine(JournalSuite):
    async def open(self, folder: Path) -> Journal:
        return await MyJournal.open(folder)
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace

from skerry.core import codec, events
from skerry.core.answers import Objection
from skerry.core.chain import GENESIS
from skerry.core.events import AnyEvent, Event, RunCompleted, RunStarted, SignalReceived, StateEntered, StepCompleted
from skerry.core.projection import RunRow, Status
from skerry.errors import Conflict, DataError, JournalError, NotFound
from skerry.ports import Append, Claim, Journal, Recorded

ONE = Raw(b"1")
LARGE = Raw(b'"' + b"x" * 5000 + b'"')
"""A value that does not fit into a body."""


def started(run: str, **fields: object) -> RunRow:
    """The row of a run that has just begun; `fields` replace its defaults."""
    row = RunRow(run=run, workflow="invoice", version=1, started_us=1, updated_us=1)
    return msgspec.structs.replace(row, **fields)


def step(number: int, value: Raw = ONE) -> StepCompleted:
    """The outcome of a step."""
    return StepCompleted(step=str(number), kind="call", target="price", value=value)


def begin(run: str, *, at_us: int = 1, **fields: object) -> Append:
    """The first append of a run: started, and in its first state."""
    facts = [
        RunStarted(workflow="invoice", version=1),
        StateEntered(entry=1, state="Extract", value=Raw(b"{}")),
    ]
    return Append(run, 1, at_us, facts, started(run, **{"entry_n": 2, **fields}))


async def whole(journal: Journal, run: str) -> list[AnyEvent | None]:
    """A run's events without their headers."""
    return [recorded.event for recorded in await journal.events(run)]


class JournalSuite:
    """Subclass it with `open`. Needs pytest and pytest-asyncio (`asyncio_mode = "auto"`)."""

    @abstractmethod
    async def open(self, folder: Path) -> Journal:
        """The journal of a folder: a new one the first time; the same, reopened, after it was closed."""

    @pytest.fixture
    async def journal(self, tmp_path: Path) -> AsyncIterator[Journal]:
        """An empty journal."""
        journal = await self.open(tmp_path / "data")
        yield journal
        await journal.close()

    async def reopened(self, journal: Journal, folder: Path) -> Journal:
        """The same journal as the next process finds it."""
        await journal.close()
        return await self.open(folder)

    # --- J1: places ---------------------------------------------------------------------------------------------------

    async def test_j1_an_empty_journal_begins_at_nothing(self, journal: Journal) -> None:
        assert journal.head.seq == 0
        assert journal.head.at_us == 0
        assert journal.head.hash == GENESIS
        assert journal.head.epoch >= 1
        assert journal.head.node

    async def test_j1_every_event_has_its_two_places_without_gaps(self, journal: Journal) -> None:
        await journal.append(begin("a-1"))
        await journal.append(begin("a-2"))
        await journal.append(Append("a-1", 3, 1, [step(1), step(2)]))
        one, two = await journal.events("a-1"), await journal.events("a-2")
        assert [(each.header.seq, each.header.n) for each in one] == [(1, 1), (2, 2), (5, 3), (6, 4)]
        assert [(each.header.seq, each.header.n) for each in two] == [(3, 1), (4, 2)]
        assert {each.header.run for each in one} == {"a-1"}
        assert {each.header.epoch for each in one + two} == {journal.head.epoch}

    async def test_j1_places_are_taken_at_once_in_the_order_of_the_calls(self, journal: Journal) -> None:
        waiting = [journal.append(begin(f"a-{number}")) for number in range(50)]
        assert journal.head.seq == 100
        await asyncio.gather(*waiting)
        for number in range(50):
            headers = [each.header for each in await journal.events(f"a-{number}")]
            assert [header.seq for header in headers] == [2 * number + 1, 2 * number + 2]

    @pytest.mark.parametrize("first_n", [0, 1, 2, 4, 9])
    async def test_j1_a_taken_place_and_a_gap_are_refused(self, journal: Journal, first_n: int) -> None:
        await journal.append(begin("a-1"))
        before = journal.head
        with pytest.raises(Conflict):
            await journal.append(Append("a-1", first_n, 1, [step(1)]))
        assert journal.head == before
        await journal.append(Append("a-1", 3, 1, [step(1)]))

    async def test_j1_a_new_run_begins_at_one_and_with_its_row(self, journal: Journal) -> None:
        with pytest.raises(Conflict):
            await journal.append(Append("a-1", 2, 1, [step(1)], started("a-1")))
        with pytest.raises(Conflict):
            await journal.append(Append("a-1", 1, 1, [step(1)]))
        with pytest.raises(Conflict):
            await journal.append(Append("a-1", 1, 1, [step(1)], started("a-2")))
        assert journal.head.seq == 0

    async def test_j1_the_node_has_a_history_of_its_own(self, journal: Journal) -> None:
        await journal.append(Append("", 1, 1, [events.NodeStarted(node="a", software="1")]))
        await journal.append(begin("a-1"))
        await journal.append(Append("", 2, 1, [events.NodeStarted(node="a", software="2")]))
        assert [each.header.seq for each in await journal.events("")] == [1, 4]
        assert await journal.rows() == [await journal.row("a-1")]

    async def test_j1_a_reopened_journal_goes_on_where_it_ended(self, journal: Journal, tmp_path: Path) -> None:
        await journal.append(begin("a-1", at_us=7))
        head = journal.head
        again = await self.reopened(journal, tmp_path / "data")
        try:
            assert again.head == head
            with pytest.raises(Conflict):
                await again.append(Append("a-1", 2, 7, [step(1)]))
            await again.append(Append("a-1", 3, 7, [step(1)]))
            assert [each.header.seq for each in await again.events("a-1")] == [1, 2, 3]
        finally:
            await again.close()

    # --- J2, J3: on disk, or nothing ----------------------------------------------------------------------------------

    async def test_j2_what_was_awaited_is_there_after_reopening(self, journal: Journal, tmp_path: Path) -> None:
        await asyncio.gather(*(journal.append(begin(f"a-{number}")) for number in range(100)))
        again = await self.reopened(journal, tmp_path / "data")
        try:
            assert len(await again.rows(limit=1000)) == 100
            assert await whole(again, "a-99") == list(begin("a-99").events)
        finally:
            await again.close()

    async def test_j2_close_waits_for_what_was_appended(self, journal: Journal, tmp_path: Path) -> None:
        waiting = [journal.append(begin(f"a-{number}")) for number in range(10)]
        again = await self.reopened(journal, tmp_path / "data")
        try:
            await asyncio.gather(*waiting)
            assert again.head.seq == 20
        finally:
            await again.close()

    async def test_j2_a_closed_journal_takes_nothing(self, journal: Journal) -> None:
        await journal.close()
        with pytest.raises(JournalError):
            await journal.append(begin("a-1"))

    async def test_j2_a_cancelled_wait_does_not_take_the_event_back(self, journal: Journal) -> None:
        async def append() -> None:
            await journal.append(begin("a-1"))

        task = asyncio.create_task(append())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await journal.append(Append("a-1", 3, 1, [step(1)]))
        assert len(await journal.events("a-1")) == 3

    async def test_j3_a_refused_append_leaves_no_trace(self, journal: Journal) -> None:
        await journal.append(replace(begin("a-1"), claims=[Claim("folder", "x", "a-1")]))
        before = journal.head
        data = b"a document"
        batch = replace(begin("a-2"), claims=[Claim("folder", "y", "a-2"), Claim("folder", "x", "a-2")])
        with pytest.raises(Conflict):
            await journal.append(replace(batch, blobs={codec.sha256(data): data}))
        assert journal.head == before
        assert await journal.row("a-2") is None
        assert await journal.events("a-2") == []
        assert await journal.answer("folder", "y") is None
        with pytest.raises(NotFound):
            await journal.blob(codec.sha256(data))
        await journal.append(replace(begin("a-2"), claims=[Claim("folder", "y", "a-2")]))

    async def test_j3_events_that_cannot_be_encoded_leave_no_trace(self, journal: Journal) -> None:
        before = journal.head
        unfit = StepCompleted(step=cast(str, object()), kind="call", target="x")
        with pytest.raises(Exception, match="object"):
            await journal.append(replace(begin("a-1"), events=[step(1), unfit]))
        assert journal.head == before
        await journal.append(begin("a-1"))
        assert len(await journal.events("a-1")) == 2

    async def test_j3_row_claims_blobs_and_events_come_together(self, journal: Journal) -> None:
        data = b"%PDF-1.7 a document"
        batch = replace(begin("a-1"), claims=[Claim("s", "1", "a-1")], blobs={codec.sha256(data): data})
        await journal.append(batch)
        assert await journal.row("a-1") == batch.row
        assert await journal.answer("s", "1") == "a-1"
        assert await journal.blob(codec.sha256(data)) == data

    async def test_j3_without_events_nothing_takes_a_place(self, journal: Journal) -> None:
        data = b"a document that somebody will refer to"
        await journal.append(begin("a-1", at_us=5))
        head = journal.head
        await journal.append(Append("", 0, 0, (), blobs={codec.sha256(data): data}))
        await journal.append(Append("a-1", 0, 5, (), started("a-1", status="waiting"), [Claim("s", "1", "a-1")]))
        assert journal.head == head
        assert await journal.blob(codec.sha256(data)) == data
        assert await journal.row("a-1") == started("a-1", status="waiting")
        assert await journal.answer("s", "1") == "a-1"
        with pytest.raises(Conflict):
            await journal.append(Append("a-2", 1, 5, (), started("a-2")))
        await journal.append(Append("a-1", 3, 5, [step(1)]))
        await journal.append(begin("a-2", at_us=5))

    # --- J4 to J8: what is recorded -----------------------------------------------------------------------------------

    async def test_j4_a_row_is_replaced_and_the_events_stay(self, journal: Journal) -> None:
        await journal.append(begin("a-1"))
        ended = started("a-1", status="done", ended_us=5, note="all well")
        await journal.append(Append("a-1", 3, 5, [RunCompleted(value=Raw(b"1"))], ended))
        await journal.append(Append("a-1", 4, 5, [step(1)]))
        assert await journal.row("a-1") == ended
        assert len(await journal.events("a-1")) == 4

    async def test_j5_the_headers_form_a_chain(self, journal: Journal) -> None:
        await journal.append(begin("a-1"))
        await journal.append(begin("a-2"))
        headers = [each.header for run in ("a-1", "a-2") for each in await journal.events(run)]
        assert headers[0].previous == GENESIS
        assert [header.previous for header in headers[1:]] == [header.hash() for header in headers[:-1]]
        assert journal.head.hash == headers[-1].hash()

    async def test_j5_equal_bodies_have_different_digests(self, journal: Journal) -> None:
        await journal.append(begin("a-1"))
        await journal.append(Append("a-1", 3, 1, [step(1), step(1)]))
        one, two = (await journal.events("a-1"))[2:]
        assert one.event == two.event
        assert one.header.digest != two.header.digest

    async def test_j7_every_kind_of_event_is_read_as_it_was_written(self, journal: Journal) -> None:
        every = list(one_of_each())
        await journal.append(replace(begin("a-1"), events=every))
        read = await journal.events("a-1")
        assert [each.event for each in read] == every
        assert [each.header.kind for each in read] == [events.kind_of(event) for event in every]

    async def test_j8_a_large_value_is_one_blob_and_is_read_in_place(self, journal: Journal) -> None:
        await journal.append(begin("a-1"))
        large = [step(1, LARGE), SignalReceived(id="1", signal="s", value=LARGE), step(2, Raw(b"2")), step(3, Raw())]
        await journal.append(Append("a-1", 3, 1, large))
        assert await whole(journal, "a-1") == [*begin("a-1").events, *large]
        assert await journal.blob(codec.sha256(bytes(LARGE))) == bytes(LARGE)

    async def test_j8_blobs_go_by_their_content(self, journal: Journal) -> None:
        with pytest.raises(DataError):
            await journal.append(replace(begin("a-1"), blobs={codec.sha256(b"one"): b"another"}))
        for name in (codec.sha256(b"one"), "", "no hash"):
            with pytest.raises(NotFound):
                await journal.blob(name)

    # --- J9: time -----------------------------------------------------------------------------------------------------

    async def test_j9_time_never_goes_back(self, journal: Journal, tmp_path: Path) -> None:
        await journal.append(begin("a-1", at_us=1_000))
        with pytest.raises(Conflict):
            await journal.append(begin("a-2", at_us=999))
        await journal.append(begin("a-2", at_us=1_000))
        assert journal.head.at_us == 1_000
        again = await self.reopened(journal, tmp_path / "data")
        try:
            with pytest.raises(Conflict):
                await again.append(begin("a-3", at_us=999))
        finally:
            await again.close()

    # --- reading ------------------------------------------------------------------------------------------------------

    async def test_rows_are_listed_newest_first_page_by_page(self, journal: Journal) -> None:
        for number in range(10):
            await journal.append(begin(f"a-{number}", workflow="even" if number % 2 == 0 else "odd"))
        assert [row.run for row in await journal.rows(limit=3)] == ["a-9", "a-8", "a-7"]
        assert [row.run for row in await journal.rows(limit=2, before="a-7")] == ["a-6", "a-5"]
        assert [row.run for row in await journal.rows(workflow="even", before="a-4")] == ["a-2", "a-0"]
        assert await journal.rows(before="a-0") == []

    async def test_rows_are_found_by_status(self, journal: Journal) -> None:
        statuses: list[Status] = ["running", "waiting", "review", "failed", "parked", "done", "cancelled"]
        for number, status in enumerate(statuses):
            await journal.append(begin(f"a-{number}", status=status))
        found = await journal.rows(status=["waiting", "done", "failed"])
        assert [row.run for row in found] == ["a-5", "a-3", "a-1"]
        assert [row.run for row in await journal.rows(status=["waiting", "done", "failed"], limit=2)] == ["a-5", "a-3"]
        assert await journal.rows(status=["done"], workflow="other") == []

    async def test_events_are_read_from_any_place(self, journal: Journal) -> None:
        await journal.append(begin("a-1"))
        await journal.append(Append("a-1", 3, 1, [step(number) for number in range(10)]))
        assert [each.header.n for each in await journal.events("a-1", after_n=2, limit=3)] == [3, 4, 5]
        assert await journal.events("a-1", after_n=12) == []
        assert await journal.events("a-9") == []
        assert await journal.row("a-9") is None

    async def test_unfinished_gives_running_runs_from_their_last_entry_on(self, journal: Journal) -> None:
        for number in range(600):
            await journal.append(begin(f"a-{number}", status="running" if number % 2 else "waiting"))
        entered = [step(1), StateEntered(entry=2, state="Post", value=LARGE), step(2)]
        await journal.append(Append("a-1", 3, 1, entered, started("a-1", entry_n=4)))
        await journal.append(Append("a-3", 3, 1, [step(1)], started("a-3", entry_n=0)))
        found: dict[str, list[Recorded]] = {row.run: recorded async for row, recorded in journal.unfinished()}
        assert set(found) == {f"a-{number}" for number in range(1, 600, 2)}
        assert [each.event for each in found["a-1"]] == entered[1:]
        assert [each.header.n for each in found["a-1"]] == [4, 5]
        assert [each.header.n for each in found["a-3"]] == [1, 2, 3]
        assert [each.header.n for each in found["a-599"]] == [2]

    async def test_due_runs_come_earliest_first(self, journal: Journal) -> None:
        for number, wake_us in enumerate([50, 10, 0, 30, 20]):
            await journal.append(begin(f"a-{number}", wake_us=wake_us, status="waiting"))
        await journal.append(begin("a-5", wake_us=5, status="done"))
        await journal.append(begin("a-6", wake_us=6, status="parked"))
        assert await journal.due(30, 10) == [(10, "a-1"), (20, "a-4"), (30, "a-3")]
        assert await journal.due(100, 2) == [(10, "a-1"), (20, "a-4")]
        assert await journal.due(9, 10) == []

    async def test_a_claim_is_answered_for_ever_and_given_once(self, journal: Journal, tmp_path: Path) -> None:
        taking = journal.append(replace(begin("a-1"), claims=[Claim("s", "1", "a-1")]))
        with pytest.raises(Conflict):  # although the first is not on disk yet
            await journal.append(replace(begin("a-2"), claims=[Claim("s", "1", "a-2")]))
        await taking
        await journal.append(replace(begin("a-2"), claims=[Claim("other", "1", "a-2")]))
        again = await self.reopened(journal, tmp_path / "data")
        try:
            assert await again.answer("s", "1") == "a-1"
            assert await again.answer("other", "1") == "a-2"
            assert await again.answer("s", "2") is None
            with pytest.raises(Conflict):
                await again.append(replace(begin("a-3"), claims=[Claim("s", "1", "a-3")]))
        finally:
            await again.close()


def one_of_each() -> list[Event]:
    """An event of every kind, its fields filled."""
    failure = events.Failure(kind="ValueError", message="no", step="1", retryable=True)
    value, place = Raw(b'{"a":[1,2.5,"\xc3\xa4",null]}'), {"step": "1", "kind": "call", "target": "price"}
    held = events.HeldSignal(id="1", signal="Decision", key="k", value=value, by="me")
    objection = Objection(rule="totals", message="do not add up", fields=("net",))
    return [
        RunStarted(workflow="w", version=2, source="folder", event="e", event_id="i", parent="p", priority=3),
        StateEntered(entry=1, state="Extract", seed="s", inbox=(held,), value=value),
        events.StepScheduled(**place, args="d", attempt=2, size="small", due_us=9, value=value),
        StepCompleted(**place, args="d", attempt=2, signal="x", result="Decision", by="me", value=value),
        events.StepErred(**place, failure=failure, attempt=3),
        events.StepCancelled(step="1"),
        events.AttemptFailed(step="1", attempt=1, failure=failure, retry_us=5, by="worker"),
        events.AnswerJudged(
            step="1", attempt=1, size="small", choice="escalate", next="cloud", objections=(objection,),
            model={"name": "m", "tokens": 3, "p": 0.5}, value=value,
        ),
        events.SizePassed(step="1", size="cloud", why="offline", choice="wait", message="it cannot be reached"),
        events.ReviewOpened(step="1", question="?", objections=(objection,), due_us=5, value=value),
        events.ReviewAnswered(step="1", approved=True, by="me", reason="so", overruled=(objection,)),
        events.AnswerRefused(step="1", approved=False, by="me", reason="r", message="late", id="1"),
        events.AnswerAudited(step="1", by="me", reason="so", changed=("total",), value=value),
        events.DriftNoticed(step="1", expected="a", got="b"),
        events.ResultFenced(step="1", attempt=1, reason="late", by="w"),
        SignalReceived(id="1", signal="Decision", key="k", by="me", value=value),
        events.CancelRequested(by="me", reason="r", kill=True),
        events.RunParked(reason="r", step="1", expected="a", got="b"),
        events.RunRetried(from_n=2, by="me", reason="r"),
        events.RunFailed(failure=failure),
        events.RunCancelled(reason="r"),
        RunCompleted(result="Posted", value=value),
        events.NodeStarted(node="n", software="1.2"),
        events.NodeAdopted(node="n", by="m", person="me", reason="r"),
        events.BodiesRemoved(of="a-1", events=3, by="me", reason="pruned"),
    ]  # fmt: skip
