"""Series of meetings: the days of a rule, and how long it goes on, as far as a message says."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator, Sequence

import msgspec

from skerry_workflows.scheduling.phrases.language import Lexicon
from skerry_workflows.scheduling.phrases.lexer import Token
from skerry_workflows.scheduling.phrases.model import Length, Reading, Series

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_AHEAD_DAYS = 800
_DAY_S = 86_400
_FINE = ("second", "minute", "hour")


def first_days(rule: str, now: dt.datetime) -> Iterator[dt.datetime]:
    """The days on which a rule of `grammar.sets` strikes, from today on; none where it does not say on which."""
    parts = dict(part.split("=") for part in rule.split(";") if part)
    if not any(key.startswith("BY") for key in parts) and parts.get("FREQ") != "DAILY":
        return
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for number in range(_AHEAD_DAYS):
        day = today + number * dt.timedelta(days=1)
        if _strikes(day, parts):
            yield day


def _strikes(day: dt.datetime, parts: dict[str, str]) -> bool:
    length = calendar.monthrange(day.year, day.month)[1]
    if "BYMONTH" in parts and day.month != int(parts["BYMONTH"]):
        return False
    if "BYMONTHDAY" in parts:
        wanted = int(parts["BYMONTHDAY"])
        return day.day == (wanted if wanted > 0 else length + 1 + wanted)
    if "BYDAY" not in parts:
        return True
    for each in parts["BYDAY"].split(","):
        place = int(each[:-2] or 0)
        of_month = (day.day - 1) // 7 + 1 if place >= 0 else -((length - day.day) // 7 + 1)
        if _DAYS[day.weekday()] == each[-2:] and place in (0, of_month):
            return True
    return False


def series_of(
    recurring: Reading, readings: Sequence[Reading], tokens: tuple[Token, ...], words: Lexicon, first: dt.datetime
) -> Series:
    """The rule of a series whose first meeting is at `first`, with its end, where one was said."""
    if not recurring.repeats:
        return Series(rule="")
    times = _times(tokens, words)
    if times:
        return Series(rule=f"{recurring.repeats};COUNT={times}", ends=True)
    until = _until(readings, first)
    if until is None:
        return Series(rule=recurring.repeats)
    return Series(rule=f"{recurring.repeats};UNTIL={until.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}", ends=True)


def recurring_in(readings: Sequence[Reading]) -> Reading | None:
    """The series that is wanted; of "a fortnightly call on Mondays at 9" both parts together."""
    said = [each for each in readings if each.kind == "recurring" and not each.negated]
    days = next((each for each in said if "BY" in each.repeats), None)
    if days is None:
        return next((each for each in said if each.repeats), said[0] if said else None)
    apart = next((each for each in said if "INTERVAL" in each.repeats and "BY" not in each.repeats), None)
    frequency = days.repeats.partition(";")[0]
    if apart is None or "INTERVAL" in days.repeats or not apart.repeats.startswith(frequency):
        return days
    return msgspec.structs.replace(days, repeats=days.repeats.replace(frequency, apart.repeats, 1))


def begins(readings: Sequence[Reading]) -> Reading | None:
    """From when on it is wanted: "starting next Monday", "from 9 March"."""
    for reading in readings:
        span = reading.span
        if span is None or reading.negated or span.grain in _FINE:
            continue
        if span.start and (reading.kind == "interval" or (reading.kind == "open" and span.end is None)):
            return reading
    return None


def lasts(reading: Reading) -> bool:
    """Whether a length is that of a series ("for six weeks") and not of a meeting."""
    return reading.length is not None and reading.length.total_seconds >= _DAY_S


def _until(readings: Sequence[Reading], first: dt.datetime) -> dt.datetime | None:
    """Its last moment: "until the end of June", "for six weeks", "for the next three months"."""
    for reading in readings:
        span = reading.span
        if reading.negated:
            continue
        if reading.length is not None and lasts(reading):
            return _later(first, reading.length) - dt.timedelta(seconds=1)
        ends = reading.kind == "interval" or (reading.kind == "open" and span is not None and span.start is None)
        if span is not None and span.end is not None and ends and span.grain not in _FINE and span.end > first:
            return span.end - dt.timedelta(seconds=1)
    return None


def _later(start: dt.datetime, length: Length) -> dt.datetime:
    from skerry_workflows.scheduling.phrases.calendar_units import add_months

    return add_months(start, int(length.months)) + dt.timedelta(days=length.days, seconds=length.seconds)


def _times(tokens: tuple[Token, ...], words: Lexicon) -> int:
    """How often: "six times", "6 sessions"; 0 where that is not said."""
    for at, token in enumerate(tokens):
        senses = words.senses(tokens, at)
        numbers = [(meaning, count) for kind, meaning, count in senses if kind == "NUM"]
        if token.text.isdecimal() and len(token.text) < 4:
            numbers.append((int(token.text), 1))
        for number, count in numbers:
            after = at + count
            times = [taken for kind, _, taken in words.senses(tokens, after) if kind == "TIMES"]
            each = {kind for taken in times for kind, _, _ in words.senses(tokens, after + taken)}
            if times and isinstance(number, int) and number > 1 and not each & {"PER", "EVERY"}:
                return number
    return 0
