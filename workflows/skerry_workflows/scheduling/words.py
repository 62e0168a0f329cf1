"""What people read: times, questions and the texts of mails."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence

from skerry_workflows.scheduling.model import MeetingRequest
from skerry_workflows.scheduling.slots.model import Proposal


def when(start: dt.datetime, end: dt.datetime, zone: str) -> str:
    """ "Tue 3 March 2026, 10:00-11:00 (Europe/Rome)"."""
    place = zoneinfo.ZoneInfo(zone or "UTC")
    begins, ends = start.astimezone(place), end.astimezone(place)
    day = f"{begins:%a} {begins.day} {begins:%B %Y}"
    until = f"{ends:%H:%M}" if begins.date() == ends.date() else f"{ends:%a} {ends.day} {ends:%B %H:%M}"
    return f"{day}, {begins:%H:%M}-{until} ({zone or 'UTC'})"


def which(request: MeetingRequest, proposals: Sequence[Proposal], doubts: Sequence[str]) -> str:
    """The question which of the proposals is to be taken."""
    names = ", ".join(one.name or one.address for one in request.attendees)
    first, *others = proposals
    lines = [f"Book {request.summary!r} with {names}: {when(first.start, first.end, request.zone)}?"]
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
