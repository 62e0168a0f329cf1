"""The tasks of scheduling: all that touches calendars, bookings and mail. Each may run twice and does it once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from skerry import Blob, Limits, TerminalError, read_blob, task, task_context
from skerry.errors import DataError
from skerry_workflows.scheduling.bookings import Booking, Bookings, Taken
from skerry_workflows.scheduling.model import Effects, Letter, MeetingRequest, Noted, Outgoing, Suggest
from skerry_workflows.scheduling.settings import Settings, load
from skerry_workflows.scheduling.slots.model import Found, Span, Wanted
from skerry_workflows.scheduling.stores.store import Changed

if TYPE_CHECKING:
    from skerry_workflows.scheduling.calendar.lines import Component
    from skerry_workflows.scheduling.itip.outgoing import Message
    from skerry_workflows.scheduling.stores.store import Store, Stored

_OPENING = Limits(memory_mb=512, cpu_s=20, wall_s=30)
"""What opening one untrusted mail may cost."""


def _settings() -> tuple[Settings, Path]:
    return load(task_context().settings)


def _bookings() -> Bookings:
    _, folder = _settings()
    data = task_context().settings.get("SKERRY_DATA")
    return Bookings((Path(data) if data else folder) / "bookings.db")


# --- what came --------------------------------------------------------------------------------------------------------


@task(name="scheduling.open_mail", size="rules", limits=_OPENING)
def open_mail(mail: Blob) -> Letter:
    """Opens an untrusted mail, in a process of its own: the calendar in it, or else its text."""
    from skerry_workflows.email.mime import parse
    from skerry_workflows.scheduling.calendar.lines import written
    from skerry_workflows.scheduling.calendar.unreadable import Unreadable
    from skerry_workflows.scheduling.imip import read_mail

    data = read_blob(mail)
    message = parse(data)
    sender = message.sender[0] if message.sender else None
    letter = Letter(
        text=message.text,
        subject=message.subject,
        sender=sender.address.lower() if sender else "",
        sender_name=sender.name if sender else "",
        message_id=message.message_id,
    )
    try:
        mailed = read_mail(data)
    except Unreadable as error:
        return msgspec.structs.replace(letter, flaws=(f"the calendar in it cannot be read: {error.message}",))
    # PUBLISH and a bare calendar file are for looking at: nobody is asked for anything.
    if mailed is None or not mailed.events or mailed.method in ("", "PUBLISH"):
        return letter
    flaws = mailed.warnings
    if not mailed.consistent:
        flaws = (*flaws, "the mail does not say that it brings an iTIP message, and its calendar does")
    return msgspec.structs.replace(
        letter, ics=written(mailed.calendar).decode(), method=mailed.method, flaws=tuple(dict.fromkeys(flaws))
    )


@task(name="scheduling.introduce")
def introduce(letter: Letter, now: dt.datetime) -> Letter:
    """A letter with what the settings know: who is asked, where, and whom names can mean."""
    from skerry_workflows.scheduling.calendar.zones import resolve

    settings, _ = _settings()
    people = {settings.owner.lower(): settings.name, **{key.lower(): one.name for key, one in settings.people.items()}}
    request = letter.request
    zone = resolve(request.zone if request and request.zone else settings.zone) or "UTC"
    if request is not None:
        request = msgspec.structs.replace(request, zone=zone)
    return msgspec.structs.replace(
        letter, now=letter.now or now, zone=zone, owner=settings.owner.lower(), people=people, request=request
    )


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of the policy that the workflow's own code asks for."""

    choose: Literal["ask", "best"]
    ask_back: Literal["person", "mail"]
    hold_hours: float


@task(name="scheduling.policy")
def choices() -> Choices:
    """What the settings say of choosing and asking back."""
    settings, _ = _settings()
    policy = settings.policy
    return Choices(choose=policy.choose, ask_back=policy.ask_back, hold_hours=policy.hold_hours)


