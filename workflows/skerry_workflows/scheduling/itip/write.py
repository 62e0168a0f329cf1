"""Events and messages made here: a new event, an answer to an invitation, a proposal of another time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from skerry_workflows.scheduling.calendar.lines import Component, Line, address_of, escape, line
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
) -> Component:
    """A calendar with one event to which people are invited. Times are instants, written in UTC.

    `reminder` is how long before the start everybody's calendar reminds of it.
    """
    lines = [
        line("UID", uid),
        line("DTSTAMP", it.utc(now)),
        line("SEQUENCE", str(sequence)),
        line("DTSTART", it.utc(start)),
        line("DTEND", it.utc(end)),
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
    return Component("VCALENDAR", head, (Component("VEVENT", tuple(lines), alarm),))


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
