"""Something to try scheduling on: a small office, its calendars, and what comes in. All people are invented.

Nothing leaves: mails become files in the folder `outbox`. Times are made from the present, so that they lie ahead.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, NamedTuple

SETTINGS = """# The demo's settings of scheduling; see docs/guides/scheduling.md.
owner = "ada@north.example"
name = "Ada Berg"
zone = "Europe/Berlin"
buffer_minutes = 10

[people."ben@north.example"]
name = "Ben Ito"
zone = "Europe/London"
hours = { mon = ["09:00-17:00"], tue = ["09:00-17:00"], wed = ["09:00-12:00"], thu = ["09:00-17:00"] }
calendar = { path = "ben.ics" }

[people."chloe@south.example"]
name = "Chloe Ruiz"

[policy]
send = "outside"                 # who is not of the house gets mail only after a yes
inside = ["north.example"]
choose = "best"
"""


class Coming(NamedTuple):
    """Something that comes in: publish `event` with `data`, or with `file` as its document."""

    name: str
    event: str
    data: dict[str, Any]
    file: bytes = b""


def prepare(folder: Path, now: dt.datetime) -> tuple[Coming, ...]:
    """Write the settings and calendars into a data folder; what then comes in, in this order."""
    from skerry_workflows.scheduling.calendar.lines import written

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scheduling.toml").write_text(SETTINGS, encoding="utf-8")
    monday = _monday(now)
    (folder / "ben.ics").write_bytes(written(_weekly(monday)))
    day = monday + dt.timedelta(days=1)
    text = f"Hi Ada, could we meet on {day.day} {day:%B %Y} at 2 pm for 45 minutes? The draft is ready. Ben"
    return (
        Coming("a clear wish", "meeting.requested", {"text": text, "subject": "Draft", "sender": "ben@north.example"}),
        Coming("the same time again", "meeting.requested", {"request": _request(day, 14, "Budget")}),
        Coming("how long?", "meeting.requested", {"text": f"Shall we meet on {day.day} {day:%B %Y} at 4 pm?",
                                                  "subject": "Plans", "sender": "chloe@south.example"}),
        Coming("an invitation", "meeting.requested", {}, _invitation(monday, now)),
    )  # fmt: skip


def _monday(now: dt.datetime) -> dt.datetime:
    """The Monday of the week after next, so that all of it lies ahead."""
    day = now.date() + dt.timedelta(days=14 - now.weekday())
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def _weekly(monday: dt.datetime) -> Any:
    """Ben's standing appointments, in the zone of another system's name."""
    from skerry_workflows.scheduling.calendar.read import read

    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:stand-up@north.example", "SUMMARY:Stand-up",
        f"DTSTART;TZID=GMT Standard Time:{monday - dt.timedelta(days=70):%Y%m%d}T090000", "DURATION:PT30M",
        "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "END:VEVENT", "END:VCALENDAR",
    ]  # fmt: skip
    return read("\n".join(lines).encode()).calendar


def _request(day: dt.datetime, hour: int, summary: str) -> dict[str, Any]:
    """A request that says all: an hour in that afternoon, by the clock in Berlin, with two people."""
    import zoneinfo

    start = dt.datetime.combine(day.date(), dt.time(hour), zoneinfo.ZoneInfo("Europe/Berlin"))
    window = {"start": start.isoformat(), "end": (start + dt.timedelta(hours=3)).isoformat()}
    people = [{"address": "ben@north.example", "name": "Ben Ito"}]
    return {"summary": summary, "attendees": people, "duration_minutes": 60, "windows": [window]}


def _invitation(monday: dt.datetime, now: dt.datetime) -> bytes:
    """A mail with an invitation to Ada from outside."""
    from skerry_workflows.scheduling.imip import write_mail
    from skerry_workflows.scheduling.itip.outgoing import messages
    from skerry_workflows.scheduling.itip.write import Person, event

    chloe = Person(address="chloe@south.example", name="Chloe Ruiz")
    ada = Person(address="ada@north.example", name="Ada Berg")
    start = monday + dt.timedelta(days=2, hours=10)
    calendar = event(
        uid="kick-off@south.example", start=start, end=start + dt.timedelta(hours=1), summary="Kick-off",
        organizer=chloe, attendees=[chloe, ada], now=now, location="South street 1",
    )  # fmt: skip
    (message,) = messages(None, calendar, chloe.address, now)
    return write_mail(message, subject="Invitation: Kick-off", text="Please come.", sent=now).as_bytes()
