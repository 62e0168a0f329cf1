"""iMIP: a mail that is written is read as the same message, and what mails bring is shown as it is."""

from __future__ import annotations

import datetime as dt
from email.message import EmailMessage

import pytest

from skerry_workflows.scheduling.calendar.unreadable import Unreadable
from skerry_workflows.scheduling.imip import Attendee, key_of, read_mail, write_mail
from skerry_workflows.scheduling.itip.outgoing import messages
from skerry_workflows.scheduling.itip.write import Person, answered, event
from tests.scheduling import files

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
ADA = Person(address="ada@example.org", name="Ada, of the board\r\nBcc: x@example.org")
BEN = Person(address="ben@example.org", name="Bén")
CALENDAR = event(uid="m1", start=NOW, end=NOW + dt.timedelta(hours=1), summary="Übung", organizer=ADA,
                 attendees=[ADA, BEN], now=NOW, location="Café")  # fmt: skip


def mail(data: bytes, method: str = "", media: str = "calendar") -> bytes:
    message = EmailMessage()
    message["From"] = "ada@example.org"
    message.set_content("hello")
    params = {"method": method} if method else None
    message.add_attachment(data, maintype="text", subtype=media, cte="base64", params=params, filename="x.ics")
    return message.as_bytes()


def test_there_and_back() -> None:
    (request,) = messages(None, CALENDAR, ADA.address, NOW)
    written = write_mail(request, subject="Invitation\r\nBcc: y@example.org", text="Please come.", sent=NOW)
    assert written["Bcc"] is None and written["Date"] == "Sun, 01 Mar 2026 12:00:00 +0000"
    mailed = read_mail(written.as_bytes())
    assert mailed is not None and mailed.consistent and not mailed.warnings
    assert (mailed.method, mailed.sender, mailed.calendar) == ("REQUEST", "ada@example.org", request.calendar)
    (one,) = mailed.events
    assert (one.summary, one.location, one.start, one.sequence, one.status) == ("Übung", "Café", NOW, 0, "CONFIRMED")
    assert one.attendees[1] == Attendee(email="ben@example.org", partstat="NEEDS-ACTION", name="Bén")


def test_the_same_message_is_the_same_mail() -> None:
    (request,) = messages(None, CALENDAR, ADA.address, NOW)
    (again,) = messages(None, CALENDAR, ADA.address, NOW + dt.timedelta(days=1))
    assert key_of(request) == key_of(again)
    yes, no = (
        messages(CALENDAR, answered(CALENDAR, BEN.address, a), BEN.address, NOW)[0] for a in ("ACCEPTED", "DECLINED")
    )
    assert len({key_of(request), key_of(yes), key_of(no)}) == 3
    assert write_mail(yes, subject="", text="")["Message-ID"] == f"<{key_of(yes)}@example.org>"


def test_methods_that_differ_are_told() -> None:
    mailed = read_mail(mail(files.calendar("METHOD:REQUEST", *files.event("DTSTART:20260301T100000Z")), "CANCEL"))
    assert mailed is not None and not mailed.consistent
    assert mailed.warnings == ("the mail says CANCEL and the calendar in it REQUEST",)


def test_an_exception_and_a_day() -> None:
    other = files.event("RECURRENCE-ID;TZID=Europe/Rome:20260302T100000", "DTSTART:20260303T100000Z", uid="2")
    mailed = read_mail(mail(files.calendar(*files.event("DTSTART;VALUE=DATE:20260301"), *other)))
    assert mailed is not None
    day, moved = mailed.events
    assert (day.start, day.end) == (dt.date(2026, 3, 1), None)
    assert moved.recurrence_id is not None and moved.recurrence_id == dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


def test_no_calendar_and_a_broken_one() -> None:
    plain = EmailMessage()
    plain.set_content("hello")
    assert read_mail(plain.as_bytes()) is None
    with pytest.raises(Unreadable):
        read_mail(mail(b"nothing of the kind", "REQUEST"))
