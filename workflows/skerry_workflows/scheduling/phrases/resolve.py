"""Expressions of time against an instant: from what was said to a stretch of local time, with every other meaning.

`resolve` answers a list: the likeliest slot first, with what makes it doubtful; an empty one where no such time exists.
All is local time of the reader, without a zone.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

from skerry_workflows.scheduling.phrases import dates
from skerry_workflows.scheduling.phrases.calendar_units import UNITS, add_months, floor, step
from skerry_workflows.scheduling.phrases.nodes import (
    Amount,
    Bound,
    Clock,
    Doubtful,
    Edge,
    Either,
    Every,
    Fields,
    Lasting,
    Node,
    Now,
    Offset,
    Part,
    Range,
    SameClock,
    Within,
)
from skerry_workflows.scheduling.phrases.slots import Scope, Slot, doubtful

_DAY = dt.timedelta(days=1)
_MOST = 6  # meanings kept of one expression
_HALF_UNKNOWN = "before or after noon?"
_NEXT_FINER = {
    "year": "month",
    "decade": "year",
    "day": "hour",
    "hour": "minute",
    "minute": "second",
    "second": "second",
}
_LATE_GRAINS = ("second", "minute", "hour")


def resolve(node: Node, scope: Scope) -> list[Slot]:
    """The slots that an expression can mean, the likeliest first; none where there is no such time."""
    try:
        return _resolve(node, scope)[:_MOST]
    except (ValueError, OverflowError):  # beyond the years that a calendar has
        return []


def _resolve(node: Node, scope: Scope) -> list[Slot]:
    match node:
        case Clock():
            return _clock(node, scope)
        case Part():
            return _part(node, scope)
        case Within():
            return _within(node, scope)
        case Range():
            return _range(node, scope)
        case Bound():
            return _bound(node, scope)
        case Either():
            first, second = resolve(node.first, scope), resolve(node.second, scope)
            doubts = first if not second else doubtful(first[:1], node.reason)
            return [*doubts, *(replace(slot, why=node.reason) for slot in second)]
        case Doubtful():
            return doubtful(resolve(node.node, scope), node.reason)
        case Offset():
            return _offset(node, scope)
        case Lasting():
            return [
                Slot(
                    slot.start,
                    _later(slot.start, node.amount, 1),
                    _finer(slot.grain, node.amount.unit),
                    kind="interval",
                )
                for slot in resolve(node.start, scope)[:1]
                if slot.start
            ]
        case Edge():
            return [_edge(node.which, slot, scope) for slot in resolve(node.outer, scope) if slot.start and slot.end]
        case SameClock():
            return [slot for outer in resolve(node.outer, scope) for slot in _same_clock(outer, scope)]
        case Now():
            return [Slot(scope.now, scope.now + dt.timedelta(seconds=1), "second")]
        case Amount() | Every():
            return []
        case _:
            return dates.resolve_date(node, scope, resolve)


# ---- times of day ----------------------------------------------------------------------------------------------------


def _clock(node: Clock, scope: Scope) -> list[Slot]:
    grain = "second" if node.second is not None else "minute" if node.minute is not None else "hour"
    length = dt.timedelta(**{f"{grain}s": 1})
    base = scope.day()
    hours = _hours(node, scope)
    slots: list[Slot] = []
    for hour in hours:
        start = base + dt.timedelta(hours=hour, minutes=node.minute or 0, seconds=node.second or 0)
        if node.zone and scope.conventions.zones:
            start = _from_zone(start, node.zone, scope)
        if scope.within is None and scope.after is None and start < scope.now:
            start += _DAY
        if scope.after is not None and start <= scope.after:
            start += _DAY
        slots.append(Slot(start, start + length, grain, dated=scope.within is not None))
    # The hour that offices would mean is over today: then the other one, perhaps.
    is_over = node.half == "either" and len(hours) > 1 and (hours[0] < hours[1]) != (7 <= node.hour <= 11)
    if node.half == "either" and (is_over or not _plain_hour(node)) and len(slots) > 1:
        slots[0] = replace(slots[0], doubts=(_HALF_UNKNOWN,))
    return [slots[0], *(replace(slot, why=_HALF_UNKNOWN) for slot in slots[1:])]


def _hours(node: Clock, scope: Scope) -> list[int]:
    """The hours that a time can mean, the likelier first: offices meet from 8 to 18 o'clock."""
    if node.half != "either":
        return [node.hour]
    early, late = node.hour % 12, node.hour % 12 + 12
    hours = [early, late] if 7 <= node.hour <= 11 else [late, early]
    if scope.within is not None and scope.within.start and floor(scope.now, "day") == scope.within.start:
        # Today, what is over is not meant.
        hours.sort(key=lambda hour: scope.within_hour(hour, node.minute or 0) < scope.now)
    return hours


