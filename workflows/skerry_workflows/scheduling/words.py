"""What people read: times, questions and the texts of mails."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from typing import Final

from skerry_workflows.scheduling.model import MeetingRequest
from skerry_workflows.scheduling.slots.model import Proposal, Span

_DAYS_SHOWN: Final = 11


def when(start: dt.datetime, end: dt.datetime, zone: str) -> str:
    """ "Tue 3 March 2026, 10:00-11:00 (Europe/Rome)"."""
    place = zoneinfo.ZoneInfo(zone or "UTC")
    begins, ends = start.astimezone(place), end.astimezone(place)
    day = f"{begins:%a} {begins.day} {begins:%B %Y}"
    until = f"{ends:%H:%M}" if begins.date() == ends.date() else f"{ends:%a} {ends.day} {ends:%B %H:%M}"
    return f"{day}, {begins:%H:%M}-{until} ({zone or 'UTC'})"


def moment(at: dt.datetime, zone: str) -> str:
    """ "Tue 3 March 2026, 10:00"."""
    local = at.astimezone(zoneinfo.ZoneInfo(zone or "UTC"))
    return f"{local:%a} {local.day} {local:%B %Y, %H:%M}"


def when_all(times: Sequence[Span], zone: str) -> str:
    """As `when`; of a series the first, and the days of the others."""
    first, *others = times
    said = when(first.start, first.end, zone)
    if not others:
        return said
    place = zoneinfo.ZoneInfo(zone or "UTC")
    days = [one.start.astimezone(place) for one in others]
    shown = ", ".join(f"{day.day} {day:%B}" for day in days[:_DAYS_SHOWN])
    more = f" and {len(days) - _DAYS_SHOWN} more, until {moment(days[-1], zone)}" if len(days) > _DAYS_SHOWN else ""
    return f"{said}; again on {shown}{more}"


def which(request: MeetingRequest, proposals: Sequence[Proposal], doubts: Sequence[str]) -> str:
    """The question which of the proposals is to be taken."""
    names = ", ".join(one.name or one.address for one in request.attendees)
    first, *others = proposals
    series = ", a series," if first.times else ""
    lines = [f"Book {request.summary!r}{series} with {names}: {when(first.start, first.end, request.zone)}?"]
    lines.append(f"{'; '.join(first.reasons)}.")
    for number, other in enumerate(others, start=2):
        lines.append(f"Or {number}: {when(other.start, other.end, request.zone)} ({'; '.join(other.reasons)}).")
    if doubts:
        lines.append(f"Not sure: {'; '.join(doubts)}.")
    return " ".join(lines)


def invitation(summary: str, time: str, place: str, description: str) -> str:
    """The text beside an invitation."""
    lines = [f"You are invited: {summary}", f"When: {time}"]
    if place:
        lines.append(f"Where: {place}")
    if description:
        lines += ["", description]
    return "\n".join([*lines, "", "Please answer with your calendar, or reply to this mail.", ""])


def note(what: str, summary: str, time: str, reason: str = "") -> str:
    """The text beside a change, a cancellation or an answer."""
    return "\n".join([f"{what}: {summary}", f"When: {time}", *([reason] if reason else []), ""])
