"""What a message of somebody else does to a calendar (RFC 5546, section 3.2). Pure; who may say what is asked first.

A message of an earlier revision than what the calendar has (SEQUENCE, then DTSTAMP) changes nothing, and the same
message twice does the same as once.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Literal, TypeAlias

import msgspec

from skerry_workflows.scheduling.calendar.lines import Component, Line, address_of, line
from skerry_workflows.scheduling.calendar.occurrences import Occurrence, occurrences
from skerry_workflows.scheduling.calendar.read import Source
from skerry_workflows.scheduling.calendar.unreadable import Unreadable
from skerry_workflows.scheduling.itip import entries as it

Change: TypeAlias = Literal["created", "updated", "cancelled", "answered", "countered", "asked", "ignored"]


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """What a message did. `calendar` is the event's new calendar; with "ignored", "countered" (it is for the organizer
    to decide) and "asked" (REFRESH: send it again) there is none. `why` says it in a sentence."""

    change: Change
    why: str
    calendar: Component | None = None
    crashers: tuple[str, ...] = ()
    """Who answered without being invited."""


def receive(message: Component, existing: Component | None) -> Received:
    """Apply a message to the event that the calendar has under its UID.

    Args:
        message: a VCALENDAR with a METHOD.
        existing: the calendar of the event with this UID; None where there is none.
    """
    method = message.value("METHOD").upper()
    said = it.entries(message)
    if not said:
        return Received(change="ignored", why=f"the {method or 'message'} has no event in it")
    uids = {entry.value("UID") for entry in said} | {entry.value("UID") for entry in it.entries(existing)}
    if len(uids) != 1:
        return Received(change="ignored", why="it is about more than one event")
    if any(entry.name != "VEVENT" for entry in said):
        return Received(change="ignored", why="it is about a task, and only meetings are arranged")
    if method == "PUBLISH":
        return Received(change="ignored", why="it is published to be looked at, and invites nobody")
    if method in ("REQUEST", "ADD"):
        return _taken(message, said, existing)
    if existing is None:
        return Received(change="ignored", why=f"a {method or 'message'} to an event that is not in the calendar")
    if method == "CANCEL":
        return _cancelled(said, existing)
    if method == "REPLY":
        return _answered(said, existing)
    if method == "COUNTER":
        return Received(change="countered", why="somebody proposes another time")
    if method == "REFRESH":
        return Received(change="asked", why="somebody asks for the invitation again")
    if method == "DECLINECOUNTER":
        return Received(change="ignored", why="the proposal was declined, and everything stays as it is")
    return Received(change="ignored", why=f"{method[:30] or 'no method'} says nothing to a calendar")


def objections(message: Component, sender: str) -> tuple[str, ...]:
    """Why a message does not come from who may send it (RFC 5546, section 6.1): sentences for people.

    An answer is its attendee's (or somebody's whom that attendee names in SENT-BY), everything else the organizer's.
    """
    method = message.value("METHOD").upper()
    sender = address_of(sender)
    told: list[str] = []
    for entry in it.entries(message):
        lines = entry.all("ATTENDEE") if method in ("REPLY", "COUNTER", "REFRESH") else entry.all("ORGANIZER")
        allowed = {address_of(a) for one in lines for a in (one.value, one.param("SENT-BY")) if a}
        if sender not in allowed:
            told.append(
                f"the {method} comes from {sender or 'nobody'}, who is not {' or '.join(sorted(allowed)) or '?'}"
            )
    return tuple(dict.fromkeys(told))


def _taken(message: Component, said: tuple[Component, ...], existing: Component | None) -> Received:
    if existing is None:
        return Received(change="created", why="a new event", calendar=message.without("METHOD"))
    known = it.by_instance(it.entries(existing))
    newer = [
        entry for entry in said if it.instance(entry) not in known or not it.is_older(entry, known[it.instance(entry)])
    ]
    if not newer:
        return Received(change="ignored", why="it is older than what the calendar has")
    replaced = it.master(newer) is not None
    fresh = {it.instance(entry): _with_own_alarms(entry, known.get(it.instance(entry))) for entry in newer}
    # With the series come its exceptions: those that are no longer there are gone. Without it, only what comes changes.
    merged = fresh if replaced else {**known, **fresh}
    zones = {zone.text("TZID"): zone for zone in (*existing.named("VTIMEZONE"), *message.named("VTIMEZONE"))}
    others = tuple(part for part in existing.parts if part.name not in (*it.KINDS, "VTIMEZONE"))
    calendar = existing.with_parts((*zones.values(), *others, *merged.values()))
    return Received(change="updated", why="the event has changed", calendar=calendar)


def _with_own_alarms(entry: Component, old: Component | None) -> Component:
    """Reminders are each person's own: an update brings none and takes none away."""
    if old is None:
        return entry
    return entry.with_parts((*(part for part in entry.parts if part.name != "VALARM"), *old.named("VALARM")))


