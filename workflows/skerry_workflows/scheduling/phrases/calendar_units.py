"""Arithmetic of the calendar, on local time without a zone."""

from __future__ import annotations

import calendar
import datetime as dt

_STEP = {"second": 1, "minute": 60, "hour": 3600}
_MONTHS = {"month": 1, "quarter": 3, "year": 12, "decade": 120, "century": 1200}

UNITS = (*_STEP, "day", "week", *_MONTHS)
"""What a moment can be floored to, the finest first."""


def floor(moment: dt.datetime, unit: str) -> dt.datetime:
    """The beginning of the unit that the moment is in; weeks begin on Monday (ISO 8601)."""
    if unit == "second":
        return moment.replace(microsecond=0)
    if unit == "minute":
        return moment.replace(second=0, microsecond=0)
    if unit == "hour":
        return moment.replace(minute=0, second=0, microsecond=0)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "week":
        return day - dt.timedelta(days=day.weekday())
    if unit not in _MONTHS:
        return day
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    years = _MONTHS[unit] // 12
    return day.replace(year=max(day.year // years * years, 1), month=1, day=1)


def step(moment: dt.datetime, unit: str, count: int) -> dt.datetime:
    """So many units later.

    Raises:
        ValueError, OverflowError: beyond the years 1 to 9999.
    """
    if unit in _STEP:
        return moment + dt.timedelta(seconds=_STEP[unit] * count)
    if unit in _MONTHS:
        return add_months(moment, _MONTHS[unit] * count)
    return moment + dt.timedelta(days={"week": 7, "fortnight": 14}.get(unit, 1) * count)


def add_months(moment: dt.datetime, months: int) -> dt.datetime:
    """So many months later, on the same day or the last one that the month has.

    Raises:
        ValueError: beyond the years 1 to 9999.
    """
    years, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not 1 <= years <= 9999:
        raise ValueError("no such year")
    return moment.replace(year=years, month=month + 1, day=min(moment.day, calendar.monthrange(years, month + 1)[1]))
