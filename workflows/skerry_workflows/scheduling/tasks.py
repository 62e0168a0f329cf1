"""The tasks of scheduling: all that touches calendars, bookings and mail. Each may run twice and does it once."""

from __future__ import annotations

import contextlib
import datetime as dt
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from skerry import Blob, Limits, read_blob, task, task_context
from skerry.errors import DataError, RetryableError, TerminalError
from skerry_workflows.scheduling.bookings import Booking, Bookings, Taken
from skerry_workflows.scheduling.context import (
    PATIENT,
    bookings_here,
    mail_of,
    message_of,
    own_store,
    settings_here,
    stored_event,
    why_ask,
    zone_of,
)
from skerry_workflows.scheduling.model import Effects, Invitee, Letter, MeetingRequest, Outgoing
from skerry_workflows.scheduling.settings import Settings
from skerry_workflows.scheduling.slots.model import Found, Span, Wanted

_OPENING = Limits(memory_mb=512, cpu_s=20, wall_s=30)
"""What opening one untrusted mail may cost."""


# --- what came --------------------------------------------------------------------------------------------------------


@task(name="scheduling.open_mail", size="rules", limits=_OPENING)
def open_mail(mail: Blob) -> Letter:
    """Opens an untrusted mail, in a process of its own: the calendar in it, or else its text."""
    from skerry_workflows.email.mime import parse
    from skerry_workflows.scheduling.calendar.lines import written
    from skerry_workflows.scheduling.calendar.unreadable import Unreadable
    from skerry_workflows.scheduling.imip import calendar_in

    message = parse(read_blob(mail))
    sender = message.sender[0] if message.sender else None
    letter = Letter(
        text=message.text,
        subject=message.subject,
        sender=sender.address.lower() if sender else "",
        sender_name=sender.name if sender else "",
    )
    try:
        mailed = calendar_in(message)
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


@task(name="scheduling.read_letter", size="rules", limits=_OPENING)
def read_letter(letter: Letter) -> MeetingRequest:
    """What meeting a letter asks for, read in a process of its own: words of strangers, as long as they like."""
    from skerry_workflows.scheduling.understand import understand

    return understand(letter)


@task(name="scheduling.introduce")
def introduce(letter: Letter, now: dt.datetime) -> Letter:
    """A letter with what the settings know: who is asked, where, and whom names can mean."""
    from skerry_workflows.scheduling.calendar.zones import resolve

    settings, _ = settings_here()
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
    settings, _ = settings_here()
    policy = settings.policy
    return Choices(choose=policy.choose, ask_back=policy.ask_back, hold_hours=policy.hold_hours)


@task(name="scheduling.question")
def question(letter: Letter, request: MeetingRequest) -> Effects:
    """The mail that asks back."""
    import hashlib

    from skerry_workflows.awaited import Awaited, Question

    settings, _ = settings_here()
    asked = [f"- {one}" for one in request.questions] or ["- When, how long and with whom?"]
    key = hashlib.sha256("\0".join((task_context().run, *asked)).encode()).hexdigest()[:32]
    mail = Outgoing(
        key=key, method="", uid=f"question-{key}", sequence=0, sender=settings.owner, sender_name=settings.name,
        recipient=letter.sender, recipient_name=letter.sender_name, subject=f"Re: {letter.subject or 'your request'}",
        text="\n".join(["About your request for a meeting:", *asked, ""]),
    )  # fmt: skip
    # Whoever receives the answer finds the run by it. The id is that of `imip.plain_mail`.
    with Awaited(Path(task_context().settings.get("SKERRY_DATA", "."))) as awaited:
        domain = settings.owner.rpartition("@")[2] or "localhost"
        awaited.expect(f"{key}@{domain}", Question(run=task_context().run, signal="Answer", asked=letter.sender))
    return Effects(uid=mail.uid, sequence=0, mails=(mail,), ask=why_ask(settings, (mail,)))


# --- a time -----------------------------------------------------------------------------------------------------------


