"""Working hours as calendars state them: VAVAILABILITY (RFC 7953)."""

from __future__ import annotations

import datetime as dt

import msgspec

from skerry_workflows.scheduling.calendar.lines import Component, Line
from skerry_workflows.scheduling.calendar.occurrences import instant, occurrences
from skerry_workflows.scheduling.calendar.periods import Kind, Period, minus
from skerry_workflows.scheduling.calendar.read import Source


class Availability(msgspec.Struct, frozen=True, kw_only=True):
    """`unavailable` is what the calendar's VAVAILABILITY components leave, as busy time of their kind."""

    unavailable: tuple[Period, ...]
    warnings: tuple[str, ...] = ()


def unavailable(source: Source, start: dt.datetime, end: dt.datetime, *, local: dt.tzinfo = dt.UTC) -> Availability:
    """Busy time because nobody said to be available then.

    Each component takes its time from DTSTART to DTEND (open where they are missing) except for the occurrences of its
    AVAILABLE parts. Where components overlap, the one of the highest priority counts (PRIORITY 1 is the highest, 0 or
    none the lowest), and among equals the available time of each.
    """
    window = Period(start=start, end=end, kind="BUSY-UNAVAILABLE")
    busy: list[Period] = []
    free: list[Period] = []
    decided: list[Period] = []
    warnings: list[str] = list(source.warnings)
    for component in sorted(source.calendar.named("VAVAILABILITY"), key=_rank):
        whole = _whole(component, window, local)
        if whole is None:
            continue
        events = tuple(
            Component("VEVENT", _with_uid(part.lines, number), ())
            for number, part in enumerate(component.named("AVAILABLE"))
        )
        zones = source.calendar.named("VTIMEZONE")
        listed = occurrences(Source(calendar=Component("VCALENDAR", (), (*zones, *events))), start, end, local=local)
        warnings.extend(listed.warnings)
        hours = [
            Period(start=instant(one.start, local), end=instant(one.end, local), kind="BUSY") for one in listed.found
        ]
        mine = minus([whole], decided)
        taken = minus(mine, hours)
        busy.extend(taken)
        free.extend(minus(mine, taken))
        decided.append(whole)
    return Availability(unavailable=tuple(minus(busy, free)), warnings=tuple(dict.fromkeys(warnings)))


def _rank(component: Component) -> int:
    said = component.value("PRIORITY")
    priority = int(said) if said.isascii() and said.isdigit() else 0
    return priority if 1 <= priority <= 9 else 10


def _whole(component: Component, window: Period, local: dt.tzinfo) -> Period | None:
    """The part of the window that it speaks of."""
    said = component.value("BUSYTYPE").upper()
    kinds: dict[str, Kind] = {"BUSY": "BUSY", "BUSY-TENTATIVE": "BUSY-TENTATIVE"}
    kind: Kind = kinds.get(said, "BUSY-UNAVAILABLE")
    if component.first("DTSTART") is None:
        if component.first("DTEND") is None:
            return Period(start=window.start, end=window.end, kind=kind)
        component = component.with_line(Line("DTSTART", (), "19000101T000000Z"))
    elif component.first("DTEND") is None and component.first("DURATION") is None:
        component = component.with_line(Line("DTEND", (), "22000101T000000Z"))
    event = Component("VEVENT", _with_uid([line for line in component.lines if line.name in _TIMES], 0), ())
    listed = occurrences(Source(calendar=Component("VCALENDAR", (), (event,))), window.start, window.end, local=local)
    for one in listed.found:
        start, end = max(window.start, instant(one.start, local)), min(window.end, instant(one.end, local))
        return Period(start=start, end=end, kind=kind)
    return None


_TIMES = ("DTSTART", "DTEND", "DURATION")


def _with_uid(lines: tuple[Line, ...] | list[Line], number: int) -> tuple[Line, ...]:
    """Every part is a series of its own here, whatever its UID, unless it is an exception of another."""
    has = any(line.name == "UID" for line in lines)
    return tuple(lines) if has else (*lines, Line("UID", (), f"available-{number}"))
