"""What happens when: the single occurrences of a calendar's events in a window, recurrence and exceptions worked out.

The recurrence set is that of RFC 5545, section 3.8.5, as recurring-ical-events computes it (RRULE, RDATE, EXDATE,
RECURRENCE-ID with RANGE=THISANDFUTURE); what overlaps a window is RFC 4791, section 9.9.
"""

from __future__ import annotations

import datetime as dt
import importlib
import math
import re
from collections.abc import Iterable
from typing import Any, Final, TypeAlias, cast

import msgspec

from skerry_workflows.scheduling.calendar import limits
from skerry_workflows.scheduling.calendar.interpret import TOO_LONG, Interpreted, interpret
from skerry_workflows.scheduling.calendar.lines import Component, address_of
from skerry_workflows.scheduling.calendar.read import Source, Warnings
from skerry_workflows.scheduling.calendar.unreadable import Unreadable

Event: TypeAlias = Any
"""A VEVENT of `icalendar`, whose types say too little."""
Moment: TypeAlias = dt.datetime | dt.date
"""A date for what is all day long; a time without a zone for what floats (section 3.3.5, form 1)."""

_MARGIN: Final = dt.timedelta(hours=26)
"""Local time is never further from UTC than this."""
_AWAY: Final = dt.timedelta(days=7)
_EARLY, _LATE = dt.datetime(1000, 2, 1), dt.datetime(2900, 1, 1)
_SHORT: Final = re.compile(r"|\+?PT(\d\dH?|\dH)(\d{1,3}M)?(\d{1,3}S)?|\+?PT\d{1,3}M|\+?P1D", re.IGNORECASE)
"""No DURATION, or one that ends within those days."""
_REPEATS: Final = ("RRULE", "RDATE", "RECURRENCE-ID")
_UNIT_S: Final = {"SECONDLY": 1, "MINUTELY": 60, "HOURLY": 3600, "DAILY": 86_400, "WEEKLY": 604_800}


class Occurrence(msgspec.Struct, frozen=True, kw_only=True):
    """One time of one event. `recurrence_id` is the start it had in its series, in iCalendar's form; empty outside one.

    `partstats` are the answers of the attendees, by address in small letters.
    """

    uid: str
    start: Moment
    end: Moment
    summary: str = ""
    location: str = ""
    status: str = ""
    transparent: bool = False
    busy_type: str = ""
    recurrence_id: str = ""
    organizer: str = ""
    partstats: dict[str, str] = {}

    @property
    def all_day(self) -> bool:
        """It has dates, no times."""
        return not isinstance(self.start, dt.datetime)


class Occurrences(msgspec.Struct, frozen=True, kw_only=True):
    """Those of a window, by start; `warnings` say what could not be worked out, so that the list may lack something."""

    found: tuple[Occurrence, ...]
    warnings: tuple[str, ...] = ()


def occurrences(
    source: Source, start: Moment, end: Moment, *, local: dt.tzinfo = dt.UTC, budget: limits.Budget | None = None
) -> Occurrences:
    """The occurrences that overlap the time from `start` to `end`.

    Args:
        source: the calendar.
        start: the window's first moment. Times without a zone (and dates) mean the local time of each event.
        end: the window's end, which is not part of it unless it is the start.
        local: where floating times and all-day events are placed to be compared with a window that has a zone.
        budget: what this may cost; a new one, unless several calendars have one together.

    Raises:
        Unreadable: the window is longer, or has more in it, than the limits allow.
    """
    if not 0 <= (_plain(end) - _plain(start)).days <= limits.WINDOW_DAYS_MAX:
        raise Unreadable(f"{start} to {end} is no window that can be searched", hint="ask for fewer years")
    budget = budget or limits.Budget()
    interpreted = interpret(_near(source, _plain(start), _plain(end)), budget=budget)
    warn = Warnings(interpreted.warnings)
    zoned = isinstance(start, dt.datetime) and start.tzinfo is not None
    found = [
        one
        for one in _between(interpreted, start, end, zoned, warn, budget)
        if not zoned or overlaps(one, cast(dt.datetime, start), cast(dt.datetime, end), local)
    ]
    if len(found) > limits.OCCURRENCES_MAX:
        raise Unreadable(
            f"there are {len(found):,} events from {start} to {end}, more than the {limits.OCCURRENCES_MAX:,} allowed",
            hint="ask for a shorter time",
        )
    found.sort(key=lambda one: (instant(one.start, local), instant(one.end, local), one.uid))
    return Occurrences(found=tuple(found), warnings=tuple(warn.sentences))