def _plain_hour(node: Clock) -> bool:
    """Whether nobody would ask: 8 to 12 before noon, 1 to 4 after it."""
    return node.hour in (8, 9, 10, 11, 12, 1, 2, 3, 4)


def _from_zone(moment: dt.datetime, name: str, scope: Scope) -> dt.datetime:
    there = dates.zone(name)
    return moment.replace(tzinfo=there).astimezone(scope.zone).replace(tzinfo=None) if there else moment


def _same_clock(outer: Slot, scope: Scope) -> list[Slot]:
    """What the clock shows now, on another day: in a longer unit, so far into it as now is into the present one."""
    if outer.start is None:
        return []
    if outer.grain in ("month", "quarter", "year"):
        first = floor(scope.now, outer.grain)
        months = (outer.start.year - first.year) * 12 + outer.start.month - first.month
        start = add_months(scope.now, months)
    else:
        start = scope.now + (outer.start - floor(scope.now, "week" if outer.grain == "week" else "day"))
    start = floor(start, "minute")
    return [replace(outer, start=start, end=step(start, "minute", 1), grain="minute", last=None, kind="point")]


def _part(node: Part, scope: Scope) -> list[Slot]:
    if node.name not in scope.conventions.parts:
        return []
    begin, end = scope.conventions.parts[node.name]
    if node.edge:
        middle = (begin + end) / 2
        begin, end = (begin, middle) if node.edge == "early" else (middle, end)
    base = scope.day()
    start, stop = (base + dt.timedelta(seconds=round(3600 * hour)) for hour in (begin, end))
    if (scope.within is None and scope.after is None and stop <= scope.now) or (scope.after and stop <= scope.after):
        start, stop = start + _DAY, stop + _DAY
    return [Slot(start, stop, "hour", kind="interval", dated=scope.within is not None)]


# ---- put together ----------------------------------------------------------------------------------------------------


def _within(node: Within, scope: Scope) -> list[Slot]:
    slots: list[Slot] = []
    for outer in resolve(node.outer, scope):
        if outer.start is None or outer.end is None:
            continue
        for inner in resolve(node.inner, replace(scope, within=outer, after=None)):
            doubts = outer.doubts + tuple(d for d in inner.doubts if d not in outer.doubts)
            slots.append(replace(inner, doubts=doubts, why=inner.why or outer.why, dated=True))
    # The first meaning of each part comes first; then what differs in one of them.
    return list(dict.fromkeys(slots))


def _range(node: Range, scope: Scope) -> list[Slot]:
    firsts = resolve(node.first, scope)
    slots = _joined_all(node, firsts, scope)
    if not slots and isinstance(node.first, Fields) and scope.within is None:
        # "Between March and now": the first is a past one.
        past = replace(scope, now=add_months(scope.now, -12))
        firsts = resolve(node.first, past)
        slots = _joined_all(node, firsts, scope)
    return _shortest_first(slots, node) if len(firsts) > 1 and len(slots) > 1 else slots


def _joined_all(node: Range, firsts: list[Slot], scope: Scope) -> list[Slot]:
    slots: list[Slot] = []
    for first in firsts:
        if first.start is None:
            continue
        for last in resolve(node.last, _end_scope(node.last, first, scope)):
            if last.start is None or last.end is None or last.start < first.start:
                continue
            slots.append(_joined(node, first, last))
    return slots


def _end_scope(last: Node, first: Slot, scope: Scope) -> Scope:
    """The end is looked for after the beginning, on its day if only a time is said; what counts from now stays."""
    assert first.start is not None
    if isinstance(last, Clock | Part):
        day = floor(first.start, "day")
        within = Slot(day, day + _DAY, "day") if first.dated else None
        return replace(scope, within=within, after=first.start)
    if isinstance(last, Fields):
        return replace(scope, after=first.start)
    return scope


