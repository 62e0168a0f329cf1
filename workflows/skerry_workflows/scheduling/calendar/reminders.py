"""When reminders go off: the VALARMs of a calendar in a window (RFC 5545, section 3.6.6; snoozing as in RFC 9074)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import msgspec

from skerry_workflows.scheduling.calendar import limits
from skerry_workflows.scheduling.calendar.freebusy import duration
from skerry_workflows.scheduling.calendar.lines import Component, Line
from skerry_workflows.scheduling.calendar.occurrences import Occurrence, instant, occurrences
from skerry_workflows.scheduling.calendar.read import Source

_LEAD_MAX = dt.timedelta(days=60)
"""Triggers are looked for at events up to this long before and after the window; those that name more widen it."""
_FIXED_LEAD_MAX = dt.timedelta(days=800)
"""The same for triggers that are a moment of their own."""


class Reminder(msgspec.Struct, frozen=True, kw_only=True):
    """A moment at which somebody wants to be told of an event, and what its VALARM says."""

    at: dt.datetime
    uid: str
    summary: str
    starts: dt.datetime
    action: str = "DISPLAY"


def reminders(
    source: Source, start: dt.datetime, end: dt.datetime, *, local: dt.tzinfo = dt.UTC
) -> tuple[tuple[Reminder, ...], tuple[str, ...]]:
    """The reminders from `start` up to `end`, by time, each once; and warnings as of `occurrences`."""
    source = Source(
        calendar=source.calendar.with_parts(tuple(map(_as_event, source.calendar.parts))), warnings=source.warnings
    )
    alarms = [alarm for entry in source.entries() for alarm in entry.named("VALARM")]
    if not alarms:
        return (), source.warnings
    reach = max([_LEAD_MAX, *map(_reach, alarms)])
    listed = occurrences(source, start - reach, end + reach, local=local)
    found: set[Reminder] = set()
    for one in listed.found:
        if one.status == "CANCELLED":
            continue
        # An exception that is an entry of its own has its own alarms, or none.
        own = _entry_of(source, one)
        for alarm in own.named("VALARM") if own else ():
            found.update(r for r in _of(alarm, one, own, local) if start <= r.at < end)
    ordered = sorted(found, key=lambda one: (one.at, one.uid, one.action))
    return tuple(ordered), listed.warnings


def _as_event(entry: Component) -> Component:
    """A task (VTODO) as an event that ends when it is due, so that its alarms are found in the same way."""
    if entry.name != "VTODO":
        return entry
    due = entry.first("DUE")
    lines = entry.without("DUE").lines
    if due is not None:
        ends = Line("DTEND" if entry.first("DTSTART") else "DTSTART", due.params, due.value)
        lines = (*lines, ends)
    done = Component("VEVENT", lines, entry.parts)
    return done.with_line(Line("STATUS", (), "CANCELLED")) if entry.value("STATUS").upper() == "COMPLETED" else done


def _entry_of(source: Source, one: Occurrence) -> Component | None:
    """The entry that an occurrence comes from: the exception with its id, or the master of its series."""
    same = [entry for entry in source.entries() if entry.value("UID") == one.uid]
    exceptions = [entry for entry in same if _id(entry) and _id(entry) == one.recurrence_id]
    masters = [entry for entry in same if not _id(entry)]
    fitting = exceptions or masters
    return fitting[-1] if fitting else None


def _id(entry: Component) -> str:
    return entry.value("RECURRENCE-ID")


def _of(alarm: Component, one: Occurrence, entry: Component | None, local: dt.tzinfo) -> Iterator[Reminder]:
    trigger = alarm.first("TRIGGER")
    if trigger is None or entry is None:
        return
    starts = instant(one.start, local)
    try:
        first = _moment(trigger, starts, instant(one.end, local))
        again = duration(alarm.value("DURATION")) if alarm.value("DURATION") else None
    except ValueError:
        return
    repeats = int(alarm.value("REPEAT")) if re.fullmatch(r"\d{1,6}", alarm.value("REPEAT")) else 0
    for number in range(min(repeats, limits.ALARM_REPEATS_MAX) + 1 if again else 1):
        at = first + (again or dt.timedelta()) * number
        action = alarm.value("ACTION").upper() or "DISPLAY"
        yield Reminder(at=at, uid=one.uid, summary=one.summary, starts=starts, action=action)


def _moment(trigger: Line, starts: dt.datetime, ends: dt.datetime) -> dt.datetime:
    """When it goes off first (section 3.8.6.3)."""
    value = trigger.value.strip().upper()
    if "P" not in value:
        return dt.datetime.strptime(value.removesuffix("Z"), "%Y%m%dT%H%M%S").replace(tzinfo=dt.UTC)
    return (ends if trigger.param("RELATED").upper() == "END" else starts) + duration(value)


def _reach(alarm: Component) -> dt.timedelta:
    """How far from its event it may go off, and a bit."""
    total = dt.timedelta(days=1)
    if "P" not in alarm.value("TRIGGER").upper():
        return _FIXED_LEAD_MAX
    for value in (alarm.value("TRIGGER"), alarm.value("DURATION")):
        try:
            total += abs(duration(value)) * (limits.ALARM_REPEATS_MAX if value == alarm.value("DURATION") else 1)
        except ValueError:
            continue
    return min(total, dt.timedelta(days=3660))
