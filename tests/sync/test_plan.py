"""Where a node goes on, and what a hub takes: over random lives of a node, with restores and lost streams."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.core.chain import Header
from skerry.errors import DataError
from skerry.sync import page as pages
from skerry.sync import wire
from skerry.sync.page import Page
from skerry.sync.plan import START, Apart, Gap, Known, Place, Ship, Stuck, Take, judge, plan
from tests.sync.test_page import chained


class Journal:
    """A node's journal: a list of headers with salts and bodies."""

    def __init__(self) -> None:
        self.lines: list[list[Any]] = []
        self.epoch = 1

    def end(self) -> int:
        return len(self.lines)

    def hash_at(self, seq: int) -> bytes | None:
        if seq == 0:
            return START.hash
        return Header(*self.lines[seq - 1][:9]).hash() if seq <= len(self.lines) else None

    def first_after(self, epoch: int) -> int:
        return next((int(line[0]) for line in self.lines if line[1] > epoch), len(self.lines) + 1)

    def append(self, count: int) -> None:
        previous = self.hash_at(self.end())
        assert previous is not None
        self.lines += chained([b"{}"] * count, first=self.end() + 1, epoch=self.epoch, previous=previous)

    def page(self, after: int, count: int) -> Page:
        """As the uplink cuts them: of one epoch."""
        lines = self.lines[after : after + count]
        lines = [line for line in lines if line[1] == lines[0][1]]
        return pages.read(pages.write("n", lines[0][1], lines, []))


class Hub:
    """What a hub does, in memory."""

    def __init__(self) -> None:
        self.place = START
        self.chain: dict[int, tuple[int, bytes]] = {}
        self.all: dict[tuple[int, int], bytes] = {}
        self.apart: list[Page] = []

    def take(self, page: Page) -> object:
        verdict = judge(
            self.place,
            page,
            hash_at=lambda seq: START.hash if seq == 0 else self.chain[seq][1],
            hash_of=lambda epoch, seq: self.all.get((epoch, seq)),
        )
        if isinstance(verdict, Take):
            if verdict.cut is not None:
                for seq in range(verdict.cut + 1, self.place.seq + 1):
                    del self.chain[seq]
            for event in page.events[verdict.skip :]:
                assert (event.epoch, event.seq) not in self.all, "twice"
                self.chain[event.seq] = (event.epoch, event.hash)
                self.all[event.epoch, event.seq] = event.hash
            self.place = Place(page.epoch, page.last, page.hash)
        elif isinstance(verdict, Apart):
            self.apart.append(page)
        return verdict


def sync(journal: Journal, hub: Hub, there: Place, stream: list[Page], size: int) -> Place:
    """Ships everything, from where the last cursor is; the place of the new one."""
    found = plan(there, journal)
    assert isinstance(found, Ship), found
    after = found.after
    while after < journal.end():
        page = journal.page(after, size)
        stream.append(page)
        hub.take(page)
        after = page.last
        there = Place(page.epoch, page.last, page.hash)
    return there


@given(st.integers(0, 2**32))
def test_through_any_life_the_hub_has_what_the_node_has(seed: int) -> None:
    """Events, restores from older copies, streams that lose their end or all, hubs that are put back."""
    dice = random.Random(seed)
    journal, hub, there = Journal(), Hub(), START
    stream: list[Page] = []
    for _ in range(dice.randrange(1, 12)):
        journal.append(dice.randrange(1, 9))
        what = dice.choice(("sync", "sync", "restore", "stream", "hub", "again"))
        if what == "restore" and journal.end() > 1:
            journal.lines = journal.lines[: dice.randrange(1, journal.end())]
            journal.epoch += 1
            journal.append(dice.randrange(1, 4))
        elif what == "stream":  # its server is put back: the cursor is an older one
            stream = stream[: dice.randrange(len(stream) + 1)]
            there = Place(stream[-1].epoch, stream[-1].last, stream[-1].hash) if stream else START
        elif what == "hub":  # a new store, made of the stream; what is missing there is asked for
            hub = Hub()
            for page in stream:
                hub.take(page)
            there = hub.place
        elif what == "again":  # the stream is read again: nothing is new
            before = dict(hub.all)
            for page in stream:
                hub.take(page)
            assert hub.all == before
        there = sync(journal, hub, there, stream, dice.randrange(1, 7))
        assert [hub.chain[seq][1] for seq in sorted(hub.chain)] == [
            journal.hash_at(seq) for seq in range(1, journal.end() + 1)
        ]
        assert not hub.apart


def test_a_journal_that_was_put_back_without_a_word_ships_nothing() -> None:
    journal = Journal()
    journal.append(10)
    there = Place(1, 10, journal.hash_at(10) or b"")
    journal.lines = journal.lines[:5]
    assert plan(there, journal) == Stuck("behind", *plan(there, journal)[1:])
    journal.append(7)
    forked = plan(there, journal)
    assert isinstance(forked, Stuck)
    assert forked.why == "fork"
    assert "--restored" in forked.hint
    journal.epoch = 2
    assert isinstance(plan(there, journal), Stuck), "what it did before it was said is not to be told apart"


def test_a_restored_journal_goes_on_from_where_it_was() -> None:
    journal = Journal()
    journal.append(10)
    there = Place(1, 10, journal.hash_at(10) or b"")
    journal.lines = journal.lines[:5]
    journal.epoch = 2
    assert plan(there, journal) == Ship(5)
    journal.append(3)
    assert plan(there, journal) == Ship(5)
    hub = Hub()
    assert isinstance(hub.take(journal.page(0, 5)), Take)


def test_the_old_copy_is_fenced_when_it_returns() -> None:
    old = Journal()
    old.append(6)
    new = Journal()
    new.lines, new.epoch = old.lines[:4], 2
    new.append(2)
    hub = Hub()
    hub.take(new.page(0, 9))
    assert isinstance(hub.take(new.page(4, 9)), Take)
    there = hub.place
    stuck = plan(there, old)
    assert isinstance(stuck, Stuck)
    assert stuck.why == "superseded"
    assert isinstance(hub.take(old.page(4, 9)), Apart)
    assert isinstance(hub.take(old.page(0, 4)), Known)
    assert hub.place == there


def test_a_gap_and_a_fork_are_told() -> None:
    journal, other, hub = Journal(), Journal(), Hub()
    journal.append(9)
    other.append(9)
    assert isinstance(hub.take(journal.page(3, 2)), Gap)
    hub.take(journal.page(0, 4))
    assert isinstance(hub.take(other.page(4, 2)), Apart)
    assert isinstance(hub.take(other.page(0, 4)), Apart)
    assert isinstance(hub.take(other.page(0, 9)), Apart)
    overlapping = hub.take(journal.page(2, 5))
    assert overlapping == Take(skip=2)
    assert hub.place.seq == 7


@pytest.mark.parametrize("text", ["xyz", "00", "0" * 63])
def test_what_is_no_hash_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        wire.digest(text)
    with pytest.raises(DataError):
        wire.decode_cursor(text.encode())
