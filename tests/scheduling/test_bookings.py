"""Bookings: one seat at a time, whoever asks, however often, in however many processes."""

from __future__ import annotations

import datetime as dt
import itertools
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.errors import DataError, Unavailable
from skerry_workflows.scheduling.bookings import MEETINGS_MAX, Booking, Bookings, Taken
from skerry_workflows.scheduling.slots.model import Span
from tests.scheduling.booker import NOON

ROOT = Path(__file__).resolve().parents[2]
HOUR = dt.timedelta(hours=1)


def span(start: float, hours: float = 1) -> Span:
    return Span(start=NOON + start * HOUR, end=NOON + (start + hours) * HOUR)


def held(
    bookings: Bookings,
    uid: str,
    start: float = 0,
    *people: str,
    sequence: int = 0,
    key: str = "",
    now: dt.datetime = NOON,
) -> Booking | Taken:
    return bookings.hold(
        uid=uid, sequence=sequence, times=[span(start)],
        people=people or ("ana@example.org",), summary=uid, key=key or f"{uid}-{sequence}",
        now=now, held_until=now + HOUR,
    )  # fmt: skip


def got(what: Booking | Taken) -> Booking:
    assert isinstance(what, Booking), what
    return what


@pytest.fixture
def bookings(tmp_path: Path) -> Bookings:
    return Bookings(tmp_path / "deep" / "bookings.db")


def test_of_two_one_gets_it(bookings: Bookings) -> None:
    first = got(held(bookings, "a"))
    assert held(bookings, "b", 0.5, "ben@example.org", "ANA@example.org") == Taken(
        person="ana@example.org", starts=first.starts, ends=first.ends
    )
    assert isinstance(held(bookings, "c", 0, "ben@example.org"), Booking), "nobody of b was seated"
    assert isinstance(held(bookings, "d", 1), Booking), "what begins when it ends is not in the way"


def test_the_same_key_gets_the_same(bookings: Bookings) -> None:
    first = got(held(bookings, "a"))
    assert held(bookings, "a", 3) == first
    assert bookings.book(first.id) == bookings.book(first.id) == bookings.current("a")


def test_a_hold_ends(bookings: Bookings) -> None:
    first = got(held(bookings, "a"))
    assert isinstance(held(bookings, "b", key="1", now=NOON + 0.9 * HOUR), Taken)
    second = got(held(bookings, "b", key="2", now=NOON + HOUR))
    assert bookings.taken("Ana@example.org", NOON, NOON + HOUR, NOON) == [second]
    with pytest.raises(DataError, match="released meanwhile"):
        bookings.book(first.id)
    bookings.book(second.id)
    assert isinstance(held(bookings, "c", key="3", now=NOON + 50 * HOUR), Taken), "what is booked stays"


def test_a_meeting_moves_and_is_cancelled(bookings: Bookings) -> None:
    first = bookings.book(got(held(bookings, "a")).id)
    second = got(held(bookings, "a", 0.5, sequence=1))
    assert bookings.current("a") == first, "the old time is kept until the new one is booked"
    bookings.book(second.id)
    assert bookings.current("a") == bookings.book(second.id)
    assert isinstance(held(bookings, "b", -0.5), Booking), "the old time is free"
    bookings.release("a")
    bookings.release("a")
    assert bookings.current("a") is None and isinstance(held(bookings, "c", 0.6), Booking)


def test_a_move_that_is_given_up(bookings: Bookings) -> None:
    first = bookings.book(got(held(bookings, "a")).id)
    second = got(held(bookings, "a", 5, sequence=1))
    bookings.release("a", number=second.id)
    assert bookings.current("a") == first


def test_two_moves_at_once_leave_one_time(bookings: Bookings) -> None:
    """Both were decided on the same revision, and the machine died between the booking of one and its calendar."""
    bookings.book(got(held(bookings, "a")).id)
    one, other = got(held(bookings, "a", 5, sequence=1, key="x")), got(held(bookings, "a", 7, sequence=1, key="y"))
    bookings.book(one.id)
    bookings.book(other.id)
    seats = bookings.taken("ana@example.org", NOON - HOUR, NOON + 20 * HOUR, NOON)
    assert [seat.starts for seat in seats] == [NOON + 7 * HOUR]


