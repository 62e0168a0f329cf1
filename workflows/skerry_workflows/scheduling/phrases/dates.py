"""Dates and stretches of the calendar, against an instant; part of `resolve`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias
from zoneinfo import ZoneInfo

from skerry_workflows.scheduling.phrases.calendar_units import add_months, floor, step
from skerry_workflows.scheduling.phrases.holidays import holiday
from skerry_workflows.scheduling.phrases.nodes import Block, Fields, Named, Node, Nth, Relative, Shift, Years
from skerry_workflows.scheduling.phrases.slots import Scope, Slot, doubtful

Resolve: TypeAlias = Callable[[Node, Scope], list[Slot]]

_DAY = dt.timedelta(days=1)
_WEEK = dt.timedelta(days=7)
_TODAY_OR_NEXT = "today, or in a week?"
_WHICH_WEEK = "this week's or next week's?"
_PAST = "this year's is over since a short while: is that one meant?"
_MISMATCH = "the weekday is another one on that date"
# A date without a year that is over since less than this, and comes again in a long time, may be meant as past.
_JUST_OVER = dt.timedelta(days=60)
# Month and day of the beginnings; a season ends where the next one begins (equinoxes and solstices, north).
_SEASONS = {"spring": (3, 20), "summer": (6, 21), "autumn": (9, 23), "winter": (12, 21)}


def resolve_date(node: Node, scope: Scope, resolve: Resolve) -> list[Slot]:
    """The slots of a date, or of a stretch of days."""
    match node:
        case Fields():
            return _fields(node, scope)
        case Shift():
            return _shift(node, scope)
        case Relative():
            return _relative(node, scope)
        case Block():
            return [_block(node, scope)]
        case Named():
            return _named(node, scope)
        case Nth():
            return [slot for outer in resolve(node.outer, scope) for slot in _nth(node, outer)]
        case Years():
            return [Slot(dt.datetime(node.first, 1, 1), dt.datetime(node.first + node.count, 1, 1), "decade")]
        case _:
            raise TypeError(node)


def zone(name: str) -> ZoneInfo | dt.timezone | None:
    """A zone by its IANA name or its offset (`+05:30`); None where there is none."""
    if name[0] in "+-":
        hours, _, minutes = name[1:].partition(":")
        offset = dt.timedelta(hours=int(hours), minutes=int(minutes or 0))
        return dt.timezone(offset if name[0] == "+" else -offset)
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        return None


# ---- dates by what is said of them -----------------------------------------------------------------------------------


def _slot(start: dt.datetime, grain: str) -> Slot:
    return Slot(start, step(start, grain, 1), grain)


def _candidates(node: Fields, origin: dt.datetime) -> Iterator[dt.datetime]:
    """Beginnings of the days, months or years that fit, from well before the origin on."""
    if node.year is not None and node.month is None and node.day is None and node.weekday is None:
        yield dt.datetime(node.year, 1, 1)
    elif node.month is not None:
        years = range(origin.year - 1, origin.year + 9) if node.year is None else (node.year,)
        for year in years:
            start = _day(year, node.month, node.day or 1)
            if start:
                yield start
    elif node.day is not None:
        base = floor(origin, "month")
        for month in range(-2, 15):
            first = add_months(base, month)
            start = _day(first.year, first.month, node.day)
            if start and (node.weekday is None or start.weekday() == node.weekday):
                yield start
    elif node.weekday is not None:
        base = floor(origin, "week") + dt.timedelta(days=node.weekday)
        yield from (base + week * _WEEK for week in range(-2, 4))


def _day(year: int, month: int, day: int) -> dt.datetime | None:
    try:
        return dt.datetime(year, month, day)
    except ValueError:
        return None


def _fields(node: Fields, scope: Scope) -> list[Slot]:
    slots = _fields_any(node, scope)
    return [slot for slot in slots if _MISMATCH not in slot.doubts] if node.fitting else slots


def _fields_any(node: Fields, scope: Scope) -> list[Slot]:
    grain = "day" if node.day is not None or node.weekday is not None else "month" if node.month is not None else "year"
    if scope.within is not None and scope.within.start and scope.within.end:
        inside = scope.within
        assert inside.start is not None and inside.end is not None
        starts = [s for s in _candidates(node, inside.start) if inside.start <= s < inside.end]
        return [_checked(_slot(starts[0], grain), node)] if starts else []
    candidates = list(_candidates(node, scope.after or scope.now))
    if not candidates:
        return []
    if node.year is not None:
        return [_checked(_slot(candidates[0], grain), node)]
    if scope.after is not None:
        later = [s for s in candidates if s >= scope.after]
        return [_checked(_slot(later[0], grain), node)] if later else []
    today = floor(scope.now, "day")
    future = [s for s in candidates if step(s, grain, 1) > today]
    past = [s for s in candidates if step(s, grain, 1) <= today]
    if not future:
        return []
    if scope.conventions.prefer == "past":
        recent = [s for s in candidates if s <= today or (node.month and s.year == today.year)]
        return [_checked(_slot(recent[-1], grain), node)] if recent else []
    if node.month and node.weekday is not None:
        # Of this year's and the next year's date the one is meant that is on this weekday.
        fitting = [s for s in candidates if s.year - today.year in (0, 1) and s.weekday() == node.weekday]
        future = fitting or future
    if node.weekday is not None and node.day is None and future[0] == today:
        return _same_weekday(future, scope)
    slots = [_checked(_slot(future[0], grain), node)]
    said = node.month is not None or (node.weekday is not None and node.day is not None)
    if past and grain == "day" and said and today - past[-1] < _JUST_OVER < future[0] - today:
        slots = [*doubtful(slots, _PAST), replace(_slot(past[-1], grain), why=_PAST)]
    return slots


def _same_weekday(future: list[dt.datetime], scope: Scope) -> list[Slot]:
    today, week = _slot(future[0], "day"), _slot(future[1], "day")
    first, second = (today, week) if scope.conventions.same_weekday == "today" else (week, today)
    return [*doubtful([first], _TODAY_OR_NEXT), replace(second, why=_TODAY_OR_NEXT)]


def _checked(slot: Slot, node: Fields) -> Slot:
    if node.weekday is not None and slot.start is not None and slot.start.weekday() != node.weekday:
        return doubtful([slot], _MISMATCH)[0]
    return slot


# ---- counted from now ------------------------------------------------------------------------------------------------


def _shift(node: Shift, scope: Scope) -> list[Slot]:
    base = scope.within.start if scope.within and scope.within.start else scope.now
    start = step(floor(base, node.unit), "week" if node.unit == "fortnight" else node.unit, node.offset)
    return [_slot(start, "week" if node.unit == "fortnight" else node.unit)]


def _relative(node: Relative, scope: Scope) -> list[Slot]:
    if isinstance(node.of, Fields) and node.of.weekday is not None:
        return _relative_weekday(node, node.of.weekday, scope)
    if isinstance(node.of, Named) and node.of.what == "weekend":
        return _relative_weekend(node, scope)
    today = floor(scope.now, "day")
    slots = [slot for year in range(-2, 4) for slot in _in_year(node.of, today.year + year)]
    after = [slot for slot in slots if slot.start and slot.start > today]
    before = [slot for slot in slots if slot.end and slot.end <= today]
    this = [slot for slot in slots if slot.start and slot.start.year == today.year]
    if node.offset > 0:
        return after[node.offset - 1 : node.offset]
    if node.offset < 0:
        return before[node.offset :][:1]
    return this[:1]


def _in_year(of: Fields | Named, year: int) -> list[Slot]:
    if isinstance(of, Fields):
        start = _day(year, of.month or 1, of.day or 1)
        return [_slot(start, "day" if of.day else "month")] if start else []
    return _named_in(of, year)


def _relative_weekday(node: Relative, weekday: int, scope: Scope) -> list[Slot]:
    today = floor(scope.now, "day")
    ahead = (weekday - today.weekday()) % 7 or 7
    coming = _slot(today + ahead * _DAY, "day")
    of_week = _slot(floor(today, "week") + weekday * _DAY + node.offset * _WEEK, "day")
    if node.coming:
        return [coming]
    if node.offset < 0:
        recent = _slot(today - ((today.weekday() - weekday) % 7 or 7) * _DAY, "day")
        if node.offset < -1 or recent == of_week:
            return [of_week]
        return [*doubtful([recent], _WHICH_WEEK), replace(of_week, why=_WHICH_WEEK)]
    if node.offset == 0:
        past = of_week.start is not None and of_week.start < today
        return [*doubtful([of_week], _PAST), replace(coming, why=_PAST)] if past else [of_week]
    if node.offset > 1 or coming == of_week:
        return [of_week]
    first, second = (of_week, coming) if scope.conventions.next_weekday == "week" else (coming, of_week)
    return [*doubtful([first], _WHICH_WEEK), replace(second, why=_WHICH_WEEK)]


def _relative_weekend(node: Relative, scope: Scope) -> list[Slot]:
    slot = _weekend(floor(scope.now, "week") + node.offset * _WEEK, scope)
    if node.offset == 1 and scope.now.weekday() < 5:
        this = replace(_weekend(floor(scope.now, "week"), scope), why=_WHICH_WEEK)
        return [*doubtful([slot], _WHICH_WEEK), this]
    return [slot]


def _weekend(monday: dt.datetime, scope: Scope) -> Slot:
    begin, end = scope.conventions.weekend
    saturday = monday + 5 * _DAY
    return Slot(saturday + dt.timedelta(hours=begin), saturday + dt.timedelta(hours=end), "day", kind="interval")


def _block(node: Block, scope: Scope) -> Slot:
    """So many units from now on, or until now. A rolling day block begins tomorrow and ends with today."""
    unit = {"fortnight": "week", "night": "day", "workday": "day"}.get(node.unit, node.unit)
    count = node.count * (2 if node.unit == "fortnight" else 1)
    fine = unit in ("hour", "minute", "second")
    if scope.conventions.blocks == "calendar":
        this = floor(scope.now, unit)
        start, end = (step(this, unit, 1), step(this, unit, 1 + int(count))) if node.forward else (
            step(this, unit, -int(count)), this)  # fmt: skip
    elif node.forward:
        start = scope.now if fine else floor(scope.now, "day") + _DAY
        end = step(start, unit, int(count))
    else:
        end = scope.now if fine else floor(scope.now, "day")
        start = step(end, unit, -int(count))
    return Slot(start, end, unit, kind="interval")


# ---- what has a name -------------------------------------------------------------------------------------------------


def _named(node: Named, scope: Scope) -> list[Slot]:
    if node.what == "weekend":
        return [
            _weekend(floor(scope.within.start if scope.within and scope.within.start else scope.now, "week"), scope)
        ]
    if node.year is not None:
        return _named_in(node, node.year)
    inside = scope.within
    origin = (inside.start if inside else None) or scope.after or scope.now
    slots = [slot for year in range(-1, 3) for slot in _named_in(node, origin.year + year)]
    if inside is not None:
        return [s for s in slots if s.start and inside.start and inside.end and inside.start <= s.start < inside.end][
            :1
        ]
    if node.what in ("quarter", "half"):
        return [s for s in slots if s.start and s.start.year == origin.year][:1]
    return [s for s in slots if s.end and s.end > floor(origin, "day")][:1]


def _named_in(node: Named, year: int) -> list[Slot]:
    if node.what == "holiday":
        day = holiday(node.name, year)
        return [_slot(dt.datetime(day.year, day.month, day.day), "day")] if day else []
    if node.what == "season":
        names = list(_SEASONS)
        following = names[(names.index(node.name) + 1) % 4]
        start = dt.datetime(year, *_SEASONS[node.name])
        end = dt.datetime(year + (node.name == "winter"), *_SEASONS[following])
        return [Slot(start, end, "day", kind="interval")]
    if node.what == "quarter":
        return [_slot(dt.datetime(year, 3 * int(node.name) - 2, 1), "quarter")]
    start = dt.datetime(year, 6 * int(node.name) - 5, 1)
    return [Slot(start, add_months(start, 6), "month", kind="interval")]


# ---- counted inside of something -------------------------------------------------------------------------------------


def _nth(node: Nth, outer: Slot) -> list[Slot]:
    if outer.start is None or outer.end is None:
        return []
    if node.unit.startswith("weekday"):
        weekday = int(node.unit.split()[1])
        first = floor(outer.start, "day")
        first += ((weekday - first.weekday()) % 7) * _DAY
        starts, unit = [first + n * _WEEK for n in range(60) if first + n * _WEEK < outer.end], "day"
    else:
        unit = {"isoweek": "week", "night": "day", "workday": "day", "fortnight": "week"}.get(node.unit, node.unit)
        starts = _units_of(unit, outer)
    index = node.number - 1 if node.number > 0 else len(starts) + node.number - node.count + 1
    if not 0 <= index < len(starts):
        return []
    start = starts[index]
    if node.count > 1 and not node.unit.startswith("weekday"):
        end = step(start, unit, node.count)
        return [Slot(start, end, unit, None, outer.doubts, outer.why, kind="interval")]
    return [replace(_slot(start, unit), doubts=outer.doubts, why=outer.why)]


def _units_of(unit: str, outer: Slot) -> list[dt.datetime]:
    """The beginnings of its days, weeks... A week belongs to where its Thursday is (ISO 8601)."""
    assert outer.start is not None and outer.end is not None
    belongs = dt.timedelta(days=3) if unit == "week" else dt.timedelta()
    start = floor(outer.start, unit)
    starts: list[dt.datetime] = []
    for _ in range(400):
        if start + belongs >= outer.end:
            break
        if start + belongs >= outer.start:
            starts.append(start)
        start = step(start, unit, 1)
    return starts
