"""What a zone does in some years, for calendars that do not know its name: VTIMEZONE (RFC 5545, section 3.6.5)."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterator

from skerry_workflows.scheduling.calendar.lines import Component, line

_DAY = dt.timedelta(days=1)


def definition(name: str, start: dt.datetime, end: dt.datetime) -> Component:
    """The VTIMEZONE of an IANA zone: what its clocks show from `start` until `end`, each change on its own.

    Raises:
        ZoneInfoNotFoundError: there is no zone of that name.
    """
    zone = zoneinfo.ZoneInfo(name)
    first = start.astimezone(dt.UTC)
    parts = [_part(first.astimezone(zone), _offset(first.astimezone(zone)))]
    parts += [
        _part(change.astimezone(zone), before) for change, before in _changes(zone, first, end.astimezone(dt.UTC))
    ]
    return Component("VTIMEZONE", (line("TZID", name),), tuple(parts))


def _changes(
    zone: zoneinfo.ZoneInfo, start: dt.datetime, end: dt.datetime
) -> Iterator[tuple[dt.datetime, dt.timedelta]]:
    """The moments at which the clocks are changed, and the offset before each."""
    while start < end:
        before, after = start.astimezone(zone), (start + _DAY).astimezone(zone)
        if _offset(before) != _offset(after):
            low, high = start, start + _DAY
            while high - low > dt.timedelta(seconds=1):
                middle = low + (high - low) / 2
                low, high = (middle, high) if _offset(middle.astimezone(zone)) == _offset(before) else (low, middle)
            yield high.replace(microsecond=0), _offset(before)
        start += _DAY


def _part(local: dt.datetime, before: dt.timedelta) -> Component:
    """What holds from a moment on; its DTSTART is what the clock showed just before (section 3.6.5)."""
    shown = local.astimezone(dt.UTC) + before
    return Component(
        "DAYLIGHT" if local.dst() else "STANDARD",
        (
            line("DTSTART", f"{shown:%Y%m%dT%H%M%S}"),
            line("TZOFFSETFROM", _written(before)),
            line("TZOFFSETTO", _written(_offset(local))),
            line("TZNAME", local.tzname() or "LMT"),
        ),
    )


def _offset(moment: dt.datetime) -> dt.timedelta:
    return moment.utcoffset() or dt.timedelta(0)


def _written(offset: dt.timedelta) -> str:
    minutes = int(offset.total_seconds() // 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
