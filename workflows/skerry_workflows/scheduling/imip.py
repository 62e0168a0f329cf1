"""iMIP (RFC 6047): iTIP messages in mails, both ways."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING

import msgspec

from skerry_workflows.scheduling.calendar.lines import Component, Line, address_of, written
from skerry_workflows.scheduling.calendar.occurrences import Moment, occurrence_of
from skerry_workflows.scheduling.calendar.read import Source, read
from skerry_workflows.scheduling.calendar.unreadable import Unreadable
from skerry_workflows.scheduling.itip import entries as it
from skerry_workflows.scheduling.itip.outgoing import Message, Method

if TYPE_CHECKING:
    from skerry_workflows.email.model import Message as Opened

CALENDARS_MAX = 5
"""Parts with a calendar that are looked at in one mail."""


class Attendee(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is invited, and their answer (PARTSTAT)."""

    email: str
    partstat: str
    name: str = ""


class MailedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event in a mail, as people want to see it. Moments as in `Occurrence`; `end` is None where there is none."""

    uid: str
    summary: str = ""
    start: Moment | None = None
    end: Moment | None = None
    organizer: str = ""
    attendees: tuple[Attendee, ...] = ()
    rrule: str = ""
    recurrence_id: Moment | None = None
    sequence: int = 0
    location: str = ""
    status: str = ""


class Mailed(msgspec.Struct, frozen=True, kw_only=True):
    """The calendar in a mail. `method` is the calendar's own, `mime_method` that of the mail's part.

    `warnings` are sentences for people: what was mended, and where the two methods differ (RFC 6047, section 2.4, has
    them be the same; such a mail is no iTIP message, and nothing should be done for it without asking).
    """

    method: str
    mime_method: str
    calendar: Component
    events: tuple[MailedEvent, ...]
    sender: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def consistent(self) -> bool:
        """Whether mail and calendar agree on the method."""
        return bool(self.method) and self.method == self.mime_method


def read_mail(data: bytes) -> Mailed | None:
    """As `calendar_in`, of a mail that is not parsed yet."""
    from skerry_workflows.email.mime import parse

    return calendar_in(parse(data))


def calendar_in(message: Opened) -> Mailed | None:
    """The calendar that a mail brings: a text/calendar part, or else an attached .ics file. None where there is none.

    Raises:
        Unreadable: there is a calendar part, and no calendar can be read from it.
    """
    found = [(method.upper(), text.encode()) for method, text in message.calendars]
    problem: Unreadable | None = None
    for method, text in found[:CALENDARS_MAX]:
        try:
            source = read(text)
        except Unreadable as error:
            problem = error
            continue
        warnings = list(source.warnings)
        if method and source.method and method != source.method:
            warnings.append(f"the mail says {method[:20]} and the calendar in it {source.method[:20]}")
        return Mailed(
            method=source.method,
            mime_method=method,
            calendar=source.calendar,
            events=mailed_events(source),
            sender=next((address_of(one.address) for one in message.sender), ""),
            warnings=tuple(warnings),
        )
    if problem is not None:
        raise problem
    return None


def mailed_events(source: Source) -> tuple[MailedEvent, ...]:
    """The events of a calendar, one for each VEVENT, in order."""
    return tuple(_mailed_event(entry, source) for entry in source.entries())


def _mailed_event(entry: Component, source: Source) -> MailedEvent:
    at, place = occurrence_of(entry, source), it.place(entry)
    was = occurrence_of(entry.with_line(Line("DTSTART", place.params, place.value)), source) if place else None
    has_end = entry.first("DTEND") or entry.first("DURATION")
    return MailedEvent(
        uid=entry.value("UID"),
        summary=entry.text("SUMMARY"),
        start=at.start if at else None,
        end=at.end if at and has_end else None,
        organizer=re.sub(r"(?i)^mailto:", "", entry.value("ORGANIZER")),
        attendees=tuple(
            Attendee(email=one.address, partstat=it.partstat(entry, one.address), name=it.name_of(one))
            for one in entry.all("ATTENDEE")
        ),
        rrule=entry.value("RRULE"),
        recurrence_id=was.start if was else None,
        sequence=it.sequence(entry),
        location=entry.text("LOCATION"),
        status=entry.value("STATUS").upper(),
    )


def write_mail(
    message: Message, *, subject: str, text: str, sent: dt.datetime | None = None, key: str = ""
) -> EmailMessage:
    """The mail for an iTIP message: a text for people, the calendar beside it, and once more as a file for those whose
    mail program knows no other way (RFC 6047, section 4).

    Its Message-ID follows from what it says and to whom (`key_of`, unless there is a `key`), so that sending it again
    is the same mail. `sent` is the Date.
    """
    mail = plain_mail(
        key=key or key_of(message), sender=message.sender, sender_name=message.sender_name,
        recipient=message.recipient, recipient_name=message.recipient_name, subject=subject, text=text, sent=sent,
    )  # fmt: skip
    calendar = written(message.calendar)
    mail.add_alternative(calendar, maintype="text", subtype="calendar", cte="base64",
                         params={"charset": "UTF-8", "method": message.method})  # fmt: skip
    mail.add_attachment(calendar, maintype="application", subtype="ics", filename="invite.ics")
    return mail


def plain_mail(
    *,
    key: str,
    sender: str,
    sender_name: str,
    recipient: str,
    recipient_name: str,
    subject: str,
    text: str,
    sent: dt.datetime | None,
) -> EmailMessage:
    """A mail without a calendar, whose Message-ID follows from `key`."""
    mail = EmailMessage()
    mail["Subject"] = " ".join(subject.split())
    mail["From"] = _mailbox(sender_name, sender)
    mail["To"] = _mailbox(recipient_name, recipient)
    if sent is not None:
        mail["Date"] = format_datetime(sent)
    mail["Message-ID"] = f"<{key}@{sender.rpartition('@')[2] or 'localhost'}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    return mail


def counter_message(calendar: Component, sender: str, name: str, to: str = "") -> Message:
    """A COUNTER or DECLINECOUNTER on its way: to the organizer, or to whoever is named."""
    entry = it.entries(calendar)[0]
    host = entry.first("ORGANIZER")
    return Message(
        method=msgspec.convert(calendar.value("METHOD"), Method),
        uid=entry.value("UID"),
        sequence=it.sequence(entry),
        sender=address_of(sender),
        sender_name=name,
        recipient=to or it.organizer(entry),
        recipient_name="" if to else it.name_of(host),
        calendar=calendar,
    )


def key_of(message: Message) -> str:
    """What makes a message the same as another: event, instances, revision, method, recipient and what it answers."""
    answers = sorted(
        "=".join((it.instance(entry), entry.value("DTSTART"), it.partstat(entry, message.sender)))
        for entry in it.entries(message.calendar)
    )
    said = [message.uid, str(message.sequence), message.method, message.recipient, *answers]
    return hashlib.sha256("\0".join(said).encode()).hexdigest()[:32]


def _mailbox(name: str, address: str) -> Address:
    """A header's mailbox. Names come from calendars of strangers: without line ends and other controls."""
    plain = "".join(" " if ord(letter) < 32 else letter for letter in name).strip()
    return Address(display_name=plain, addr_spec=address)