def _cancelled(said: tuple[Component, ...], existing: Component) -> Received:
    known = it.by_instance(it.entries(existing))
    changed = dict(known)
    for entry in said:
        key = it.instance(entry)
        number = str(it.sequence(entry))
        if key in known and it.is_older(entry, known[key]):
            continue
        if not key:
            for at in known:
                changed[at] = _over(changed[at], number)
        else:
            changed[key] = _over(changed.get(key) or _single(known.get(""), entry), number)
    if changed == known:
        return Received(change="ignored", why="it cancels an older revision, or what is cancelled")
    return Received(change="cancelled", why="the event is cancelled", calendar=_with_entries(existing, changed))


def _over(entry: Component, number: str) -> Component:
    return entry.with_line(line("STATUS", "CANCELLED")).with_line(line("SEQUENCE", number))


def _answered(said: tuple[Component, ...], existing: Component) -> Received:
    known = it.by_instance(it.entries(existing))
    changed = dict(known)
    crashers: list[str] = []
    for entry in said:
        key = it.instance(entry)
        base = changed.get(key)
        if base is None:
            series = known.get("")
            if series is None or not _happens(series, entry):
                continue
            base = _single(series, entry)
        if entry.first("SEQUENCE") is not None and it.sequence(entry) < it.sequence(base):
            continue  # an answer to a revision that is no longer asked about
        for answer in entry.all("ATTENDEE"):
            if it.attendee(base, answer.address) is None:
                crashers.append(answer.address)
            asked = it.attendee(known.get(key, base), answer.address) if key in known else None
            base = it.replace_attendee(base, _noted(it.attendee(base, answer.address), answer, entry, bool(asked)))
            changed[key] = base
    if changed == known:
        return Received(change="ignored", why="it answers what is no longer asked")
    return Received(
        change="answered",
        why="somebody has answered",
        calendar=_with_entries(existing, changed),
        crashers=tuple(crashers),
    )


def _noted(asked: Line | None, answer: Line, entry: Component, told: bool) -> Line:
    """The organizer's line of an attendee with the answer on it; and, for whom this very entry was sent (`told`), how
    that went: SCHEDULE-STATUS of RFC 6638, section 7.3."""
    found = re.match(r"\d+\.\d+", entry.value("REQUEST-STATUS"))
    person = asked or Line("ATTENDEE", (), answer.value)
    person = person.with_param("PARTSTAT", answer.param("PARTSTAT").upper() or it.NEEDS_ACTION).with_param("RSVP", "")
    carried = ("DELEGATED-TO", "DELEGATED-FROM") if asked else ("DELEGATED-TO", "DELEGATED-FROM", "CN")
    for name, value in answer.params:
        if name in carried:
            person = person.with_param(name, value)
    return person.with_param("SCHEDULE-STATUS", found[0] if found else "2.0") if told else person


def _with_entries(existing: Component, changed: dict[str, Component]) -> Component:
    """The calendar with these entries, old ones in their places, new ones at the end."""
    left = dict(changed)
    parts = [left.pop(it.instance(part), part) if part.name in it.KINDS else part for part in existing.parts]
    return existing.with_parts((*parts, *left.values()))


def _single(series: Component | None, entry: Component) -> Component:
    """An instance of a series as an entry of its own, at its time in the series."""
    at, place = entry.first("RECURRENCE-ID"), it.place(entry)
    if series is None or at is None or place is None:
        return entry
    start, end = series.first("DTSTART"), series.first("DTEND")
    single = series.without("RRULE", "RDATE", "EXDATE", "EXRULE").with_line(Line("DTSTART", place.params, at.value))
    if start is not None and end is not None:
        single = single.with_line(_shifted(start, end, place))
    return single.with_line(at)


def _shifted(start: Line, end: Line, place: Line) -> Line:
    """DTEND of an instance: as long after it as the series' end after its start, by the clock."""
    try:
        length = it.clock(end.value) - it.clock(start.value)
        form = "%Y%m%d" if len(place.value.strip()) == 8 else "%Y%m%dT%H%M%S"
        ends = (it.clock(place.value) + length).strftime(form) + ("Z" if place.value.strip().endswith("Z") else "")
    except ValueError:
        return end
    return Line("DTEND", place.params, ends)


def _happens(series: Component, entry: Component) -> bool:
    """Whether the series has the instance that an answer is about."""
    place = it.place(entry)
    if place is None:
        return False
    # The instance alone, to see when it would be; then the series around it.
    alone = series.without("RRULE", "RDATE", "EXDATE", "EXRULE").with_line(Line("DTSTART", place.params, place.value))
    try:
        day = it.clock(place.value)
        low, high = day - dt.timedelta(days=2), day + dt.timedelta(days=2)
        times = {one.start for one in _at(alone.without("DTEND", "DURATION"), low, high)}
        return bool(times & {one.start for one in _at(series, low, high)})
    except (ValueError, Unreadable):
        return False


def _at(entry: Component, low: dt.datetime, high: dt.datetime) -> tuple[Occurrence, ...]:
    return occurrences(Source(calendar=Component("VCALENDAR", (), (entry,))), low, high).found