def occurrence_of(entry: Component, source: Source) -> Occurrence | None:
    """An entry's own time, without its recurrence; None where it has none that can be read."""
    single = entry.without("RRULE", "RDATE", "EXDATE", "EXRULE")
    calendar = source.calendar.with_parts((*source.calendar.named("VTIMEZONE"), single))
    (event,) = [*interpret(Source(calendar=calendar)).calendar.events, None][:1]
    try:
        return None if event is None else _occurrence(event)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def instant(moment: Moment, local: dt.tzinfo = dt.UTC) -> dt.datetime:
    """The moment in UTC; what has no zone is placed in `local`, a date at its midnight."""
    if not isinstance(moment, dt.datetime):
        moment = dt.datetime.combine(moment, dt.time())
    return (moment if moment.tzinfo else moment.replace(tzinfo=local)).astimezone(dt.UTC)


def overlaps(occurrence: Occurrence, start: dt.datetime, end: dt.datetime, local: dt.tzinfo = dt.UTC) -> bool:
    """RFC 4791, section 9.9: it begins before the window's end and ends after its start; one of no length counts at its
    start."""
    begins, ends = instant(occurrence.start, local), instant(occurrence.end, local)
    if begins == ends or start == end:
        return begins < max(end, start + dt.timedelta(microseconds=1)) and (ends > start or begins == start)
    return begins < end and ends > start


def _near(source: Source, start: dt.datetime, end: dt.datetime) -> Source:
    """Without the single events that are days away from the window: most of a calendar is, and reading them all costs.

    What repeats, what is an exception, and whatever is not written as usual stays.
    """
    low, high = max(start, _EARLY) - _AWAY, min(end, _LATE) + _AWAY
    repeating = {entry.value("UID") for entry in source.entries() if any(map(entry.first, _REPEATS))}
    parts = tuple(
        part
        for part in source.calendar.parts
        if part.name != "VEVENT"
        or part.value("UID") in repeating
        or not _is_far(part, f"{low:%Y%m%d}", f"{high:%Y%m%d}")
    )
    return Source(calendar=source.calendar.with_parts(parts), warnings=source.warnings)


def _is_far(entry: Component, low: str, high: str) -> bool:
    starts, ends = (re.match(r"[12]\d{7}", entry.value(name)) for name in ("DTSTART", "DTEND"))
    if not entry.value("UID") or starts is None or not (ends or _SHORT.fullmatch(entry.value("DURATION"))):
        return False
    return starts[0] > high or max(ends[0] if ends else "", starts[0]) < low


def _between(
    interpreted: Interpreted, start: Moment, end: Moment, zoned: bool, warn: Warnings, budget: limits.Budget
) -> Iterable[Occurrence]:
    low, high = (start, end) if not zoned else (start - _MARGIN, end + _MARGIN)
    for events in _series(interpreted.calendar):
        if budget.spent:
            warn(TOO_LONG)
            return
        name = _text(events[0], "SUMMARY") or _text(events[0], "UID")
        try:
            if any(_costly(event, low, high) for event in events):
                warn(f"{name} repeats too often to be worked out, and is left out")
                continue
            yield from [_occurrence(event) for event in _query(events, interpreted.calendar).between(low, high)]
        except (ValueError, TypeError, OverflowError, AttributeError, KeyError, IndexError) as error:
            warn(f"when {name} happens cannot be worked out, and it is left out: {str(error)[:100]}")


def _series(calendar: Any) -> list[list[Event]]:
    """Its events by UID: a series with its exceptions."""
    series: dict[str, list[Event]] = {}
    for event in calendar.events:
        series.setdefault(_text(event, "UID"), []).append(event)
    return list(series.values())


