"""Threads: the algorithms of RFC 5256 by example, and what must hold for any set of messages."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry_workflows.email.mbox import read
from skerry_workflows.email.threads import (
    Entry,
    answer,
    base_subject,
    by_ordered_subject,
    by_references,
    conversations,
    is_reply_or_forward,
)

DAY = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)


def entry(number: int, id: str = "", refers: str = "", subject: str = "", minutes: int | None = None) -> Entry:
    sent = DAY + dt.timedelta(minutes=number if minutes is None else minutes)
    return Entry(number, id, tuple(refers.split()), subject, sent)


@pytest.mark.parametrize(
    ("subject", "base", "again"),
    [
        ("Hello", "hello", False),
        ("Re: Hello", "hello", True),
        ("RE[2]: [list] Fwd:  Hello (fwd)", "hello", True),
        ("[list] Hello", "hello", False),
        ("[Fwd: Re: Hello]", "hello", True),
        ("AW: WG: Rechnung", "rechnung", True),
        ("[blob]", "[blob]", False),
        ("Re:", "re:", True),
        ("", "", False),
        ("Regarding: x", "regarding: x", False),
    ],
)
def test_base_subjects(subject: str, base: str, again: bool) -> None:
    assert (base_subject(subject), is_reply_or_forward(subject)) == (base, again)


def test_references() -> None:
    assert answer(by_references([entry(1, "a"), entry(2, "b", "a"), entry(3, "c", "a b"), entry(4, "d", "a")])) == (
        "(1 (2 3)(4))"
    )
    # A message that is not there holds its children together; with one child it does not show.
    assert answer(by_references([entry(1, "b", "a"), entry(2, "c", "a")])) == "((1)(2))"
    assert answer(by_references([entry(1, "b", "a")])) == "(1)"
    # Two that refer to each other.
    assert answer(by_references([entry(1, "a", "b"), entry(2, "b", "a")])) in ("(2 1)", "(1 2)")
    # By subject: replies go under the original, two originals side by side.
    assert answer(by_references([entry(1, "a", subject="x"), entry(2, "b", subject="Re: x")])) == "(1 2)"
    assert answer(by_references([entry(1, "a", subject="x"), entry(2, "b", subject="x")])) == "((1)(2))"
    # Children by date, whatever their numbers.
    late = [entry(1, "a"), entry(2, "b", "a", minutes=9), entry(3, "c", "a", minutes=5)]
    assert answer(by_references(late)) == "(1 (3)(2))"


def test_ordered_subject() -> None:
    sent = [entry(1, subject="a", minutes=4), entry(2, subject="Re: a", minutes=3), entry(3, subject="b", minutes=1)]
    assert answer(by_ordered_subject(sent)) == "(3)(2 1)"


def test_conversations() -> None:
    month = 60 * 24 * 40
    groups = conversations(
        [
            entry(1, "a", subject="Offer"),
            entry(2, "b", "a", subject="Re: Offer"),
            entry(3, "c", subject="Re: Offer"),  # its client refers to nothing
            entry(4, "d", "gone", subject="Re: Offer"),  # an answer to something else
            entry(5, "e", subject="Offer"),
            entry(6, "f", subject="Re: Offer", minutes=month),
        ]
    )
    assert [[each.number for each in group] for group in groups] == [[1, 2, 3], [4], [5], [6]]


_IDS = st.sampled_from(["", "a", "b", "c", "d", "e"])


@given(st.lists(st.tuples(_IDS, st.lists(_IDS, max_size=4), st.sampled_from(["", "x", "Re: x", "y"]))))
def test_every_message_is_in_one_thread(drawn: list[tuple[str, list[str], str]]) -> None:
    entries = [entry(n, id, " ".join(refs), subject) for n, (id, refs, subject) in enumerate(drawn, start=1)]
    numbers = list(range(1, len(entries) + 1))
    for threads in (by_references(entries), by_references(entries, by_subject=False), by_ordered_subject(entries)):
        assert sorted(int(each) for each in re.findall(r"\d+", answer(threads))) == numbers
    assert sorted(each.number for group in conversations(entries) for each in group) == numbers


def test_a_chain_of_thousands() -> None:
    entries = [entry(n, f"m{n}", f"m{n - 1}") for n in range(1, 3001)]
    assert answer(by_references(entries)) == f"({' '.join(str(n) for n in range(1, 3001))})"


def test_mailbox_files() -> None:
    data = (
        b"From a@x.example Fri Feb  7 23:00:01 2025 +0200\nSubject: one\n\nFrom here on\n>From there\n\n"
        b"From b Sat Feb  8 01:00:00 2025\r\nSubject: two\r\n\r\nx\r\n"
    )
    first, second = read(data)
    assert first.data == b"Subject: one\n\nFrom here on\nFrom there\n" and second.data.startswith(b"Subject: two")
    assert first.arrived == dt.datetime(2025, 2, 7, 21, 0, 1, tzinfo=dt.UTC)
    assert second.arrived == dt.datetime(2025, 2, 8, 1, tzinfo=dt.UTC)
