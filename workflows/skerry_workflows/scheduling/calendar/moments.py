"""How calendars and `skerry eval` write moments."""

from __future__ import annotations

import datetime as dt

from skerry_workflows.scheduling.calendar.occurrences import Moment


def iso(moment: Moment) -> str:
    """ISO 8601: instants in UTC with Z, dates as dates, floating times without anything behind them."""
    if not isinstance(moment, dt.datetime):
        return moment.isoformat()
    if moment.tzinfo is None:
        return moment.isoformat(timespec="seconds")
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_iso(text: str) -> Moment:
    """The moment of an ISO text; a bare date is a date. Raises ValueError."""
    return dt.date.fromisoformat(text) if len(text) == 10 else dt.datetime.fromisoformat(text)