@task(name="scheduling.find_slots", retry=PATIENT)
def find_slots(request: MeetingRequest, tried: tuple[Span, ...], now: dt.datetime) -> Found:
    """Looks into the calendars. `tried` are times that turned out to be taken."""
    from skerry_workflows.scheduling.agenda import participants
    from skerry_workflows.scheduling.slots.search import search

    settings, folder = settings_here()
    windows = tuple(_ahead(request, now))
    length = dt.timedelta(minutes=float(request.duration_minutes))
    if not windows:
        return Found(proposals=(), obstacles=("the time in which it was to be is over",))
    wanted = Wanted(
        duration=length, windows=windows, excluded=(*request.excluded, *tried), exact=request.exact,
        zone=request.zone or "UTC", prefer=request.prefer, place=request.place, repeat=request.repeat,
    )  # fmt: skip
    with bookings_here() as bookings:
        people = participants(
            settings, folder, bookings, request.attendees, start=min(one.start for one in windows),
            end=_last(wanted), now=now,
        )  # fmt: skip
    return search(wanted, people)


def _ahead(request: MeetingRequest, now: dt.datetime) -> Iterator[Span]:
    """The windows without what is over, and not longer than is looked through."""
    from skerry_workflows.scheduling.slots.search import WINDOW_MAX

    for one in request.windows:
        start = one.start if request.exact else max(one.start, now)
        if start >= now and (start < one.end or request.exact):
            yield Span(start=start, end=min(one.end, start + WINDOW_MAX))


def _last(wanted: Wanted) -> dt.datetime:
    """Up to when calendars have to be known."""
    from skerry_workflows.scheduling.calendar.unreadable import Unreadable
    from skerry_workflows.scheduling.series import times_of_rule

    last = max(one.end for one in wanted.windows) + wanted.duration
    for window in wanted.windows if wanted.repeat else ():
        first = Span(start=window.start, end=window.start + wanted.duration)
        with contextlib.suppress(DataError, Unreadable):  # the search says so
            times = times_of_rule(wanted.repeat, first, wanted.zone, any_day=True)
            last = max(last, times[-1].end + (window.end - window.start))
    return last


@task(name="scheduling.still_free", retry=PATIENT)
def still_free(
    times: tuple[Span, ...], people: tuple[Invitee, ...], place: str, uid: str, now: dt.datetime
) -> tuple[str, ...]:
    """Who has something else at one of these times: a sentence for each, none where everything is free. Calendars go on
    while people decide. `uid` is the meeting that is to be there."""
    from skerry_workflows.scheduling.agenda import participants
    from skerry_workflows.scheduling.calendar.periods import Period
    from skerry_workflows.scheduling.slots.search import blocked, overlaps

    settings, folder = settings_here()
    with bookings_here() as bookings:
        everybody = participants(
            settings, folder, bookings, people, start=times[0].start, end=times[-1].end, now=now, without=uid
        )
    wanted = Wanted(duration=times[0].end - times[0].start, windows=(), place=place)
    zone = zoneinfo.ZoneInfo(zone_of(settings))
    told: list[str] = []
    for person in everybody:
        taken = blocked(wanted, person)
        for time in times:
            slot = Period(start=time.start, end=time.end)
            if not person.optional and any(overlaps(slot, one.start, one.end) for one in taken):
                told.append(f"{person.called} has something else on {time.start.astimezone(zone):%d.%m.%Y, %H:%M}")
    return tuple(told)


@task(name="scheduling.hold")
def hold(
    uid: str,
    sequence: int,
    summary: str,
    people: tuple[str, ...],
    slot: Span,
    now: dt.datetime,
    hours: float,
    times: tuple[Span, ...] = (),
) -> Booking | Taken:
    """Holds a time (or the `times` of a series) for everybody, or for nobody; the step's key makes a repeated attempt
    harmless."""
    settings, _ = settings_here()
    with bookings_here() as bookings:
        return bookings.hold(
            uid=uid, sequence=sequence, times=times or (slot,), people=(settings.owner, *people), summary=summary,
            key=task_context().key, now=now, held_until=now + dt.timedelta(hours=hours),
        )  # fmt: skip


@task(name="scheduling.release")
def release(uid: str, booking: int) -> None:
    """Gives a held time back."""
    with bookings_here() as bookings:
        bookings.release(uid, number=booking)


# --- what is to be done -----------------------------------------------------------------------------------------------