def _joined(node: Range, first: Slot, last: Slot) -> Slot:
    grain = _finer(first.grain, last.grain)
    # "Until now" is as exact as what it is said with.
    if isinstance(node.first, Now):
        grain = last.grain
    elif isinstance(node.last, Now):
        grain = first.grain
    at_instant = last.grain in _LATE_GRAINS and last.kind == "point"
    doubts = first.doubts + tuple(d for d in last.doubts if d not in first.doubts)
    return Slot(
        first.start,
        last.start if at_instant else last.end,
        grain,
        None if last.kind == "interval" else last.start,
        doubts,
        first.why or last.why,
        "interval",
        dated=first.dated or last.dated,
    )


def _shortest_first(slots: list[Slot], node: Range) -> list[Slot]:
    """ "From 2 to 2:30 pm": of the meanings of an hour the one fits that makes the shorter stretch.

    An end that says which half of the day it is leaves no doubt about the beginning.
    """
    clear = isinstance(node.last, Clock) and node.last.half != "either"

    def length(slot: Slot) -> dt.timedelta:
        assert slot.start is not None and slot.end is not None
        return slot.end - slot.start

    shortest = min(length(slot) for slot in slots)
    ordered = sorted(slots, key=lambda slot: length(slot) != shortest)
    if clear and slots:
        only = replace(ordered[0], doubts=tuple(d for d in ordered[0].doubts if d != _HALF_UNKNOWN))
        return [only, *(slot for slot in ordered[1:] if slot.why != _HALF_UNKNOWN)]
    return ordered


def _bound(node: Bound, scope: Scope) -> list[Slot]:
    """ "Before Friday" ends where Friday begins, "by" and "until Friday" where it ends; times of day are instants."""
    slots: list[Slot] = []
    for slot in _begun(node.node, scope) if node.past else resolve(node.node, scope):
        if isinstance(node.node, Edge) and node.node.which in ("end", "late"):
            # "Before the end of the year" is all of it.
            slot = replace(slot, start=slot.end, kind="interval")
        instant = slot.kind == "point" and slot.grain in _LATE_GRAINS
        end = slot.start if instant else slot.end
        bounds: tuple[dt.datetime | None, dt.datetime | None]
        match node.side:
            case "before":
                bounds = (None, slot.start)
            case "after":
                bounds = (end, None)
            case "since":
                bounds = (slot.start, None)
            case _:
                bounds = (None, end)
        named = slot.start if slot.kind == "point" else None
        slots.append(replace(slot, start=bounds[0], end=bounds[1], last=named, kind="open"))
    return slots


def _begun(node: Node, scope: Scope) -> list[Slot]:
    """ "Since Monday", "since October": the last one that has begun."""
    past = replace(scope, conventions=replace(scope.conventions, prefer="past"))
    for origin in (scope.now, add_months(scope.now, -12)):
        found = resolve(node, replace(past, now=origin))
        if found and found[0].start and found[0].start <= scope.now:
            return found
    return resolve(node, scope)


# ---- lengths ---------------------------------------------------------------------------------------------------------


def _later(start: dt.datetime, amount: Amount, sign: int) -> dt.datetime:
    moved = add_months(start, sign * int(amount.months))
    return moved + sign * dt.timedelta(days=amount.days, seconds=amount.seconds)


def _workdays(start: dt.datetime, days: int, sign: int) -> dt.datetime:
    while days > 0:
        start += sign * _DAY
        days -= start.weekday() < 5
    return start


def _offset(node: Offset, scope: Scope) -> list[Slot]:
    amount = node.amount
    slots: list[Slot] = []
    for anchor in resolve(node.anchor, scope):
        if anchor.start is None:
            continue
        if amount.unit == "workday" and amount.days <= 1000:
            start = _workdays(anchor.start, int(amount.days), node.sign)
        else:
            start = _later(anchor.start, amount, node.sign)
        grain = "minute" if amount.unit in _LATE_GRAINS else "day"
        if amount.seconds and grain == "day":
            grain = "minute"
        if amount.unit == "second":
            grain = "second"
        if scope.conventions.offsets == "floored" and anchor.grain == "second":
            start = floor(start, _NEXT_FINER.get(amount.unit, "day"))
        elif grain == "day" and scope.conventions.offsets == "day":
            start = floor(start, "day")
        doubts = anchor.doubts + (("how long exactly?",) if amount.about else ())
        slots.append(Slot(start, step(start, grain, 1), grain, doubts=doubts, why=anchor.why))
    return slots


