"""What times in words are read as: readings, wishes for a meeting, deadlines."""

from __future__ import annotations

import datetime as dt
from typing import Literal, TypeAlias

import msgspec

Grain: TypeAlias = Literal["second", "minute", "hour", "day", "week", "month", "quarter", "year", "decade", "century"]
"""How exactly a time was said: "at 14:30" to the minute, "in March" to the month."""

Kind: TypeAlias = Literal["point", "interval", "open", "duration", "recurring"]
"""`point` is one unit of its grain (a minute, a day, "next week"); `interval` has a beginning and an end of its own;
`open` lacks one of the two ("after 5pm"); `duration` is a length and no time; `recurring` is a series ("every
Monday")."""


class Length(msgspec.Struct, frozen=True):
    """A length of time. Months have no fixed length, so they are kept apart from days, and days from hours."""

    months: float = 0
    days: float = 0
    seconds: float = 0

    @property
    def total_seconds(self) -> float:
        """Seconds, a month taken as 30 days; from a year on, as a twelfth of 365."""
        days = self.months * (30 if self.months < 12 else 365 / 12)
        return self.seconds + 86400 * (self.days + days)


class Span(msgspec.Struct, frozen=True):
    """From `start` until just before `end`, both with a zone; None is open.

    `last` is the beginning of the last unit that was named: "Monday to Friday" ends before Saturday, and its `last` is
    Friday. Where a time of day was named, it is the end itself; None where nothing was.
    """

    start: dt.datetime | None
    end: dt.datetime | None
    grain: Grain
    last: dt.datetime | None = None


class Alternative(msgspec.Struct, frozen=True):
    """Another span that the same words can mean, and why, for people."""

    span: Span
    reason: str


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One time expression of a text.

    `begin` and `stop` are its place: `text[begin:stop] == words`. `span` is the likeliest meaning, None for a duration
    and what recurs. `doubts` say for people why it is not sure; the likely other meanings are `alternatives`.
    """

    words: str
    begin: int
    stop: int
    kind: Kind
    span: Span | None = None
    length: Length | None = None
    alternatives: tuple[Alternative, ...] = ()
    doubts: tuple[str, ...] = ()
    negated: bool = False
    """Excluded, not proposed: "not Friday", "except in the morning"."""
    dated: bool = True
    """False where only a time of day was said, and the day of `span` is the next one that has it."""
    repeats: str = ""
    """Of a series the RRULE (RFC 5545) without its end; empty where it cannot be told."""
    first: Span | None = None
    """Of a series its first time from now on: a day, where no time of day was said."""
    language: str = "en"

    @property
    def sure(self) -> bool:
        """Whether it may be acted on without asking back."""
        return not self.doubts


class Window(msgspec.Struct, frozen=True):
    """A stretch of time in which a meeting may (or, excluded, may not) be; `words` is where it was said."""

    start: dt.datetime | None
    end: dt.datetime | None
    words: str


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """That a meeting repeats: an RRULE (RFC 5545) from its first time on, empty where it cannot be told. With `ends` it
    has its UNTIL or COUNT."""

    rule: str
    ends: bool = False


class MeetingWish(msgspec.Struct, frozen=True, kw_only=True):
    """What a message asks for, before anybody looked into a calendar.

    `windows` are alternatives, in the order said; the meeting is wanted in one of them and in none of `excluded`. With
    `exact`, the start of each window is the start of the meeting. `recurring` holds the words of a wish for a series:
    `series` is its rule, and the windows are those of its first meeting. `unclear` says what must be known before
    anything is booked, and `questions` asks for it, one question each. `sure` when there are none.
    """

    windows: tuple[Window, ...] = ()
    excluded: tuple[Window, ...] = ()
    exact: bool = False
    duration: Length | None = None
    people: tuple[str, ...] = ()
    """Names and addresses as they were written, without the reader's own."""
    place: str | None = None
    flexible: bool = False
    moves: bool = False
    """Whether a meeting that there is already is to be at another time."""
    recurring: str | None = None
    series: Series | None = None
    readings: tuple[Reading, ...] = ()
    unclear: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()

    @property
    def sure(self) -> bool:
        """Whether slots can be looked for without asking back."""
        return not self.unclear


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """By when something is wanted: before `due` (an instant with a zone); `reading` is where it was said."""

    due: dt.datetime
    reading: Reading

    @property
    def sure(self) -> bool:
        """Whether it may be acted on without asking back."""
        return self.reading.sure