@task(name="scheduling.question")
def question(letter: Letter, request: MeetingRequest, now: dt.datetime) -> Effects:
    """The mail that asks back."""
    import hashlib

    settings, _ = _settings()
    asked = [f"- {one}" for one in request.questions] or ["- When, how long and with whom?"]
    key = hashlib.sha256("\0".join((task_context().run, *asked)).encode()).hexdigest()[:32]
    mail = Outgoing(
        key=key, method="", uid=f"question-{key}", sequence=0, sender=settings.owner, sender_name=settings.name,
        recipient=letter.sender, recipient_name=letter.sender_name, subject=f"Re: {letter.subject or 'your request'}",
        text="\n".join(["About your request for a meeting:", *asked, ""]),
    )  # fmt: skip
    del now
    return Effects(uid=mail.uid, sequence=0, mails=(mail,), ask=_why_ask(settings, (mail,)))


# --- a time -----------------------------------------------------------------------------------------------------------


@task(name="scheduling.find_slots")
def find_slots(request: MeetingRequest, tried: tuple[Span, ...], now: dt.datetime) -> Found:
    """Looks into the calendars. `tried` are times that turned out to be taken."""
    from skerry_workflows.scheduling.agenda import participants
    from skerry_workflows.scheduling.slots.search import search

    settings, folder = _settings()
    windows = tuple(
        Span(start=max(one.start, now) if not request.exact else one.start, end=one.end)
        for one in request.windows
        if one.end > now
    )
    length = dt.timedelta(minutes=request.duration_minutes)
    if not windows:
        return Found(proposals=(), obstacles=("the time in which it was to be is over",))
    with _bookings() as bookings:
        people = participants(
            settings, folder, bookings, request.attendees, start=min(one.start for one in windows),
            end=max(one.end for one in windows) + length, now=now,
        )  # fmt: skip
    wanted = Wanted(
        duration=length, windows=windows, excluded=(*request.excluded, *tried), exact=request.exact,
        zone=request.zone or "UTC", prefer=request.prefer, place=request.place,
    )  # fmt: skip
    return search(wanted, people)


@task(name="scheduling.hold")
def hold(
    uid: str, sequence: int, summary: str, people: tuple[str, ...], slot: Span, now: dt.datetime, hours: float
) -> Booking | Taken:
    """Holds a time for everybody, or for nobody; the step's key makes a repeated attempt harmless."""
    settings, _ = _settings()
    with _bookings() as bookings:
        return bookings.hold(
            uid=uid, sequence=sequence, starts=slot.start, ends=slot.end, people=(settings.owner, *people),
            summary=summary, key=task_context().key, now=now, held_until=now + dt.timedelta(hours=hours),
        )  # fmt: skip


@task(name="scheduling.release")
def release(uid: str, booking: int) -> None:
    """Gives a held time back."""
    with _bookings() as bookings:
        bookings.release(uid, number=booking)


# --- what is to be done -----------------------------------------------------------------------------------------------


@task(name="scheduling.invite")
def invite(request: MeetingRequest, booking: Booking, now: dt.datetime) -> Effects:
    """The event and its invitations, as they would be sent."""
    from skerry_workflows.scheduling import words
    from skerry_workflows.scheduling.calendar.lines import written
    from skerry_workflows.scheduling.itip.outgoing import messages
    from skerry_workflows.scheduling.itip.write import Person, event

    settings, _ = _settings()
    host = Person(address=settings.owner, name=settings.name)
    guests = [Person(address=one.address, name=one.name, optional=one.optional) for one in request.attendees]
    reminders = settings.policy.remind_minutes
    calendar = event(
        uid=booking.uid, start=booking.starts, end=booking.ends, summary=request.summary, organizer=host,
        attendees=[host, *(one for one in guests if one.address.lower() != host.address.lower())], now=now,
        sequence=booking.sequence, location=request.place, description=request.description,
        reminder=dt.timedelta(minutes=reminders[0]) if reminders else None,
    )  # fmt: skip
    time = words.when(booking.starts, booking.ends, request.zone)
    text = words.invitation(request.summary, time, request.place, request.description)
    mails = tuple(
        _mail(one, f"Invitation: {request.summary}", text) for one in messages(None, calendar, settings.owner, now)
    )
    return Effects(
        uid=booking.uid, sequence=booking.sequence, ics=written(calendar).decode(), mails=mails,
        ask=_why_ask(settings, mails),
    )  # fmt: skip