def _finer(one: str, two: str) -> str:
    known = [grain for grain in (one, two) if grain in UNITS]
    return min(known, key=UNITS.index) if known else "day"


def _edge(which: str, slot: Slot, scope: Scope) -> Slot:
    """The beginning, middle or end of a slot: of a day or week by its working hours and days, else by parts.

    Also its first or second half, what is left of it, and the week that it is in (or one beside).
    """
    assert slot.start is not None and slot.end is not None
    if which in ("earlier", "later"):
        if scope.conventions.edges != "halves" and slot.start <= scope.now < slot.end:
            return _until_now(slot, scope) if which == "earlier" else _from_now(slot, scope)
        which = "early" if which == "earlier" else "late"
    kind, _, number = which.partition(" ")
    if kind == "week":
        start = floor(slot.start, "week") + 7 * int(number) * _DAY
        return replace(slot, start=start, end=start + 7 * _DAY, grain="week", kind="point")
    if kind == "closest":
        away = (int(number) - slot.start.weekday() + 3) % 7 - 3
        return replace(slot, start=slot.start + away * _DAY, end=slot.end + away * _DAY)
    if kind == "rest":
        begin = scope.now if slot.grain == "day" else floor(scope.now, "day")
        return replace(slot, start=begin, grain="hour" if slot.grain == "day" else "day", kind="interval")
    if kind == "from":
        return slot
    if kind == "half":
        middle = _cut(slot, 0.5)
        bounds = (slot.start, middle) if number == "1" else (middle, slot.end)
        return replace(slot, start=bounds[0], end=bounds[1], grain="day", kind="interval")
    if slot.grain == "week" and scope.conventions.edges == "thirds":
        days = {"start": (0, 2), "early": (0, 2), "middle": (2, 3)}.get(which, (3, 5))
        return replace(
            slot, start=slot.start + days[0] * _DAY, end=slot.start + days[1] * _DAY, grain="day", kind="interval"
        )
    if slot.grain == "day":
        hours = {"start": (8, 11), "early": (8, 11), "middle": (11, 14)}
        opens, closes = hours.get(which, (scope.conventions.workday_end - 1, scope.conventions.workday_end))
        day = floor(slot.start, "day")
        return replace(
            slot,
            start=day + dt.timedelta(hours=opens),
            end=day + dt.timedelta(hours=closes),
            grain="hour",
            kind="interval",
        )
    if scope.conventions.edges == "halves":
        parts = {"start": (0, 0.5), "early": (0, 0.5), "middle": (0.33, 0.66)}.get(which, (0.5, 1.0))
    else:
        parts = {"start": (0, 1 / 3), "early": (0, 1 / 3), "middle": (1 / 3, 2 / 3)}.get(which, (2 / 3, 1.0))
    start, end = _cut(slot, parts[0]), _cut(slot, parts[1])
    return replace(slot, start=start, end=end, grain="month" if slot.grain == "year" else "day", kind="interval")


def _until_now(slot: Slot, scope: Scope) -> Slot:
    """ "Earlier today"."""
    return replace(slot, end=scope.now, grain="hour" if slot.grain == "day" else "day", kind="interval")


def _from_now(slot: Slot, scope: Scope) -> Slot:
    """ "Later today", "later this week": what is left of it; of a week the days after today."""
    assert slot.end is not None
    if slot.grain == "day":
        return replace(slot, start=scope.now, grain="hour", kind="interval")
    tomorrow = floor(scope.now, "day") + _DAY
    return replace(slot, start=min(tomorrow, slot.end - _DAY), grain="day", kind="interval")


def _cut(slot: Slot, part: float) -> dt.datetime:
    assert slot.start is not None and slot.end is not None
    if part >= 1:
        return slot.end
    if slot.grain == "year":
        return add_months(slot.start, round(12 * part))
    days = (slot.end - slot.start).days
    if 28 <= days <= 31:
        return slot.start + dt.timedelta(days=round(30 * part))
    return slot.start + dt.timedelta(days=int(days * part))


def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name.

    Raises:
        ValueError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f"there is no time zone {name!r}") from error
