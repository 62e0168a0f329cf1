"""Events and messages made here: a new event, an answer to an invitation, a proposal of another time."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Sequence

import msgspec

from skerry.errors import DataError
from skerry_workflows.scheduling.calendar.definition import definition
from skerry_workflows.scheduling.calendar.lines import Component, Line, address_of, escape, line
from skerry_workflows.scheduling.calendar.occurrences import instant, occurrences
from skerry_workflows.scheduling.calendar.read import Source
from skerry_workflows.scheduling.itip import entries as it


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with an address; `optional` for one without whom a meeting can be held."""

    address: str
    name: str = ""
    optional: bool = False


def event(
    *,
    uid: str,
    start: dt.datetime,
    end: dt.datetime,
    summary: str,
    organizer: Person,
    attendees: Sequence[Person],
    now: dt.datetime,
    sequence: int = 0,
    location: str = "",
    description: str = "",
    reminder: dt.timedelta | None = None,
    repeat: str = "",
    zone: str = "UTC",
    skipped: Sequence[dt.datetime] = (),
    until: dt.datetime | None = None,
) -> Component:
    """A calendar with one event to which people are invited. Times are instants, written in UTC.

    `reminder` is how long before the start everybody's calendar reminds of it. A series has its rule in `repeat`: its
    times are those of the clock in `zone`, which is defined up to `until`, and those at `skipped` are left out.
    """
    timed, zones = (_in_zone(zone), (definition(zone, start, until or end),)) if repeat else (_in_utc, ())
    lines = [
        line("UID", uid),
        line("DTSTAMP", it.utc(now)),
        line("SEQUENCE", str(sequence)),
        timed("DTSTART", start),
        timed("DTEND", end),
        *([line("RRULE", repeat)] if repeat else []),
        *(timed("EXDATE", one) for one in skipped),
        line("SUMMARY", escape(summary)),
        line("STATUS", "CONFIRMED"),
        line("TRANSP", "OPAQUE"),
        line("ORGANIZER", f"mailto:{address_of(organizer.address)}", CN=organizer.name),
    ]
    if location:
        lines.append(line("LOCATION", escape(location)))
    if description:
        lines.append(line("DESCRIPTION", escape(description)))
    for person in attendees:
        is_host = address_of(person.address) == address_of(organizer.address)
        lines.append(
            Line(
                "ATTENDEE",
                line(
                    "ATTENDEE",
                    "",
                    CN=person.name,
                    ROLE="OPT-PARTICIPANT" if person.optional else "REQ-PARTICIPANT",
                    PARTSTAT="ACCEPTED" if is_host else it.NEEDS_ACTION,
                    RSVP="" if is_host else "TRUE",
                ).params,
                f"mailto:{address_of(person.address)}",
            )
        )
    alarm: tuple[Component, ...] = ()
    if reminder is not None:
        minutes = max(0, int(reminder.total_seconds() // 60))
        said = (line("ACTION", "DISPLAY"), line("DESCRIPTION", escape(summary)), line("TRIGGER", f"-PT{minutes}M"))
        alarm = (Component("VALARM", said),)
    head = (line("VERSION", "2.0"), line("PRODID", it.PRODUCT), line("CALSCALE", "GREGORIAN"))
    return Component("VCALENDAR", head, (*zones, Component("VEVENT", tuple(lines), alarm)))


def _in_utc(name: str, moment: dt.datetime) -> Line:
    return line(name, it.utc(moment))


def _in_zone(zone: str) -> Callable[[str, dt.datetime], Line]:
    """Local times, so that a series stays at ten o'clock when the clocks are changed."""
    where = zoneinfo.ZoneInfo(zone)

    def timed(name: str, moment: dt.datetime) -> Line:
        return line(name, f"{moment.astimezone(where):%Y%m%dT%H%M%S}", TZID=zone)

    return timed


def without(calendar: Component, at: dt.datetime, now: dt.datetime) -> Component:
    """A series' next revision without one of its times. Raises `DataError` where there is no such time."""
    place = _place(calendar, at)
    left = tuple(part for part in calendar.parts if it.instance(part) != _instance(calendar, place))
    new = revised(calendar.with_parts(left), now)

    def change(entry: Component) -> Component:
        return Component(entry.name, (*entry.lines, Line("EXDATE", place.params, place.value)), entry.parts)

    return new.with_parts(tuple(change(part) if _is_master(part) else part for part in new.parts))


def moved(calendar: Component, at: dt.datetime, start: dt.datetime, end: dt.datetime, now: dt.datetime) -> Component:
    """A series' next revision with one of its times moved. Raises `DataError` where there is no such time."""
    place = _place(calendar, at)
    others = tuple(part for part in calendar.parts if it.instance(part) != _instance(calendar, place))
    series = it.master(it.entries(calendar))
    assert series is not None, "it has a time, so it is a series"
    single = series.without("RRULE", "RDATE", "EXDATE", "DURATION", "RECURRENCE-ID")
    single = Component(single.name, (*single.lines, Line("RECURRENCE-ID", place.params, place.value)), single.parts)
    new = revised(calendar.with_parts(others), now)
    return new.with_parts((*new.parts, _revised(single, now, start, end)))


def _is_master(part: Component) -> bool:
    return part.name in it.KINDS and not it.instance(part)


def _instance(calendar: Component, place: Line) -> str:
    return it.instance(Component("VEVENT", (Line("RECURRENCE-ID", place.params, place.value),)))


def _place(calendar: Component, at: dt.datetime) -> Line:
    """A time of a series as its RECURRENCE-ID: that of the rule, wherever the meeting itself was moved to."""
    series = it.master(it.entries(calendar))
    starts = series.first("DTSTART") if series else None
    if series is not None and starts is not None and (series.first("RRULE") or series.first("RDATE")):
        listed = occurrences(Source(calendar=calendar), at, at + dt.timedelta(seconds=1))
        for one in listed.found:
            if instant(one.start) == at and one.uid == series.text("UID") and isinstance(one.start, dt.datetime):
                return Line("RECURRENCE-ID", starts.params, one.recurrence_id)
    raise DataError(f"the series has no meeting at {at.isoformat()}", hint="name the time at which one begins")


def revised(
    calendar: Component, now: dt.datetime, *, start: dt.datetime | None = None, end: dt.datetime | None = None
) -> Component:
    """An event's next revision, at another time where one is given: SEQUENCE goes up, and everybody is asked anew."""
    return calendar.with_parts(
        tuple(_revised(part, now, start, end) if part.name in it.KINDS else part for part in calendar.parts)
    )


def _revised(entry: Component, now: dt.datetime, start: dt.datetime | None, end: dt.datetime | None) -> Component:
    entry = it.with_sequence(it.stamped(entry, now), it.sequence(entry) + 1)
    if start is None or end is None:
        return entry
    entry = entry.without("DURATION").with_line(line("DTSTART", it.utc(start))).with_line(line("DTEND", it.utc(end)))
    host = it.organizer(entry)
    for person in entry.all("ATTENDEE"):
        if person.address != host:
            entry = it.replace_attendee(
                entry, person.with_param("PARTSTAT", it.NEEDS_ACTION).with_param("RSVP", "TRUE")
            )
    return entry


def called_off(calendar: Component, now: dt.datetime) -> Component:
    """The event's last revision: cancelled."""
    return calendar.with_parts(
        tuple(
            part.with_line(line("STATUS", "CANCELLED")) if part.name in it.KINDS else part
            for part in revised(calendar, now).parts
        )
    )


def answered(calendar: Component, user: str, answer: str) -> Component:
    """An invitation in its attendee's calendar with the answer given: ACCEPTED, DECLINED or TENTATIVE."""

    def with_answer(entry: Component) -> Component:
        mine = it.attendee(entry, user)
        return it.replace_attendee(entry, mine.with_param("PARTSTAT", answer).with_param("RSVP", "")) if mine else entry

    return calendar.with_parts(tuple(with_answer(part) if part.name in it.KINDS else part for part in calendar.parts))


def counter(
    calendar: Component, user: str, start: dt.datetime, end: dt.datetime, now: dt.datetime, comment: str = ""
) -> Component:
    """The COUNTER of an attendee: the same revision of the event at another time (RFC 5546, section 3.2.7)."""
    proposed: list[Component] = []
    for entry in it.entries(calendar):
        mine = it.attendee(entry, user)
        others = entry.without("ATTENDEE", "DURATION").with_parts(())
        said = it.stamped(others, now).with_line(line("DTSTART", it.utc(start))).with_line(line("DTEND", it.utc(end)))
        if comment:
            said = said.with_line(line("COMMENT", escape(comment)))
        proposed.append(it.replace_attendee(said, mine.with_param("PARTSTAT", "TENTATIVE")) if mine else said)
    return it.message("COUNTER", proposed, calendar)


def counter_declined(calendar: Component, now: dt.datetime) -> Component:
    """The organizer's no to a COUNTER: the event as it stands (RFC 5546, section 3.2.8)."""
    said = [it.stamped(entry.with_parts(()), now) for entry in it.entries(calendar)]
    return it.message("DECLINECOUNTER", said, calendar)
