"""Recurrence rules on their own: the instances of an RRULE from its DTSTART (RFC 5545, section 3.3.10).

dateutil expands them, but for three things: COUNT and UNTIL are applied here, because a local time that a zone skips is
no instance and does not count; such a time is moved by the gap where the hour is DTSTART's, and left out where the rule
names it (BYHOUR); and weeks (BYWEEKNO) belong to the year that has most of their days, as ISO 8601 has it.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator
from typing import Final

from skerry_workflows.scheduling.calendar.interpret import mend_rule
from skerry_workflows.scheduling.calendar.occurrences import Moment
from skerry_workflows.scheduling.calendar.read import Warnings
from skerry_workflows.scheduling.calendar.unreadable import Unreadable

YEARS_MAX: Final = 400
"""How far a rule is followed: the Gregorian calendar repeats after 400 years."""
_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def expand(rule: str, start: Moment, *, zone: dt.tzinfo | None = None, since: Moment | None = None) -> Iterator[Moment]:
    """The instances of a rule, one after the other; for ever, where the rule has no end.

    Args:
        rule: as in an RRULE.
        start: DTSTART; it is an instance only where the rule says so. A date gives dates.
        zone: where `start` is local time; instances are local times there, too, without the zone.
        since: leave out what is before it. It counts all the same.

    Raises:
        Unreadable: the rule cannot be read.
    """
    mended = mend_rule(rule, Warnings())
    parts = dict(part.split("=", 1) for part in mended.split(";") if part)
    if not parts:
        raise Unreadable(f"{rule[:60]!r} is no recurrence rule", hint="write FREQ=... as in RFC 5545")
    count = int(parts.pop("COUNT", 0))
    until = _until(parts.pop("UNTIL", ""), start, zone)
    utc = isinstance(start, dt.datetime) and start.tzinfo is not None
    found = _existing(_raw(parts, _naive(start)), zone, moved="BYHOUR" not in parts)
    if until is not None:
        found = itertools.takewhile(lambda pair: pair[0] <= until, found)
    for moment, shown in itertools.islice(found, count or None):
        if since is not None and moment < _naive(since):
            continue
        yield (
            shown.date() if not isinstance(start, dt.datetime) else shown.replace(tzinfo=start.tzinfo) if utc else shown
        )


def _naive(moment: Moment) -> dt.datetime:
    if not isinstance(moment, dt.datetime):
        return dt.datetime.combine(moment, dt.time())
    return moment.replace(tzinfo=None)


def _until(said: str, start: Moment, zone: dt.tzinfo | None) -> dt.datetime | None:
    """The last moment, as local time. A date is its midnight, as in `occurrences`."""
    if not said:
        return None
    day = dt.datetime.strptime(said[:8], "%Y%m%d")
    if not isinstance(start, dt.datetime) or len(said) == 8:
        return day
    moment = dt.datetime.strptime(said[:15], "%Y%m%dT%H%M%S")
    if said.endswith("Z") and zone is not None:
        return moment.replace(tzinfo=dt.UTC).astimezone(zone).replace(tzinfo=None)
    return moment


def _existing(
    moments: Iterable[dt.datetime], zone: dt.tzinfo | None, *, moved: bool
) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """Each local time with what a clock there shows then; without those that the rule names and no clock shows."""
    for moment in moments:
        if zone is None:
            yield moment, moment
            continue
        shown = moment.replace(tzinfo=zone).astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None)
        if moved or shown == moment:
            yield moment, shown


def _raw(parts: dict[str, str], start: dt.datetime) -> Iterator[dt.datetime]:
    from dateutil.rrule import rrulestr

    if parts["FREQ"] == "YEARLY" and "BYWEEKNO" in parts:
        yield from _by_week(parts, start)
        return
    rule = ";".join(f"{key}={value}" for key, value in parts.items())
    last = min(start.year + YEARS_MAX, 9999)
    try:
        # pyright and mypy know the rule as an rrule or a set of them; both iterate.
        yield from rrulestr(f"{rule};UNTIL={last}1231T000000", dtstart=start)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise Unreadable(f"the rule {rule[:80]} cannot be read: {error}", hint="write it as in RFC 5545") from None


def _by_week(parts: dict[str, str], start: dt.datetime) -> Iterator[dt.datetime]:
    """YEARLY with BYWEEKNO: years are those of weeks, of which the first is the one with four days in January."""
    try:
        first = _DAYS.index(parts.get("WKST", "MO"))
        weeks = [int(one) for one in parts["BYWEEKNO"].split(",")]
        days = [_DAYS.index(one[-2:]) for one in parts["BYDAY"].split(",")] if "BYDAY" in parts else [start.weekday()]
        months = [int(one) for one in parts["BYMONTH"].split(",")] if "BYMONTH" in parts else []
        positions = [int(one) for one in parts["BYSETPOS"].split(",")] if "BYSETPOS" in parts else []
        times = _times(parts, start)
    except ValueError as error:
        raise Unreadable(f"the rule's weeks cannot be read: {error}", hint="write it as in RFC 5545") from None
    year = (start - dt.timedelta(days=(start.weekday() - first) % 7) + dt.timedelta(days=3)).year
    while year <= min(start.year + YEARS_MAX, 9998):
        total = (_first_week(year + 1, first) - _first_week(year, first)).days // 7
        numbers = {week if week > 0 else total + 1 + week for week in weeks} & set(range(1, total + 1))
        dates = sorted(
            _first_week(year, first) + dt.timedelta(weeks=number - 1, days=(day - first) % 7)
            for number in numbers
            for day in set(days)
        )
        found = [dt.datetime.combine(day, time) for day in dates if not months or day.month in months for time in times]
        if positions:
            found = [
                found[at]
                for at in sorted({p - 1 if p > 0 else len(found) + p for p in positions} & set(range(len(found))))
            ]
        yield from (moment for moment in found if moment >= start)
        year += int(parts.get("INTERVAL", 1))


def _first_week(year: int, first: int) -> dt.date:
    """The first day of its first week, where weeks begin on weekday `first` (0 is Monday)."""
    fourth = dt.date(year, 1, 4)
    return fourth - dt.timedelta(days=(fourth.weekday() - first) % 7)


def _times(parts: dict[str, str], start: dt.datetime) -> list[dt.time]:
    def numbers(name: str, default: int) -> list[int]:
        return sorted({int(one) for one in parts[name].split(",")}) if name in parts else [default]

    return [
        dt.time(hour, minute, min(second, 59))
        for hour in numbers("BYHOUR", start.hour)
        for minute in numbers("BYMINUTE", start.minute)
        for second in numbers("BYSECOND", start.second)
    ]