def test_a_series_takes_all_its_times_or_none(bookings: Bookings) -> None:
    def series(uid: str, *starts: float) -> Booking | Taken:
        return bookings.hold(
            uid=uid, sequence=0, times=[span(start) for start in starts], people=["ana@example.org"], summary="",
            key=uid, now=NOON, held_until=NOON + HOUR,
        )  # fmt: skip

    first = got(series("a", 0, 24, 48))
    taken = series("b", 12, 36, 48.5)
    assert isinstance(taken, Taken) and taken.starts == NOON + 48 * HOUR
    assert isinstance(held(bookings, "c", 12), Booking), "b has none of its times"
    bookings.book(first.id)
    assert bookings.times("a") == [span(0), span(24), span(48)]
    with pytest.raises(DataError, match="at most"):
        series("d", *range(100, 100 + 2 * MEETINGS_MAX + 2, 2))


def test_the_file_itself_refuses(bookings: Bookings) -> None:
    first = got(held(bookings, "a"))
    other = got(held(bookings, "b", 5))
    with pytest.raises(sqlite3.IntegrityError, match="in another meeting then"):
        bookings._db.execute(
            "INSERT INTO seat SELECT ?, 'b', person, starts, ends FROM seat WHERE booking = ?", (other.id, first.id)
        )


def test_messages_are_sent_once(bookings: Bookings) -> None:
    def begin() -> bool:
        return bookings.begin_sending("k", uid="a", sequence=0, method="REQUEST", recipient="x", now=NOON)

    assert begin() and begin(), "nobody saw the end of the first attempt"
    bookings.sent("k")
    assert not begin()


@pytest.mark.parametrize(("people", "key", "hours"), [((), "k", 1), (("a",), "", 1), (("a",), "k", 0)])
def test_what_is_no_hold(bookings: Bookings, people: tuple[str, ...], key: str, hours: int) -> None:
    with pytest.raises(DataError):
        bookings.hold(uid="a", sequence=0, times=[span(0, hours)], people=people, summary="", key=key,
                      now=NOON, held_until=NOON)  # fmt: skip


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    Bookings(path)._db.execute("PRAGMA user_version=99")
    with pytest.raises(Unavailable, match="newer version"):
        Bookings(path)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.sets(st.sampled_from("abc"), min_size=1)), max_size=20)
)
def test_nobody_is_ever_in_two_meetings(tries: list[tuple[int, int, set[str]]]) -> None:
    with Bookings(Path(":memory:")) as bookings:
        sequences: dict[int, int] = {}
        for uid, start, people in tries:
            sequence = sequences[uid] = sequences.get(uid, -1) + 1
            result = held(bookings, str(uid), start / 2, *people, sequence=sequence)
            if isinstance(result, Booking):
                bookings.book(result.id)
        for person in "abc":
            mine = bookings.taken(person, NOON - HOUR, NOON + 20 * HOUR, NOON)
            assert len({one.uid for one in mine}) == len(mine)
            for number, one in enumerate(mine):
                assert all(one.ends <= other.starts or other.ends <= one.starts for other in mine[number + 1 :])


def test_processes_that_want_the_same_at_the_same_instant(tmp_path: Path) -> None:
    path = tmp_path / "bookings.db"
    command = [sys.executable, "-m", "tests.scheduling.booker", str(path)]
    running = [
        subprocess.Popen([*command, name, "40"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for name in ("x", "y", "z")
    ]
    counts = [int(process.communicate(timeout=90)[0]) for process in running]
    with Bookings(path) as bookings:
        seats = bookings.taken("ana@example.org", NOON - HOUR, NOON + 100 * HOUR, NOON)
    assert sum(counts) == len(seats) >= 14, "no slot is left that anybody could have had"
    for one, other in itertools.pairwise(seats):
        assert one.ends <= other.starts
