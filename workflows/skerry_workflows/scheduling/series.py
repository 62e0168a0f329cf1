"""Series of meetings: the times of one that is wanted, and of one that stands in a calendar."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from typing import Final

from skerry.errors import DataError
from skerry_workflows.scheduling.bookings import MEETINGS_MAX
from skerry_workflows.scheduling.calendar.lines import Component
from skerry_workflows.scheduling.calendar.occurrences import instant, occurrences
from skerry_workflows.scheduling.calendar.read import Source
from skerry_workflows.scheduling.calendar.rules import expand
from skerry_workflows.scheduling.itip import entries as it
from skerry_workflows.scheduling.slots.model import Span

REACH: Final = dt.timedelta(days=732)
"""How far a series may go from its first meeting on, and how far one in a calendar is looked at."""
_OFTEN = re.compile(r"FREQ=(?:SECONDLY|MINUTELY|HOURLY)")


def times_of_rule(rule: str, first: Span, zone: str, *, any_day: bool = False) -> tuple[Span, ...]:
    """The times of a series whose first meeting is `first`, by the clock of `zone`. With `any_day` it need not be on
    one of the rule's days.

    Raises:
        DataError: the rule has no end, too many meetings, or none at `first`.
        Unreadable: it is no rule.
    """
    if not re.search(r"(?:COUNT|UNTIL)=\d", rule.upper()) or _OFTEN.search(rule.upper()):
        raise DataError("a series has days, and an end", hint="write FREQ=WEEKLY;COUNT=6, or UNTIL=20260630T000000Z")
    where = zoneinfo.ZoneInfo(zone)
    begins = first.start.astimezone(where).replace(tzinfo=None)
    found: list[Span] = []
    for moment in expand(rule, begins, zone=where):
        start = moment.replace(tzinfo=where).astimezone(dt.UTC) if isinstance(moment, dt.datetime) else first.start
        if len(found) >= MEETINGS_MAX or start - first.start > REACH:
            raise DataError(
                f"a series has {MEETINGS_MAX} meetings at most, in two years", hint="end it earlier, and renew it then"
            )
        found.append(Span(start=start, end=start + (first.end - first.start)))
    if not found or (found[0].start != first.start and not any_day):
        raise DataError("the series does not begin with its first meeting", hint="let it begin on one of its days")
    return tuple(found)


def times_in(calendar: Component, uid: str, since: dt.datetime) -> tuple[Span, ...]:
    """The times of an event of a calendar that end after a moment, in order; cancelled ones are none.

    Raises:
        Unreadable: there are more than the limits of calendars allow.
    """
    parts = tuple(part for part in calendar.parts if part.name != "VEVENT" or part.text("UID") == uid)
    listed = occurrences(Source(calendar=calendar.with_parts(parts)), since, since + REACH)
    return tuple(
        Span(start=instant(one.start), end=instant(one.end))
        for one in listed.found
        if one.status != "CANCELLED" and instant(one.end) > since
    )


def is_series(calendar: Component) -> bool:
    """Whether it repeats."""
    return any(entry.first("RRULE") or entry.first("RDATE") for entry in it.entries(calendar))
