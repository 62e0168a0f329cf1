"""The tasks for what others send: invitations, answers, cancellations, proposals."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from skerry import task
from skerry_workflows.scheduling.context import (
    PATIENT,
    bookings_here,
    mail_of,
    own_store,
    settings_here,
    stored_event,
    zone_of,
)
from skerry_workflows.scheduling.model import Effects, Letter, Noted, Suggest
from skerry_workflows.scheduling.settings import Settings
from skerry_workflows.scheduling.slots.model import Span

_DAYS_SHOWN: Final = 6
"""Of a series, the days on which there is something else."""

if TYPE_CHECKING:
    from skerry_workflows.scheduling.calendar.lines import Component
    from skerry_workflows.scheduling.itip.outgoing import Message


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


@task(name="scheduling.consider", retry=PATIENT)
def consider(letter: Letter, now: dt.datetime) -> Considered:
    """What a message is, whether its sender may send it, and whether the time that it is about is free."""
    from skerry_workflows.scheduling import words
    from skerry_workflows.scheduling.calendar.occurrences import instant, occurrence_of
    from skerry_workflows.scheduling.calendar.read import read
    from skerry_workflows.scheduling.itip import entries as it
    from skerry_workflows.scheduling.itip.incoming import objections, receive
    from skerry_workflows.scheduling.series import is_series

    settings, folder = settings_here()
    source = read(letter.ics.encode())
    entry = it.entries(source.calendar)[0]
    uid = entry.text("UID")
    stored = own_store(settings, folder).get(uid)
    done = receive(source.calendar, stored.calendar if stored else None)
    told = (*letter.flaws, *source.warnings, *objections(source.calendar, letter.sender))
    # Only from who may say so: a forged cancellation would silence the real invitation.
    if letter.method in ("REQUEST", "CANCEL") and not told and not _is_latest(source.calendar):
        return Considered(kind="nothing", uid=uid, why="a later revision has come")
    at = occurrence_of(entry, source)
    start, end = (instant(at.start), instant(at.end)) if at else (None, None)
    zone = zone_of(settings)
    time = words.when(start, end, zone) if start and end else "at a time that cannot be read"
    summary, who = entry.text("SUMMARY") or "a meeting", letter.sender_name or letter.sender
    doubt = "; ".join(dict.fromkeys(told))
    if done.change == "ignored":
        return Considered(kind="nothing", uid=uid, why=done.why)
    if done.change == "countered":
        clash = _clash(settings, folder, source.calendar, uid, now) if start and end else ""
        ask = f"{who} proposes another time for {summary!r}: {time}. {clash or 'You are free then'}. Move it?"
        return Considered(kind="proposal", uid=uid, question=ask, why=done.why, ask=doubt, start=start, end=end)
    invited = it.attendee(entry, settings.owner) is not None and it.organizer(entry) != settings.owner.lower()
    if letter.method == "REQUEST" and invited:
        clash = _clash(settings, folder, source.calendar, uid, now) if start and end else "its time cannot be read"
        series = " (a series)" if is_series(source.calendar) else ""
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

    with bookings_here() as bookings:
        newest = [
            bookings.hear(one.text("UID"), it.instance(one), it.sequence(one), one.value("DTSTAMP"))
            for one in it.entries(message)
        ]
    return all(newest)


def _clash(settings: Settings, folder: Path, message: Component, uid: str, now: dt.datetime) -> str:
    """What is in the way of a meeting, or of those of a series; empty where nothing is."""
    from skerry_workflows.scheduling.agenda import participants
    from skerry_workflows.scheduling.calendar.unreadable import Unreadable
    from skerry_workflows.scheduling.series import is_series, times_in

    try:
        times = times_in(message, uid, now)
    except Unreadable:
        times = ()
    if not times:
        return "Whether you are free is not sure: when its meetings are cannot be told" if is_series(message) else ""
    with bookings_here() as bookings:
        (me,) = participants(
            settings, folder, bookings, (), start=times[0].start, end=times[-1].end, now=now, without=uid
        )
    if me.doubts:
        return f"Whether you are free is not sure: {'; '.join(me.doubts)}"
    taken = [time for time in times if any(one.start < time.end and time.start < one.end for one in me.engagements)]
    if not taken:
        return ""
    return "You have something else then" if len(times) == 1 else f"You have something else {_at(taken, settings)}"


def _at(times: Sequence[Span], settings: Settings) -> str:
    zone = zoneinfo.ZoneInfo(zone_of(settings))
    days = [f"{time.start.astimezone(zone):%d.%m.%Y}" for time in times[:_DAYS_SHOWN]]
    return f"on {', '.join(days)}{' and later' if len(times) > len(days) else ''}"


@task(name="scheduling.answer", retry=PATIENT)
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

    settings, folder = settings_here()
    message = read(letter.ics.encode()).calendar
    uid = it.entries(message)[0].text("UID")
    stored = own_store(settings, folder).get(uid)
    taken = receive(message, stored.calendar if stored else None).calendar
    if taken is None or not _is_latest(message):
        return Effects(uid=uid, sequence=0, stale="a later revision has come, and nothing was answered")
    summary = it.entries(taken)[0].text("SUMMARY")
    if suggestion is not None:
        proposed = counter(taken, settings.owner, suggestion.start, suggestion.end, now, suggestion.comment)
        sent: Sequence[Message] = (counter_message(proposed, settings.owner, settings.name),)
        result = answered(taken, settings.owner, "TENTATIVE")
        time = words.when(suggestion.start, suggestion.end, zone_of(settings))
        said = "New time proposed"
    else:
        result = answered(taken, settings.owner, said)
        sent = messages(taken, result, settings.owner, now)
        time = "as in the invitation"
    mails = tuple(mail_of(one, f"{said.title()}: {summary}", words.note(said.title(), summary, time)) for one in sent)
    entry = it.master(it.entries(result)) or it.entries(result)[0]
    return Effects(
        uid=uid, sequence=it.sequence(entry), ics=written(result).decode(), etag=stored.etag if stored else "",
        mails=mails,
    )  # fmt: skip


@task(name="scheduling.take", retry=PATIENT)
def take(letter: Letter) -> Noted:
    """Puts what a message says into the calendar: an answer, a cancellation, an update. Nothing is sent."""
    from skerry_workflows.scheduling.calendar.read import read
    from skerry_workflows.scheduling.itip import entries as it
    from skerry_workflows.scheduling.itip.incoming import receive

    settings, folder = settings_here()
    message = read(letter.ics.encode()).calendar
    uid = it.entries(message)[0].text("UID")
    store = own_store(settings, folder)
    stored = store.get(uid)
    done = receive(message, stored.calendar if stored else None)
    if done.calendar is not None and (stored is None or done.calendar != stored.calendar):
        store.put(uid, done.calendar, stored.etag if stored else "")
        if done.change == "cancelled" and it.master(it.entries(message)) is not None:
            with bookings_here() as bookings:
                bookings.release(uid)
    return Noted(uid=uid, change=done.change, why=done.why)


@task(name="scheduling.decline_proposal", retry=PATIENT)
def decline_proposal(letter: Letter, now: dt.datetime) -> Effects:
    """The no to a proposal of another time: the event stays as it is."""
    from skerry_workflows.scheduling import words
    from skerry_workflows.scheduling.calendar.read import read
    from skerry_workflows.scheduling.imip import counter_message
    from skerry_workflows.scheduling.itip import entries as it
    from skerry_workflows.scheduling.itip.write import counter_declined

    settings, folder = settings_here()
    uid = it.entries(read(letter.ics.encode()).calendar)[0].text("UID")
    stored = stored_event(settings, folder, uid)
    entry = it.entries(stored.calendar)[0]
    refusal = counter_declined(stored.calendar, now)
    sent = counter_message(refusal, settings.owner, settings.name, to=letter.sender)
    what = "The time stays"
    mail = mail_of(sent, f"{what}: {entry.text('SUMMARY')}", words.note(what, entry.text("SUMMARY"), "as invited"))
    return Effects(uid=uid, sequence=it.sequence(entry), mails=(mail,))