def _costly(event: Event, low: Moment, high: Moment) -> bool:
    """Whether it has too many occurrences in a window, or strikes too often before it: they are counted one by one."""
    if _repetitions(event, low, high) > limits.OCCURRENCES_MAX:
        return True
    return _repetitions(event, dt.date.min, high) > limits.REPETITIONS_MAX


def _repetitions(event: Event, since: Moment, until: Moment) -> float:
    """About how many times its rules strike in that time: from its start on, that is what finding the last costs."""
    length_s = (_plain(until) - max(_plain(event.decoded("DTSTART")), _plain(since))).total_seconds()
    times = 0.0
    for rule in _listed(event.get("RRULE")):
        text: str = rule.to_ical().decode()
        frequency = re.search(r"FREQ=(\w+)", text)
        interval = re.search(r"INTERVAL=(\d+)", text)
        unit_s = _UNIT_S.get(frequency[1] if frequency else "", 2_592_000) * (int(interval[1]) if interval else 1)
        per_unit = 1
        for by in re.findall(r"BY(?:HOUR|MINUTE|SECOND)=([\d,]+)", text):
            per_unit *= by.count(",") + 1
        count = re.search(r"COUNT=(\d+)", text)
        times += min(max(0.0, length_s) / unit_s * per_unit, int(count[1]) if count else math.inf)
    return times


def _occurrence(event: Event) -> Occurrence:
    start = cast(Moment, event.decoded("DTSTART"))
    end = cast(Moment, event.decoded("DTEND")) if "DTEND" in event else _end(event, start)
    busy = _text(event, "X-MICROSOFT-CDO-BUSYSTATUS").upper()
    return Occurrence(
        uid=_text(event, "UID"),
        start=start,
        end=end,
        summary=_text(event, "SUMMARY"),
        location=_text(event, "LOCATION"),
        status=_text(event, "STATUS").upper(),
        transparent=_text(event, "TRANSP").upper() == "TRANSPARENT" or busy == "FREE",
        busy_type={"OOF": "BUSY-UNAVAILABLE", "TENTATIVE": "BUSY-TENTATIVE"}.get(busy, ""),
        recurrence_id=_recurrence_id(event),
        organizer=address_of(_text(event, "ORGANIZER")),
        partstats={
            address_of(str(one)): str(one.params.get("PARTSTAT", "NEEDS-ACTION")).upper()
            for one in _listed(event.get("ATTENDEE"))
        },
    )


def _end(event: Event, start: Moment) -> Moment:
    """Of an event without DTEND: after its DURATION; else a day is a day long, and a time has no length (3.6.1)."""
    if "DURATION" in event:
        return start + cast(dt.timedelta, event.decoded("DURATION"))
    return start if isinstance(start, dt.datetime) else start + dt.timedelta(days=1)


def _recurrence_id(event: Event) -> str:
    value: Any = event.get("RECURRENCE-ID")
    return value.to_ical().decode() if value is not None else ""


def _text(event: Event, name: str) -> str:
    return next((str(value) for value in _listed(event.get(name))), "")


def _listed(value: Any) -> list[Any]:
    """`icalendar` keeps one value bare and several in a list."""
    if isinstance(value, list):
        return list(cast(Iterable[Any], value))
    return [] if value is None else [value]


def _plain(moment: Moment) -> dt.datetime:
    """Without its zone, to be compared roughly."""
    if not isinstance(moment, dt.datetime):
        return dt.datetime.combine(moment, dt.time())
    return moment.replace(tzinfo=None)


def _query(events: list[Event], calendar: Any) -> Any:
    """recurring-ical-events' query for one series; it has no types."""
    icalendar: Any = importlib.import_module("icalendar")
    one: Any = icalendar.Calendar()
    if "X-WR-TIMEZONE" in calendar:
        one.add("X-WR-TIMEZONE", calendar["X-WR-TIMEZONE"])
    for event in events:
        one.add_component(event)
    return importlib.import_module("recurring_ical_events").of(one)
