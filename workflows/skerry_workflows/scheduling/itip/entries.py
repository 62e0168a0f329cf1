"""What iTIP looks at in an entry: who organises it, who is invited, which revision it is, which instance."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Final

from skerry_workflows.scheduling.calendar import zones
from skerry_workflows.scheduling.calendar.lines import Component, Line, address_of, line, unquoted

PRODUCT: Final = "-//Skerry//Scheduling//EN"
KINDS: Final = ("VEVENT", "VTODO", "VJOURNAL")
NEEDS_ACTION: Final = "NEEDS-ACTION"


def entries(calendar: Component | None) -> tuple[Component, ...]:
    """The events, tasks and journals of a calendar; none of none."""
    return () if calendar is None else tuple(part for part in calendar.parts if part.name in KINDS)


def master(some: Iterable[Component]) -> Component | None:
    """The entry of a series that is no exception."""
    return next((entry for entry in some if not instance(entry)), None)


def instance(entry: Component) -> str:
    """Which instance of its series an exception is, as its RECURRENCE-ID says; empty for the series itself.

    In UTC where the zone is known: some calendars name an instance in UTC and some in its zone.
    """
    found = entry.first("RECURRENCE-ID")
    if found is None:
        return ""
    value, tzid = found.value.strip().upper(), unquoted(found.param("TZID"))
    zone = zones.zone(tzid) if tzid and not value.endswith("Z") else None
    try:
        return utc(clock(value).replace(tzinfo=zone)) if zone and len(value) > 8 else value
    except ValueError:
        return value


def place(entry: Component) -> Line | None:
    """Its RECURRENCE-ID without RANGE: the moment, to be used as another property's."""
    found = entry.first("RECURRENCE-ID")
    return found.with_param("RANGE", "") if found else None


def clock(value: str) -> dt.datetime:
    """A DATE or DATE-TIME as what a clock shows, without its zone. Raises ValueError."""
    value = value.strip().upper().removesuffix("Z")
    return dt.datetime.strptime(value, "%Y%m%d" if len(value) == 8 else "%Y%m%dT%H%M%S")


def by_instance(some: Iterable[Component]) -> dict[str, Component]:
    """Entries by their instance; of several revisions of one the last."""
    found: dict[str, Component] = {}
    for entry in some:
        known = found.get(instance(entry))
        if known is None or revision(entry) >= revision(known):
            found[instance(entry)] = entry
    return found


def organizer(entry: Component) -> str:
    """The organizer's address; empty where there is none."""
    found = entry.first("ORGANIZER")
    return found.address if found else ""


def attendee(entry: Component, address: str) -> Line | None:
    """The line of the attendee with that address."""
    return next((one for one in entry.all("ATTENDEE") if one.address == address_of(address)), None)


def partstat(entry: Component, address: str) -> str:
    """The answer of an attendee: NEEDS-ACTION where none is given; empty for somebody who is not invited."""
    found = attendee(entry, address)
    return (found.param("PARTSTAT").upper() or NEEDS_ACTION) if found else ""


def name_of(found: Line | None) -> str:
    """The name (CN) of a person on an ATTENDEE or ORGANIZER line."""
    return unquoted(found.param("CN")) if found else ""


def sequence(entry: Component) -> int:
    """The revision number (section 3.8.7.4 of RFC 5545); 0 where none is given."""
    said = entry.value("SEQUENCE")
    return int(said) if re.fullmatch(r"\d{1,9}", said) else 0


def revision(entry: Component) -> tuple[int, str]:
    """To be compared: by SEQUENCE, then by DTSTAMP (RFC 5546, section 2.1.5). UTC stamps sort as text."""
    return sequence(entry), entry.value("DTSTAMP")


def is_older(entry: Component, than: Component) -> bool:
    """Whether an entry is an earlier revision. A missing DTSTAMP decides nothing."""
    if sequence(entry) != sequence(than):
        return sequence(entry) < sequence(than)
    stamp, other = entry.value("DTSTAMP"), than.value("DTSTAMP")
    return bool(stamp and other) and stamp < other


def replace_attendee(entry: Component, changed: Line) -> Component:
    """The entry with this line for the attendee of its address; added where there is none."""
    lines = tuple(changed if old.name == "ATTENDEE" and old.address == changed.address else old for old in entry.lines)
    if attendee(entry, changed.address) is None:
        lines = (*lines, changed)
    return Component(entry.name, lines, entry.parts)


def stamped(entry: Component, now: dt.datetime) -> Component:
    """The entry with this DTSTAMP: when the message was made (section 3.8.7.2 of RFC 5545)."""
    return entry.with_line(line("DTSTAMP", utc(now)))


def with_sequence(entry: Component, number: int) -> Component:
    """The entry with this revision number."""
    return entry.with_line(line("SEQUENCE", str(number)))


def utc(moment: dt.datetime) -> str:
    """An instant as iCalendar writes it."""
    return moment.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")


def defined(calendar: Component, some: Iterable[Component]) -> tuple[Component, ...]:
    """The definitions of zones that these entries of a calendar use."""
    used = {unquoted(one.param("TZID")) for entry in some for part in entry.walk() for one in part.lines}
    return tuple(part for part in calendar.named("VTIMEZONE") if part.text("TZID") in used)


def message(method: str, some: Iterable[Component], like: Component) -> Component:
    """A calendar with this method and these entries, and the definitions of zones that `like` has and they use."""
    chosen = tuple(some)
    head = (line("VERSION", "2.0"), line("PRODID", PRODUCT), line("CALSCALE", "GREGORIAN"), line("METHOD", method))
    return Component("VCALENDAR", head, (*defined(like, chosen), *chosen))
