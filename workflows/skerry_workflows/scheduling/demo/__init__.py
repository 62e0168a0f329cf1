"""Something to try scheduling on: the calendars of a small hotel's people, and what comes in. All of it is invented.

Nothing leaves: mails become files in the folder `outbox`. Times are made from the present, so that they lie ahead.
"""

from __future__ import annotations

import datetime as dt
import shutil
import zoneinfo
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from skerry_workflows.demo import Coming, Part, Table, a_monday
from skerry_workflows.scheduling import words
from skerry_workflows.scheduling.bookings import Bookings
from skerry_workflows.scheduling.model import Answered, Booked, CalledOff, Moved, NotBooked, Noted

SETTINGS = Path(__file__).parent / "scheduling.toml"
OWNER, ZONE = "ada@fjordblick.example", "Europe/Berlin"
_AHEAD = dt.timedelta(days=60)


def part(folder: Path, now: dt.datetime) -> Part:
    """Write the settings and calendars into a data folder. Two wishes to meet come by mail, and these besides."""
    shutil.copyfile(SETTINGS, folder / SETTINGS.name)
    monday = a_monday(now)
    (folder / "ben.ics").write_bytes(_weekly(monday))
    invitation = folder / "inbox" / "season-kick-off.eml"
    invitation.parent.mkdir(exist_ok=True)
    invitation.write_bytes(_invitation(monday, now))
    tuesday = monday + dt.timedelta(days=1)
    thursday = monday + dt.timedelta(days=3)
    plans = {
        "text": f"Shall we meet on {thursday.day} {thursday:%B %Y} at 4 pm?",
        "subject": "Bus tours in autumn",
        "sender": "chloe@suedwind.example",
    }
    comings = (
        Coming("Budget: an hour with Ben", "meeting.requested", {"request": _request(tuesday, 14, "Budget")}),
        Coming(
            f"Chloe Ruiz: {plans['text']}",
            "meeting.requested",
            plans,
            answer="approve --set duration_minutes=45 --set 'questions=[]'",
        ),
        Coming("Chloe Ruiz: Invitation: Season kick-off", "meeting.requested", file=invitation),
    )
    return Part("Meetings", "REQUEST", "scheduling", comings, told, partial(booked, folder, now))


def told(result: str, value: bytes) -> str:
    """What became of a request."""
    match msgspec.json.decode(value, type=_RESULTS[result]):
        case Booked() as it:
            return f"booked: {_time(it.start, it.end)}; invited {', '.join(it.invited)}"
        case Moved() as it:
            return f"moved to {_time(it.start, it.end)}"
        case CalledOff():
            return "called off, and everybody was told"
        case Answered() as it:
            return f"answered: {it.answer.lower()}"
        case Noted() as it:
            return f"{it.change}: {it.why}"
        case NotBooked() as it:
            return f"not booked: {it.reason}"


_Result = Booked | Moved | CalledOff | Answered | Noted | NotBooked
_RESULTS: dict[str, type[_Result]] = {
    kind.__name__: kind for kind in (Booked, Moved, CalledOff, Answered, Noted, NotBooked)
}


def booked(folder: Path, now: dt.datetime) -> Table:
    """Whose time is taken, and whether that is for sure."""
    with Bookings(folder / "bookings.db") as bookings:
        found = [
            (_time(one.starts, one.ends), bookings.current(one.uid))
            for one in bookings.taken(OWNER, now, now + _AHEAD, now)
        ]
    return Table(
        "Slots: each is given once. Invitations are files in outbox/",
        ("WHEN", "WHAT", "WITH"),
        tuple(
            (time, meeting.summary, ", ".join(person for person in meeting.people if person != OWNER))
            if meeting
            else (time, "held until somebody decides", "")
            for time, meeting in found
        ),
    )


def _time(start: dt.datetime, end: dt.datetime) -> str:
    return words.when(start, end, ZONE)


def _weekly(monday: dt.datetime) -> bytes:
    """Ben's standing appointments, in the zone of another system's name."""
    from skerry_workflows.scheduling.calendar.lines import written
    from skerry_workflows.scheduling.calendar.read import read

    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:stand-up@fjordblick.example", "SUMMARY:Stand-up",
        f"DTSTART;TZID=GMT Standard Time:{monday - dt.timedelta(days=70):%Y%m%d}T090000", "DURATION:PT30M",
        "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "END:VEVENT", "END:VCALENDAR",
    ]  # fmt: skip
    return written(read("\n".join(lines).encode()).calendar)


def _request(day: dt.datetime, hour: int, summary: str) -> dict[str, Any]:
    """A request that says all: an hour in that afternoon, by the clock in Berlin, with two people."""
    start = dt.datetime.combine(day.date(), dt.time(hour), zoneinfo.ZoneInfo(ZONE))
    window = {"start": start.isoformat(), "end": (start + dt.timedelta(hours=3)).isoformat()}
    people = [{"address": "ben@fjordblick.example", "name": "Ben Ito"}]
    return {"summary": summary, "attendees": people, "duration_minutes": 60, "windows": [window]}


def _invitation(monday: dt.datetime, now: dt.datetime) -> bytes:
    """A mail with an invitation to Ada from outside."""
    from skerry_workflows.scheduling.imip import write_mail
    from skerry_workflows.scheduling.itip.outgoing import messages
    from skerry_workflows.scheduling.itip.write import Person, event

    chloe = Person(address="chloe@suedwind.example", name="Chloe Ruiz")
    ada = Person(address=OWNER, name="Ada Berg")
    start = monday + dt.timedelta(days=3, hours=10)
    calendar = event(
        uid="kick-off@suedwind.example", start=start, end=start + dt.timedelta(hours=1), summary="Season kick-off",
        organizer=chloe, attendees=[chloe, ada], now=now, location="South street 1",
    )  # fmt: skip
    (message,) = messages(None, calendar, chloe.address, now)
    return write_mail(message, subject="Invitation: Season kick-off", text="Please come.", sent=now).as_bytes()
