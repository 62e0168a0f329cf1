"""What is known of people's time: their calendars, their hours, and our own bookings, for the search."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Sequence
from pathlib import Path

from skerry.errors import SkerryError
from skerry_workflows.scheduling.bookings import Bookings
from skerry_workflows.scheduling.calendar.freebusy import busy, kind_of
from skerry_workflows.scheduling.calendar.lines import Component, address_of
from skerry_workflows.scheduling.calendar.occurrences import instant
from skerry_workflows.scheduling.calendar.read import Source
from skerry_workflows.scheduling.itip import entries as it
from skerry_workflows.scheduling.model import Invitee
from skerry_workflows.scheduling.settings import Settings, hours_of
from skerry_workflows.scheduling.slots.model import Engagement, Participant


def participants(
    settings: Settings,
    folder: Path,
    bookings: Bookings,
    people: Sequence[Invitee],
    *,
    start: dt.datetime,
    end: dt.datetime,
    now: dt.datetime,
    without: str = "",
) -> list[Participant]:
    """The owner and these people, with what is known of their time in a window; `without` is the UID of the meeting
    that is itself to be moved."""
    owner = Invitee(address=settings.owner, name=settings.name)
    return [
        _participant(settings, folder, bookings, one, start, end, now, without)
        for one in (owner, *(one for one in people if one.address.lower() != settings.owner.lower()))
    ]


def _participant(
    settings: Settings,
    folder: Path,
    bookings: Bookings,
    person: Invitee,
    start: dt.datetime,
    end: dt.datetime,
    now: dt.datetime,
    without: str,
) -> Participant:
    said = settings.person(person.address)
    hours = hours_of(said, settings.zone)
    zone = zoneinfo.ZoneInfo(hours.zone) if hours else dt.UTC
    store = said.calendar.open(folder)
    # Other people's buffers reach into the window from outside.
    low, high = start - dt.timedelta(days=1), end + dt.timedelta(days=1)
    unreached: tuple[str, ...] = ()
    try:
        sources = [without_event(one, without) for one in store.read(low, high)] if store else []
    except SkerryError as error:
        if address_of(person.address) == address_of(settings.owner):
            raise
        # Somebody else's calendar keeps no request waiting: a person decides without it.
        sources, unreached = [], (f"the calendar cannot be read: {error.message}",)
    found, doubts = engagements(sources, low, high, person.address, zone)
    held = [
        Engagement(start=one.starts, end=one.ends)
        for one in bookings.taken(person.address, low, high, now)
        if one.uid != without
    ]
    return Participant(
        address=person.address,
        name=person.name or said.name,
        engagements=(*found, *held),
        hours=hours,
        optional=person.optional,
        buffer=dt.timedelta(minutes=said.buffer_minutes),
        travel=dt.timedelta(minutes=said.travel_minutes),
        doubts=(*unreached, *doubts),
    )


def without_event(source: Source, uid: str) -> Source:
    """The calendar without one event."""
    if not uid:
        return source
    parts = tuple(part for part in source.calendar.parts if part.name not in it.KINDS or part.text("UID") != uid)
    return Source(calendar=Component("VCALENDAR", source.calendar.lines, parts), warnings=source.warnings)


def engagements(
    sources: Sequence[Source], start: dt.datetime, end: dt.datetime, owner: str, zone: dt.tzinfo
) -> tuple[tuple[Engagement, ...], tuple[str, ...]]:
    """A person's busy time, with the places of what has one; and why there may be more."""
    said = busy(sources, start, end, owner=owner, local=zone)
    found = [Engagement(start=one.start, end=one.end, kind=one.kind) for one in said.periods]
    for one in said.found:
        kind = kind_of(one, owner)
        if kind is not None and one.location and not re.search(r"https?://|@", one.location):
            found.append(
                Engagement(
                    start=instant(one.start, zone),
                    end=instant(one.end, zone),
                    kind=kind,
                    place=one.location.strip(),
                )
            )
    return tuple(found), said.warnings