class Known(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A meeting in the calendar that we organise; `found` False where there is none under that UID."""

    found: bool
    summary: str = ""
    sequence: int = 0
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    attendees: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()
    cancelled: bool = False
    zone: str = "UTC"


@task(name="scheduling.look_up")
def look_up(uid: str) -> Known:
    """What the calendar has of a meeting of ours."""
    from skerry_workflows.scheduling.calendar.occurrences import instant, occurrence_of
    from skerry_workflows.scheduling.calendar.read import Source
    from skerry_workflows.scheduling.itip import entries as it

    settings, folder = _settings()
    stored = _store(settings, folder).get(uid)
    entry = it.master(it.entries(stored.calendar)) if stored else None
    if stored is None or entry is None or it.organizer(entry) != settings.owner.lower():
        return Known(found=False)
    at = occurrence_of(entry, Source(calendar=stored.calendar))
    people = tuple(one.address for one in entry.all("ATTENDEE") if one.address != settings.owner.lower())
    return Known(
        found=True,
        summary=entry.text("SUMMARY"),
        sequence=it.sequence(entry),
        start=instant(at.start) if at else None,
        end=instant(at.end) if at else None,
        attendees=people,
        unanswered=tuple(one for one in people if it.partstat(entry, one) == it.NEEDS_ACTION),
        cancelled=entry.value("STATUS").upper() == "CANCELLED",
        zone=_zone(settings),
    )


@task(name="scheduling.change")
def change(uid: str, slot: Span | None, reason: str, now: dt.datetime) -> Effects:
    """A meeting of ours at another time, or (without one) cancelled, and what its people are told."""
    from skerry_workflows.scheduling import words
    from skerry_workflows.scheduling.calendar.lines import written
    from skerry_workflows.scheduling.itip import entries as it
    from skerry_workflows.scheduling.itip.outgoing import messages
    from skerry_workflows.scheduling.itip.write import called_off, revised

    settings, folder = _settings()
    stored = _stored(settings, folder, uid)
    old = stored.calendar
    new = revised(old, now, start=slot.start, end=slot.end) if slot else called_off(old, now)
    entry = it.master(it.entries(new)) or it.entries(new)[0]
    summary = entry.text("SUMMARY")
    time = words.when(slot.start, slot.end, _zone(settings)) if slot else "no longer"
    what = "Moved" if slot else "Cancelled"
    mails = tuple(
        _mail(one, f"{what}: {summary}", words.note(what, summary, time, reason))
        for one in messages(old, new, settings.owner, now)
    )
    return Effects(
        uid=uid, sequence=it.sequence(entry), ics=written(new).decode(), etag=stored.etag, mails=mails,
        ask=_why_ask(settings, mails),
    )  # fmt: skip


@task(name="scheduling.perform")
def perform(effects: Effects, booking: int, now: dt.datetime) -> str:
    """Books, writes the calendar, and sends: in this order, each once, however often it is run.

    Returns why nothing was done: the hold has ended. A calendar that somebody else has changed meanwhile is not
    overwritten: `Changed`.
    """
    from skerry_workflows.scheduling.calendar.read import read
    from skerry_workflows.scheduling.itip import entries as it

    settings, folder = _settings()
    with _bookings() as bookings:
        calendar = read(effects.ics.encode()).calendar if effects.ics else None
        store = _store(settings, folder)
        known = store.get(effects.uid) if calendar else None
        stands = known is not None and calendar is not None and it.entries(known.calendar) == it.entries(calendar)
        if calendar and not stands and (known.etag if known else "") != effects.etag:
            raise Changed(f"{effects.uid[:80]} has changed in the calendar meanwhile")
        if booking:
            try:
                bookings.book(booking)
            except DataError as error:
                return error.message
        if calendar is not None:
            if not stands:
                store.put(effects.uid, calendar, effects.etag)
            if all(entry.value("STATUS").upper() == "CANCELLED" for entry in it.entries(calendar)):
                bookings.release(effects.uid)
        for mail in effects.mails:
            _send(mail, settings, folder, bookings, now)
    return ""


def _send(mail: Outgoing, settings: Settings, folder: Path, bookings: Bookings, now: dt.datetime) -> None:
    from skerry_workflows.scheduling.imip import plain_mail, write_mail
    from skerry_workflows.scheduling.mailer import send

    if not bookings.begin_sending(
        mail.key, uid=mail.uid, sequence=mail.sequence, method=mail.method, recipient=mail.recipient, now=now
    ):
        return
    message = _message(mail)
    if message is None:
        written = plain_mail(
            key=mail.key, sender=mail.sender, sender_name=mail.sender_name, recipient=mail.recipient,
            recipient_name=mail.recipient_name, subject=mail.subject, text=mail.text, sent=now,
        )  # fmt: skip
    else:
        written = write_mail(message, subject=mail.subject, text=mail.text, sent=now, key=mail.key)
    send(written, settings.mail, folder)
    bookings.sent(mail.key)


# --- what others say --------------------------------------------------------------------------------------------------


class Considered(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message of somebody else, looked at. `kind`: an invitation to answer, a proposal of another time for a meeting
    of ours, or something to take note of (or, "nothing", not even that). `ask` says why a person has to agree first."""

    kind: Literal["invitation", "proposal", "note", "nothing"]
    uid: str
    question: str = ""
    why: str = ""
    ask: str = ""
    start: dt.datetime | None = None
    end: dt.datetime | None = None


@task(name="scheduling.consider")
def consider(letter: Letter, now: dt.datetime) -> Considered:
    """What a message is, whether its sender may send it, and whether the time that it is about is free."""
    from skerry_workflows.scheduling import words
    from skerry_workflows.scheduling.calendar.occurrences import instant, occurrence_of
    from skerry_workflows.scheduling.calendar.read import read
    from skerry_workflows.scheduling.itip import entries as it
    from skerry_workflows.scheduling.itip.incoming import objections, receive

    settings, folder = _settings()
    source = read(letter.ics.encode())
    entry = it.entries(source.calendar)[0]
    uid = entry.text("UID")
    stored = _store(settings, folder).get(uid)
    done = receive(source.calendar, stored.calendar if stored else None)
    told = (*letter.flaws, *source.warnings, *objections(source.calendar, letter.sender))
    # Only from who may say so: a forged cancellation would silence the real invitation.
    if letter.method in ("REQUEST", "CANCEL") and not told and not _is_latest(source.calendar):
        return Considered(kind="nothing", uid=uid, why="a later revision has come")
    at = occurrence_of(entry, source)
    start, end = (instant(at.start), instant(at.end)) if at else (None, None)
    zone = _zone(settings)
    time = words.when(start, end, zone) if start and end else "at a time that cannot be read"
    summary, who = entry.text("SUMMARY") or "a meeting", letter.sender_name or letter.sender
    doubt = "; ".join(dict.fromkeys(told))
    if done.change == "ignored":
        return Considered(kind="nothing", uid=uid, why=done.why)
    if done.change == "countered":
        ask = f"{who} proposes another time for {summary!r}: {time}. Move it?"
        return Considered(kind="proposal", uid=uid, question=ask, why=done.why, ask=doubt, start=start, end=end)
    invited = it.attendee(entry, settings.owner) is not None and it.organizer(entry) != settings.owner.lower()
    if letter.method == "REQUEST" and invited:
        clash = _clash(settings, folder, uid, start, end, now) if start and end else "its time cannot be read"
        series = " (a series)" if entry.first("RRULE") else ""
        ask = f"{who} invites you to {summary!r}{series}, {time}. {clash or 'You are free then'}. Accept?"
        mine = settings.policy.accept == "free" and not clash and not series and not told
        trusted = mine and not settings.policy.asks((it.organizer(entry),))
        return Considered(
            kind="invitation", uid=uid, question=f"{ask} {doubt}".strip(), why=done.why, start=start, end=end,
            ask="" if trusted else "policy",
        )  # fmt: skip
    if done.crashers:
        doubt = "; ".join(filter(None, (doubt, f"{', '.join(done.crashers)} answered without being invited")))
    ask = f"{who} sends a {letter.method} for {summary!r}: {done.why}. But {doubt}. Take it?" if doubt else ""
    return Considered(kind="note", uid=uid, question=ask, why=done.why, ask=doubt)


def _is_latest(message: Component) -> bool:
    """Notes a message of an organizer; whether nothing later is known of."""
    from skerry_workflows.scheduling.itip import entries as it

    with _bookings() as bookings:
        newest = [
            bookings.hear(one.text("UID"), it.instance(one), it.sequence(one), one.value("DTSTAMP"))
            for one in it.entries(message)
        ]
    return all(newest)


def _clash(settings: Settings, folder: Path, uid: str, start: dt.datetime, end: dt.datetime, now: dt.datetime) -> str:
    from skerry_workflows.scheduling.agenda import participants

    with _bookings() as bookings:
        (me,) = participants(settings, folder, bookings, (), start=start, end=end, now=now, without=uid)
    if me.doubts:
        return f"Whether you are free is not sure: {'; '.join(me.doubts)}"
    taken = any(one.start < end and start < one.end for one in me.engagements)
    return "You have something else then" if taken else ""


@task(name="scheduling.answer")
def answer(letter: Letter, said: str, suggestion: Suggest | None, now: dt.datetime) -> Effects:
    """An invitation in the calendar with its answer, and the mail to the organizer: a COUNTER, with another time."""
    from skerry_workflows.scheduling import words
    from skerry_workflows.scheduling.calendar.lines import written
    from skerry_workflows.scheduling.calendar.read import read
    from skerry_workflows.scheduling.imip import counter_message
    from skerry_workflows.scheduling.itip import entries as it
    from skerry_workflows.scheduling.itip.incoming import receive
    from skerry_workflows.scheduling.itip.outgoing import messages
    from skerry_workflows.scheduling.itip.write import answered, counter

    settings, folder = _settings()
    message = read(letter.ics.encode()).calendar
    uid = it.entries(message)[0].text("UID")
    stored = _store(settings, folder).get(uid)
    taken = receive(message, stored.calendar if stored else None).calendar
    if taken is None or not _is_latest(message):
        return Effects(uid=uid, sequence=0, stale="a later revision has come, and nothing was answered")
    summary = it.entries(taken)[0].text("SUMMARY")
    if suggestion is not None:
        proposed = counter(taken, settings.owner, suggestion.start, suggestion.end, now, suggestion.comment)
        sent: Sequence[Message] = (counter_message(proposed, settings.owner, settings.name),)
        result = answered(taken, settings.owner, "TENTATIVE")
        time = words.when(suggestion.start, suggestion.end, _zone(settings))
        said = "New time proposed"
    else:
        result = answered(taken, settings.owner, said)
        sent = messages(taken, result, settings.owner, now)
        time = "as in the invitation"
    mails = tuple(_mail(one, f"{said.title()}: {summary}", words.note(said.title(), summary, time)) for one in sent)
    entry = it.master(it.entries(result)) or it.entries(result)[0]
    return Effects(
        uid=uid, sequence=it.sequence(entry), ics=written(result).decode(), etag=stored.etag if stored else "",
        mails=mails,
    )  # fmt: skip


@task(name="scheduling.take")
def take(letter: Letter) -> Noted:
    """Puts what a message says into the calendar: an answer, a cancellation, an update. Nothing is sent."""
    from skerry_workflows.scheduling.calendar.read import read
    from skerry_workflows.scheduling.itip import entries as it
    from skerry_workflows.scheduling.itip.incoming import receive

    settings, folder = _settings()
    message = read(letter.ics.encode()).calendar
    uid = it.entries(message)[0].text("UID")
    store = _store(settings, folder)
    stored = store.get(uid)
    done = receive(message, stored.calendar if stored else None)
    if done.calendar is not None and (stored is None or done.calendar != stored.calendar):
        store.put(uid, done.calendar, stored.etag if stored else "")
        if done.change == "cancelled" and it.master(it.entries(message)) is not None:
            with _bookings() as bookings:
                bookings.release(uid)
    return Noted(uid=uid, change=done.change, why=done.why)


@task(name="scheduling.decline_proposal")
def decline_proposal(letter: Letter, now: dt.datetime) -> Effects:
    """The no to a proposal of another time: the event stays as it is."""
    from skerry_workflows.scheduling import words
    from skerry_workflows.scheduling.imip import counter_message
    from skerry_workflows.scheduling.itip import entries as it
    from skerry_workflows.scheduling.itip.write import counter_declined

    settings, folder = _settings()
    from skerry_workflows.scheduling.calendar.read import read

    uid = it.entries(read(letter.ics.encode()).calendar)[0].text("UID")
    stored = _stored(settings, folder, uid)
    entry = it.entries(stored.calendar)[0]
    refusal = counter_declined(stored.calendar, now)
    sent = counter_message(refusal, settings.owner, settings.name, to=letter.sender)
    what = "The time stays"
    mail = _mail(sent, f"{what}: {entry.text('SUMMARY')}", words.note(what, entry.text("SUMMARY"), "as invited"))
    return Effects(uid=uid, sequence=it.sequence(entry), mails=(mail,))


# --- afterwards -------------------------------------------------------------------------------------------------------


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """When a meeting is followed up, and when its owner is reminded; `over` is its end."""

    follow_up: dt.datetime
    reminders: tuple[dt.datetime, ...]
    over: dt.datetime


@task(name="scheduling.plan")
def plan(start: dt.datetime, end: dt.datetime, now: dt.datetime) -> Plan:
    """The timers of a meeting, as the settings want them; those of the past are left out."""
    settings, _ = _settings()
    policy = settings.policy
    follow_up = min(now + dt.timedelta(hours=policy.follow_up_hours), start - dt.timedelta(hours=1))
    reminders = sorted(start - dt.timedelta(minutes=minutes) for minutes in policy.remind_minutes)
    return Plan(follow_up=follow_up, reminders=tuple(one for one in reminders if one > now), over=end)


@task(name="scheduling.follow_up")
def follow_up(uid: str, sequence: int, now: dt.datetime) -> Effects:
    """The invitation again, for those who have not answered: the same revision, so nothing changes for anybody."""
    from skerry_workflows.scheduling import words
    from skerry_workflows.scheduling.itip import entries as it
    from skerry_workflows.scheduling.itip.outgoing import messages

    settings, folder = _settings()
    calendar = _stored(settings, folder, uid).calendar
    entry = it.entries(calendar)[0]
    waiting = {one.address for one in entry.all("ATTENDEE") if it.partstat(entry, one.address) == it.NEEDS_ACTION}
    mails: list[Outgoing] = []
    for one in messages(None, calendar, settings.owner, now):
        if one.recipient in waiting:
            text = words.note("Please answer", entry.text("SUMMARY"), "as invited")
            again = _mail(one, f"Please answer: {entry.text('SUMMARY')}", text)
            mails.append(msgspec.structs.replace(again, key=f"{again.key}-again"))
    return Effects(uid=uid, sequence=sequence, mails=tuple(mails), ask=_why_ask(settings, tuple(mails)))


# --- inside -----------------------------------------------------------------------------------------------------------


def _store(settings: Settings, folder: Path) -> Store:
    store = settings.calendar.open(folder)
    if store is None:
        raise TerminalError("the settings name no calendar of yours", hint='write [calendar] path = "calendar"')
    return store


def _stored(settings: Settings, folder: Path, uid: str) -> Stored:
    stored = _store(settings, folder).get(uid)
    if stored is None:
        raise TerminalError(f"the meeting {uid[:80]} is not in the calendar", hint="somebody has removed it")
    return stored


def _zone(settings: Settings) -> str:
    from skerry_workflows.scheduling.calendar.zones import resolve

    return resolve(settings.zone) or "UTC"


def _why_ask(settings: Settings, mails: tuple[Outgoing, ...]) -> str:
    recipients = tuple(one.recipient for one in mails)
    if not recipients or not settings.policy.asks(recipients):
        return ""
    return f"mails go to {', '.join(recipients)}"


def _mail(message: Message, subject: str, text: str) -> Outgoing:
    from skerry_workflows.scheduling.calendar.lines import written
    from skerry_workflows.scheduling.imip import key_of

    return Outgoing(
        key=key_of(message), method=message.method, uid=message.uid, sequence=message.sequence, sender=message.sender,
        sender_name=message.sender_name, recipient=message.recipient, recipient_name=message.recipient_name,
        subject=subject, text=text, ics=written(message.calendar).decode(),
    )  # fmt: skip


def _message(mail: Outgoing) -> Message | None:
    from skerry_workflows.scheduling.calendar.read import read
    from skerry_workflows.scheduling.itip.outgoing import Message, Method

    if not mail.ics:
        return None
    calendar: Component = read(mail.ics.encode()).calendar
    return Message(
        method=msgspec.convert(mail.method, Method), uid=mail.uid, sequence=mail.sequence, sender=mail.sender,
        sender_name=mail.sender_name, recipient=mail.recipient, recipient_name=mail.recipient_name, calendar=calendar,
    )  # fmt: skip