@task(name="scheduling.invite")
def invite(
    request: MeetingRequest, booking: Booking, now: dt.datetime, skipped: tuple[dt.datetime, ...] = ()
) -> Effects:
    """The event and its invitations, as they would be sent; a series is one event, without its times at `skipped`."""
    from skerry_workflows.scheduling import words
    from skerry_workflows.scheduling.calendar.lines import written
    from skerry_workflows.scheduling.itip.outgoing import messages
    from skerry_workflows.scheduling.itip.write import Person, event

    settings, _ = settings_here()
    with bookings_here() as bookings:
        times = bookings.times(booking.uid, number=booking.id) or [Span(start=booking.starts, end=booking.ends)]
    host = Person(address=settings.owner, name=settings.name)
    guests = [Person(address=one.address, name=one.name, optional=one.optional) for one in request.attendees]
    reminders = settings.policy.remind_minutes
    calendar = event(
        uid=booking.uid, start=booking.starts, end=booking.ends, summary=request.summary, organizer=host,
        attendees=[host, *(one for one in guests if one.address.lower() != host.address.lower())], now=now,
        sequence=booking.sequence, location=request.place, description=request.description,
        reminder=dt.timedelta(minutes=reminders[0]) if reminders else None, repeat=request.repeat,
        zone=request.zone or "UTC", skipped=skipped, until=times[-1].end,
    )  # fmt: skip
    time = words.when_all(times, request.zone)
    text = words.invitation(request.summary, time, request.place, request.description)
    mails = tuple(
        mail_of(one, f"Invitation: {request.summary}", text) for one in messages(None, calendar, settings.owner, now)
    )
    return Effects(
        uid=booking.uid, sequence=booking.sequence, ics=written(calendar).decode(), mails=mails,
        ask=why_ask(settings, mails), ours=True,
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
    place: str = ""
    series: bool = False
    times: tuple[Span, ...] = ()
    """Those of a series that are not over."""


@task(name="scheduling.look_up", retry=PATIENT)
def look_up(uid: str, now: dt.datetime | None = None) -> Known:
    """What the calendar has of a meeting of ours; of a series `start` and `end` are those of its next meeting."""
    from skerry_workflows.scheduling.calendar.occurrences import instant, occurrence_of
    from skerry_workflows.scheduling.calendar.read import Source
    from skerry_workflows.scheduling.itip import entries as it
    from skerry_workflows.scheduling.series import is_series, times_in

    settings, folder = settings_here()
    stored = own_store(settings, folder).get(uid)
    entry = it.master(it.entries(stored.calendar)) if stored else None
    if stored is None or entry is None or it.organizer(entry) != settings.owner.lower():
        return Known(found=False)
    at = occurrence_of(entry, Source(calendar=stored.calendar))
    first = Span(start=instant(at.start), end=instant(at.end)) if at else None
    series = is_series(stored.calendar)
    times = times_in(stored.calendar, uid, now) if series and now else ()
    shown = times[0] if times else first
    people = tuple(one.address for one in entry.all("ATTENDEE") if one.address != settings.owner.lower())
    return Known(
        found=True,
        summary=entry.text("SUMMARY"),
        sequence=it.sequence(entry),
        start=shown.start if shown else None,
        end=shown.end if shown else None,
        attendees=people,
        unanswered=tuple(one for one in people if it.partstat(entry, one) == it.NEEDS_ACTION),
        cancelled=entry.value("STATUS").upper() == "CANCELLED",
        zone=zone_of(settings),
        place=entry.text("LOCATION"),
        series=series,
        times=times,
    )


@task(name="scheduling.change", retry=PATIENT)
def change(
    uid: str, slot: Span | None, reason: str, now: dt.datetime, occurrence: dt.datetime | None = None
) -> Effects:
    """A meeting of ours at another time, or (without one) cancelled, and what its people are told. `occurrence` is the
    one meeting of a series that is meant."""
    from skerry_workflows.scheduling import words
    from skerry_workflows.scheduling.calendar.lines import written
    from skerry_workflows.scheduling.itip import entries as it
    from skerry_workflows.scheduling.itip.outgoing import messages
    from skerry_workflows.scheduling.itip.write import called_off, moved, revised, without

    settings, folder = settings_here()
    stored = stored_event(settings, folder, uid)
    old = stored.calendar
    if occurrence is not None:
        new = moved(old, occurrence, slot.start, slot.end, now) if slot else without(old, occurrence, now)
    else:
        new = revised(old, now, start=slot.start, end=slot.end) if slot else called_off(old, now)
    entry = it.master(it.entries(new)) or it.entries(new)[0]
    summary = entry.text("SUMMARY")
    zone = zone_of(settings)
    time = words.when(slot.start, slot.end, zone) if slot else "no longer"
    if occurrence is not None:
        time = (
            f"{time}, instead of {words.moment(occurrence, zone)}"
            if slot
            else f"not on {words.moment(occurrence, zone)}"
        )
    what = "Moved" if slot else "Cancelled"
    mails = tuple(
        mail_of(one, f"{what}: {summary}", words.note(what, summary, time, reason))
        for one in messages(old, new, settings.owner, now)
    )
    return Effects(
        uid=uid, sequence=it.sequence(entry), ics=written(new).decode(), etag=stored.etag, mails=mails,
        ask=why_ask(settings, mails), ours=True,
    )  # fmt: skip


@task(name="scheduling.perform", retry=PATIENT)
def perform(effects: Effects, booking: int, now: dt.datetime) -> str:
    """Books, writes the calendar, and sends: in this order, each once, however often it is run.

    Returns why nothing was done: the hold has ended.

    Raises:
        TerminalError: somebody else has changed the event meanwhile, and it is not overwritten; or a mail cannot be
            sent, ever. All others are sent nevertheless.
    """
    from skerry_workflows.scheduling.calendar.read import read
    from skerry_workflows.scheduling.itip import entries as it

    settings, folder = settings_here()
    with bookings_here() as bookings:
        calendar = read(effects.ics.encode()).calendar if effects.ics else None
        store = own_store(settings, folder)
        known = store.get(effects.uid) if calendar else None
        stands = known is not None and calendar is not None and it.entries(known.calendar) == it.entries(calendar)
        if calendar and not stands and (known.etag if known else "") != effects.etag:
            raise TerminalError(f"{effects.uid[:80]} has changed in the calendar meanwhile", hint="ask for it again")
        if booking:
            try:
                bookings.book(booking)
            except DataError as error:
                return error.message
        if calendar is not None:
            if not stands:
                store.put(effects.uid, calendar, effects.etag)
            over = all(entry.value("STATUS").upper() == "CANCELLED" for entry in it.entries(calendar))
            if over:
                bookings.release(effects.uid)
            if effects.ours:
                bookings.tell(effects.uid, "" if over else effects.ics)
        elif effects.ours:
            bookings.release(effects.uid)
            bookings.tell(effects.uid, "")
        refused: TerminalError | None = None
        for mail in effects.mails:
            try:
                _send(mail, settings, folder, bookings, now)
            except TerminalError as error:
                refused = refused or error
        if refused:
            raise refused
    return ""


def _send(mail: Outgoing, settings: Settings, folder: Path, bookings: Bookings, now: dt.datetime) -> None:
    from skerry_workflows.mailer import send
    from skerry_workflows.scheduling.imip import plain_mail, write_mail

    if not bookings.begin_sending(
        mail.key, uid=mail.uid, sequence=mail.sequence, method=mail.method, recipient=mail.recipient, now=now
    ):
        return
    message = message_of(mail)
    if message is None:
        written = plain_mail(
            key=mail.key, sender=mail.sender, sender_name=mail.sender_name, recipient=mail.recipient,
            recipient_name=mail.recipient_name, subject=mail.subject, text=mail.text, sent=now,
        )  # fmt: skip
    else:
        written = write_mail(message, subject=mail.subject, text=mail.text, sent=now, key=mail.key)
    send(written, settings.mail, folder)
    bookings.sent(mail.key)


class Noticed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change in the calendar that somebody made by hand. With `effects` people have to be told; then `slot` is the
    new time, None for a meeting that is gone, `times` are all those of a series, and `when` says it in words."""

    summary: str = ""
    effects: Effects | None = None
    slot: Span | None = None
    times: tuple[Span, ...] = ()
    when: str = ""


@task(name="scheduling.notice", retry=PATIENT)
def notice(uid: str, now: dt.datetime) -> Noticed:
    """Compares a meeting of ours with how its people were told of it last."""
    from skerry_workflows.scheduling import words
    from skerry_workflows.scheduling.calendar.lines import written
    from skerry_workflows.scheduling.calendar.occurrences import instant, occurrence_of
    from skerry_workflows.scheduling.calendar.read import Source, read
    from skerry_workflows.scheduling.itip import entries as it
    from skerry_workflows.scheduling.itip.outgoing import messages
    from skerry_workflows.scheduling.itip.write import revised
    from skerry_workflows.scheduling.series import times_in

    settings, folder = settings_here()
    with bookings_here() as bookings:
        told, booked = bookings.told(uid), bookings.current(uid)
    if not told:
        return Noticed()
    old = read(told.encode()).calendar
    store = own_store(settings, folder)
    stored = store.get(uid)
    if stored is None:
        store.check()  # a calendar that is not there has lost no meeting
    new = stored.calendar if stored else None
    if new and booked and booked.sequence >= it.sequence(it.entries(new)[0]) > it.sequence(it.entries(old)[0]):
        raise RetryableError(f"{uid[:80]} is being changed by ourselves", retry_after_s=10.0)
    if not times_in(old, uid, now):
        return Noticed()
    sent = [one for one in messages(old, new, settings.owner, now) if one.significant]
    if not sent:
        return Noticed()
    was = it.entries(old)[0]
    entry = it.entries(new)[0] if new else was
    if new is not None and it.sequence(entry) <= it.sequence(was):
        # Whoever changed it by hand need not know of revisions: it is one, and everybody is asked anew.
        at = occurrence_of(entry, Source(calendar=new))
        moved = at is not None and entry.first("RRULE") is None
        new = revised(new, now, start=instant(at.start), end=instant(at.end)) if at and moved else revised(new, now)
        entry = it.entries(new)[0]
        sent = [one for one in messages(old, new, settings.owner, now) if one.significant]
    times = times_in(new, uid, now) if new else ()
    zone = zone_of(settings)
    time = words.when_all(times, zone) if times else "no longer"
    summary = entry.text("SUMMARY")
    what = "Changed" if new else "Cancelled"
    mails = tuple(mail_of(one, f"{what}: {summary}", words.note(what, summary, time)) for one in sent)
    effects = Effects(
        uid=uid, sequence=it.sequence(entry), ics=written(new).decode() if new else "",
        etag=stored.etag if stored else "", mails=mails, ask=why_ask(settings, mails), ours=True,
    )  # fmt: skip
    return Noticed(
        summary=summary, effects=effects, slot=times[0] if times else None, times=times,
        when=time if times else "",
    )  # fmt: skip


# --- afterwards -------------------------------------------------------------------------------------------------------


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """When a meeting is followed up, and when its owner is reminded; `over` is its end."""

    follow_up: dt.datetime
    reminders: tuple[dt.datetime, ...]
    over: dt.datetime


@task(name="scheduling.plan")
def plan(start: dt.datetime, end: dt.datetime, now: dt.datetime) -> Plan:
    """The timers of a meeting, as the settings want them; those of the past are left out."""
    settings, _ = settings_here()
    policy = settings.policy
    follow_up = min(now + dt.timedelta(hours=policy.follow_up_hours), start - dt.timedelta(hours=1))
    reminders = sorted(start - dt.timedelta(minutes=minutes) for minutes in policy.remind_minutes)
    return Plan(follow_up=follow_up, reminders=tuple(one for one in reminders if one > now), over=end)


@task(name="scheduling.follow_up", retry=PATIENT)
def follow_up(uid: str, sequence: int, now: dt.datetime) -> Effects:
    """The invitation again, for those who have not answered: the same revision, so nothing changes for anybody."""
    from skerry_workflows.scheduling import words
    from skerry_workflows.scheduling.itip import entries as it
    from skerry_workflows.scheduling.itip.outgoing import messages

    settings, folder = settings_here()
    calendar = stored_event(settings, folder, uid).calendar
    entry = it.entries(calendar)[0]
    waiting = {one.address for one in entry.all("ATTENDEE") if it.partstat(entry, one.address) == it.NEEDS_ACTION}
    mails: list[Outgoing] = []
    for one in messages(None, calendar, settings.owner, now):
        if one.recipient in waiting:
            text = words.note("Please answer", entry.text("SUMMARY"), "as invited")
            again = mail_of(one, f"Please answer: {entry.text('SUMMARY')}", text)
            mails.append(msgspec.structs.replace(again, key=f"{again.key}-again"))
    return Effects(uid=uid, sequence=sequence, mails=tuple(mails), ask=why_ask(settings, tuple(mails)))
