"""When somebody is busy: RFC 5545, section 3.6.4; what counts is RFC 4791, section 7.10, and RFC 7953, section 4.

TRANSPARENT and cancelled events take no time; tentative ones are BUSY-TENTATIVE; an event that the calendar's owner
has declined takes none; VFREEBUSY components count as they stand; outside of VAVAILABILITY it is BUSY-UNAVAILABLE.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from skerry_workflows.scheduling.calendar import limits
from skerry_workflows.scheduling.calendar.availability import unavailable
from skerry_workflows.scheduling.calendar.lines import Component
from skerry_workflows.scheduling.calendar.occurrences import Occurrence, instant, occurrences
from skerry_workflows.scheduling.calendar.periods import Kind, Period, clipped, merged
from skerry_workflows.scheduling.calendar.read import Source


class Busy(msgspec.Struct, frozen=True, kw_only=True):
    """`periods` in order and without overlaps, `found` the occurrences among what they come from. With `warnings`
    somebody may be busy at other times, too."""

    periods: tuple[Period, ...]
    found: tuple[Occurrence, ...] = ()
    warnings: tuple[str, ...] = ()


def busy(
    sources: Sequence[Source],
    start: dt.datetime,
    end: dt.datetime,
    *,
    hours: Source | None = None,
    owner: str = "",
    local: dt.tzinfo = dt.UTC,
) -> Busy:
    """The busy time of one person in a window.

    Args:
        sources: their calendars.
        start: the window's start, with a zone.
        end: its end.
        hours: a calendar with VAVAILABILITY; those of the sources count as well.
        owner: the person's address: what it has declined is free, what it has accepted tentatively is tentative.
        local: where floating times and all-day events are placed.

    Raises:
        Unreadable: a calendar has more events in the window than the limits allow.
    """
    periods: list[Period] = []
    found: list[Occurrence] = []
    warnings: list[str] = []
    budget = limits.Budget()
    for source in sources:
        listed = occurrences(source, start, end, local=local, budget=budget)
        warnings.extend(listed.warnings)
        for one in listed.found:
            kind = kind_of(one, owner)
            if kind is not None:
                found.append(one)
                periods.append(Period(start=instant(one.start, local), end=instant(one.end, local), kind=kind))
        for entry in source.entries("VFREEBUSY"):
            periods.extend(_stated(entry))
    for source in [*sources, *([hours] if hours else [])]:
        if source.calendar.named("VAVAILABILITY"):
            said = unavailable(source, start, end, local=local)
            periods.extend(said.unavailable)
            warnings.extend(said.warnings)
    return Busy(
        periods=tuple(clipped(merged(periods), start, end)),
        found=tuple(found),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def kind_of(one: Occurrence, owner: str = "") -> Kind | None:
    """The kind of time that an occurrence takes of its owner; None when it takes none."""
    answer = one.partstats.get(owner.lower(), "") if owner else ""
    if one.transparent or one.status == "CANCELLED" or answer == "DECLINED":
        return None
    if one.status == "TENTATIVE" or answer in ("TENTATIVE", "NEEDS-ACTION") or one.busy_type == "BUSY-TENTATIVE":
        return "BUSY-TENTATIVE"
    return "BUSY-UNAVAILABLE" if one.busy_type == "BUSY-UNAVAILABLE" else "BUSY"


def _stated(entry: Component) -> Iterator[Period]:
    for line in entry.all("FREEBUSY"):
        said = line.param("FBTYPE").upper() or "BUSY"
        if said == "FREE":
            continue
        kinds: dict[str, Kind] = {"BUSY-UNAVAILABLE": "BUSY-UNAVAILABLE", "BUSY-TENTATIVE": "BUSY-TENTATIVE"}
        # A kind that nobody knows is treated as BUSY (section 3.2.9).
        yield from _periods(line.value.split(","), kinds.get(said, "BUSY"))


def _periods(values: Iterable[str], kind: Kind) -> Iterator[Period]:
    for value in values:
        begins, _, ends = value.strip().upper().partition("/")
        try:
            start = _utc(begins)
            end = start + duration(ends) if ends.startswith(("P", "+P")) else _utc(ends)
        except ValueError:
            continue
        if start < end:
            yield Period(start=start, end=end, kind=kind)


def _utc(text: str) -> dt.datetime:
    """FREEBUSY times are always in UTC (section 3.8.2.6)."""
    return dt.datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S").replace(tzinfo=dt.UTC)


_DURATION = re.compile(r"([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def duration(text: str) -> dt.timedelta:
    """A DURATION (section 3.3.6). Raises ValueError."""
    found = _DURATION.fullmatch(text.strip().upper())
    if not found or not any(found.groups()[1:]):
        raise ValueError(f"{text!r} is no duration")
    weeks, days, hours, minutes, seconds = (int(one or 0) for one in found.groups()[1:])
    length = dt.timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -length if found[1] == "-" else length
