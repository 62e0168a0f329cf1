"""Small calendars for the tests."""

from __future__ import annotations

from skerry_workflows.scheduling.calendar.read import Source, read


def calendar(*lines: str) -> bytes:
    """A VCALENDAR around these lines."""
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *lines, "END:VCALENDAR", ""]).encode()


def event(*lines: str, uid: str = "one@example.org") -> list[str]:
    """A VEVENT around these lines."""
    return ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT"]


def source(*lines: str) -> Source:
    """What `read` makes of a VCALENDAR around these lines."""
    return read(calendar(*lines))
