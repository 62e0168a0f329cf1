"""The search. First what is possible (windows, working hours, engagements with their buffers), as sets of intervals;
then every start in it that lies on the grid; then what it costs; then the best few that differ."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from skerry_workflows.scheduling.calendar.periods import Period, clipped, minus
from skerry_workflows.scheduling.slots.model import Engagement, Found, Hours, Participant, Proposal, Span, Wanted

STARTS_MAX: Final = 5_000
"""Starts that are looked at; what is beyond them, in the order of windows, is not."""
WINDOW_MAX: Final = dt.timedelta(days=366)

_TENTATIVE: Final = 40.0
_MISSING: Final = 30.0
_OTHER_WINDOW: Final = 25.0
_NOT_PREFERRED: Final = 15.0
_PER_DAY: Final = 3.0
_LONELY: Final = 1.0
"""Costs: of overlapping something tentative, of each who need not come and cannot, of a window that was named later, of
the other half of the day, of each day of waiting, and of a gap before or after that is too short for anything."""
_BREAK: Final = dt.timedelta(minutes=15)
_CRUMB: Final = dt.timedelta(minutes=45)
"""A gap up to the first is a break; one up to the second is too short for work."""


def search(wanted: Wanted, people: Sequence[Participant]) -> Found:
    """Proposals for a meeting of these people, or for a series; the same for the same arguments."""
    doubts = tuple(f"{one.called}: {doubt}" for one in people for doubt in one.doubts)
    windows = [Span(start=one.start, end=min(one.end, one.start + WINDOW_MAX)) for one in wanted.windows]
    if wanted.exact:
        # Only their starts are meant, and the meeting may last beyond a window that says nothing but when it starts.
        windows = [Span(start=one.start, end=one.start + wanted.duration) for one in windows]
    needed = [one for one in people if not one.optional]
    ranked: list[Proposal] = []
    seen: set[dt.datetime] = set()
    for rank, window in enumerate(windows):
        free = _free(wanted, window, needed)
        for start in _starts(wanted, window, free):
            if start not in seen and len(seen) < STARTS_MAX:
                seen.add(start)
                ranked.append(_judged(wanted, windows, rank, start, people))
    ranked.sort(key=lambda one: (one.cost, one.start))
    if wanted.repeat:
        from skerry_workflows.scheduling.slots.series import whole

        ranked, clashes = whole(wanted, ranked, needed)
        if not ranked and clashes:
            return Found(proposals=(), obstacles=clashes, doubts=doubts)
    chosen = _different(ranked, wanted.count)
    return Found(
        proposals=tuple(chosen), obstacles=() if chosen else tuple(_obstacles(wanted, windows, needed)), doubts=doubts
    )


def working(hours: Hours, start: dt.datetime, end: dt.datetime) -> list[Period]:
    """The working hours in a window. Where clocks change, hours are by the clock, and so longer or shorter by one."""
    zone = zoneinfo.ZoneInfo(hours.zone)
    day = start.astimezone(zone).date() - dt.timedelta(days=1)
    last = end.astimezone(zone).date()
    found: list[Period] = []
    while day <= last:
        for begins, ends in hours.days[day.weekday()] if day.weekday() < len(hours.days) else ():
            until = day if ends > begins else day + dt.timedelta(days=1)
            found.append(
                Period(
                    start=dt.datetime.combine(day, begins, zone).astimezone(dt.UTC),
                    end=dt.datetime.combine(until, ends, zone).astimezone(dt.UTC),
                )
            )
        day += dt.timedelta(days=1)
    return clipped(found, start, end)


# --- what is possible -------------------------------------------------------------------------------------------------


def _free(wanted: Wanted, window: Span, needed: Iterable[Participant]) -> list[Period]:
    free = [Period(start=window.start, end=window.end)] if window.start < window.end else []
    free = minus(free, [Period(start=one.start, end=one.end) for one in wanted.excluded])
    for person in needed:
        free = minus(free, blocked(wanted, person))
        if person.hours is not None:
            closed = minus(free, working(person.hours, window.start, window.end))
            free = minus(free, closed)
    return free


def blocked(wanted: Wanted, person: Participant) -> list[Period]:
    """When a person cannot, with the time that they need before and after."""
    return [_widened(wanted, person, one) for one in person.engagements if one.kind != "BUSY-TENTATIVE"]


def _widened(wanted: Wanted, person: Participant, one: Engagement) -> Period:
    away = bool(wanted.place and one.place and wanted.place.casefold() != one.place.casefold())
    gap = max(person.buffer, person.travel) if away else person.buffer
    # Time that is nobody's (holidays, working hours) needs no buffer.
    gap = dt.timedelta(0) if one.kind == "BUSY-UNAVAILABLE" else gap
    return Period(start=one.start - gap, end=one.end + gap)


def _starts(wanted: Wanted, window: Span, free: Iterable[Period]) -> Iterator[dt.datetime]:
    for gap in free:
        if wanted.exact:
            if gap.start <= window.start and gap.end >= window.start + wanted.duration:
                yield window.start.astimezone(dt.UTC)
            continue
        start = _aligned(gap.start, wanted)
        while start + wanted.duration <= gap.end:
            yield start.astimezone(dt.UTC)
            start += wanted.step


def _aligned(moment: dt.datetime, wanted: Wanted) -> dt.datetime:
    """The first moment from `moment` on that lies on the grid of steps, counted from midnight by the wanted clock."""
    zone = zoneinfo.ZoneInfo(wanted.zone)
    local = moment.astimezone(zone)
    midnight = dt.datetime.combine(local.date(), dt.time(), zone).astimezone(dt.UTC)
    over = (moment - midnight) % wanted.step
    return moment if not over else moment + (wanted.step - over)


# --- what it costs ----------------------------------------------------------------------------------------------------


def _judged(
    wanted: Wanted, windows: Sequence[Span], rank: int, start: dt.datetime, people: Sequence[Participant]
) -> Proposal:
    end = start + wanted.duration
    slot = Period(start=start, end=end)
    cost = _OTHER_WINDOW * rank
    reasons: list[str] = []
    missing: list[str] = []
    for person in people:
        tentative = any(
            overlaps(slot, one.start, one.end) for one in person.engagements if one.kind == "BUSY-TENTATIVE"
        )
        if person.optional and cannot(wanted, person, slot):
            missing.append(person.address)
            reasons.append(f"{person.called} cannot, and need not")
            cost += _MISSING
        elif tentative:
            reasons.append(f"{person.called} may have something else then")
            cost += _TENTATIVE
        cost += _LONELY * _crumbs(wanted, person, slot)
    if not reasons:
        reasons.append("everybody can")
    waiting = start - min(one.start for one in windows)
    if wanted.prefer == "late":
        waiting = max(one.end for one in windows) - start
    cost += _PER_DAY * (waiting / dt.timedelta(days=1))
    hour = start.astimezone(zoneinfo.ZoneInfo(wanted.zone)).hour
    if (wanted.prefer == "morning" and hour >= 12) or (wanted.prefer == "afternoon" and hour < 12):
        reasons.append(f"not in the {wanted.prefer}")
        cost += _NOT_PREFERRED
    return Proposal(start=start, end=end, cost=round(cost, 3), reasons=tuple(reasons), missing=tuple(missing))


def overlaps(slot: Period, start: dt.datetime, end: dt.datetime) -> bool:
    """Whether a slot and a time have something in common."""
    return slot.start < end and start < slot.end


def cannot(wanted: Wanted, person: Participant, slot: Period) -> bool:
    """Whether somebody has something else in a slot, or does not work then."""
    if any(overlaps(slot, one.start, one.end) for one in blocked(wanted, person)):
        return True
    return person.hours is not None and bool(minus([slot], working(person.hours, slot.start, slot.end)))


def _crumbs(wanted: Wanted, person: Participant, slot: Period) -> int:
    """How many gaps beside it, beyond what buffers and ways need, would be too short for anything."""
    around = [_widened(wanted, person, one) for one in person.engagements]
    gaps = [slot.start - one.end for one in around] + [one.start - slot.end for one in around]
    return sum(1 for gap in gaps if _BREAK < gap < _CRUMB)


def _different(ranked: Sequence[Proposal], count: int) -> list[Proposal]:
    """The best ones that do not overlap; a second one of a day only when the days are used up."""
    chosen: list[Proposal] = []
    for once_a_day in (True, False):
        for one in ranked:
            if len(chosen) >= count:
                break
            apart = all(one.end <= other.start or other.end <= one.start for other in chosen)
            new_day = all(one.start.date() != other.start.date() for other in chosen)
            if apart and (new_day or not once_a_day):
                chosen.append(one)
    return sorted(chosen, key=lambda one: (one.cost, one.start))


def _obstacles(wanted: Wanted, windows: Sequence[Span], needed: Sequence[Participant]) -> Iterator[str]:
    """Why there is nothing: who alone already makes it impossible, and what would help."""
    if not windows:
        yield "no time was named in which to look"
        return
    for person in needed:
        if not any(_fits(wanted, window, [person]) for window in windows):
            any_time = msgspec.structs.replace(person, hours=None)
            at_night = any(_fits(wanted, window, [any_time]) for window in windows)
            yield f"{person.called} has no time" + (", within working hours" if at_night else "")
    if all(any(_fits(wanted, window, [person]) for window in windows) for person in needed):
        longest = max(
            (gap.end - gap.start for w in windows for gap in _free(wanted, w, needed)), default=dt.timedelta(0)
        )
        minutes = int(longest.total_seconds() // 60)
        yield f"each could, but not at the same time; the longest time that all have is {minutes} minutes"


def _fits(wanted: Wanted, window: Span, people: Sequence[Participant]) -> bool:
    return next(_starts(wanted, window, _free(wanted, window, people)), None) is not None
