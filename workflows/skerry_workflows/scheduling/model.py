"""What crosses the journal in scheduling. Plain data: every value survives JSON and back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from skerry_workflows.scheduling.slots.model import PartOfDay, Span


class Invitee(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody who is to come; `optional` for one without whom the meeting can be held."""

    address: str
    name: str = ""
    optional: bool = False


class MeetingRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A meeting that is wanted. Instants have a zone; `zone` is the one that times are shown in.

    `windows` are alternatives, in the order of liking; with `exact` the meeting starts where a window starts.
    `repeat` is the RRULE of a series, with its end (COUNT or UNTIL): windows are then of its first meeting, and a
    meeting that would meet `excluded` is left out. `questions` are what has to be known before anything is done: one
    sentence each.
    """

    summary: str = ""
    attendees: tuple[Invitee, ...] = ()
    duration_minutes: Decimal = Decimal(0)
    windows: tuple[Span, ...] = ()
    excluded: tuple[Span, ...] = ()
    exact: bool = False
    prefer: PartOfDay = ""
    place: str = ""
    description: str = ""
    zone: str = ""
    repeat: str = ""
    questions: tuple[str, ...] = ()


class Letter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came, opened: a text in words, or the text of a calendar (`ics`) that agrees with its mail in its method.

    `now` is when it came; `zone` and `owner` are those of the settings; `people` are known names by address.
    """

    text: str = ""
    subject: str = ""
    sender: str = ""
    sender_name: str = ""
    ics: str = ""
    method: str = ""
    flaws: tuple[str, ...] = ()
    now: dt.datetime | None = None
    zone: str = ""
    owner: str = ""
    people: dict[str, str] = {}
    request: MeetingRequest | None = None


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that is to be sent: `ics` is the iTIP message in it (empty for a mere question), `key` what makes it the
    same as another."""

    key: str
    method: str
    uid: str
    sequence: int
    sender: str
    recipient: str
    subject: str
    text: str
    ics: str = ""
    sender_name: str = ""
    recipient_name: str = ""


class Effects(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be done once it may be: the event as it is to stand in the calendar, and the mails to send.

    `ask` says why a person has to allow it; empty when nobody needs to. `etag` is of the event that is replaced.
    With `stale`, a sentence, there is nothing to do any more. `ours`: it is a meeting that we organise.
    """

    uid: str
    sequence: int
    ics: str = ""
    etag: str = ""
    mails: tuple[Outgoing, ...] = ()
    ask: str = ""
    stale: str = ""
    ours: bool = False


class Pick(msgspec.Struct, frozen=True, kw_only=True):
    """A signal: take another one of the proposals, counted from 1."""

    number: int
    by: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A signal: what was written in answer to a question about a request."""

    text: str
    by: str = ""


class Suggest(msgspec.Struct, frozen=True, kw_only=True):
    """A signal: neither yes nor no to an invitation, but another time."""

    start: dt.datetime
    end: dt.datetime
    comment: str = ""
    by: str = ""


class Reminder(msgspec.Struct, frozen=True, kw_only=True):
    """What the event `meeting.reminder` says: a meeting begins soon; `unanswered` have not said whether they come."""

    uid: str
    summary: str
    start: dt.datetime
    unanswered: tuple[str, ...] = ()


# --- results ----------------------------------------------------------------------------------------------------------


class Booked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The meeting stands in the calendar, and everybody is invited. Of a series it is the first of `meetings`."""

    uid: str
    start: dt.datetime
    end: dt.datetime
    summary: str
    invited: tuple[str, ...]
    meetings: int = 1


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """The meeting is at another time, and everybody was told."""

    uid: str
    start: dt.datetime
    end: dt.datetime


class CalledOff(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The meeting is cancelled, or the one at `occurrence` of a series, and everybody was told."""

    uid: str
    occurrence: dt.datetime | None = None


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation was answered: ACCEPTED, DECLINED, TENTATIVE, or COUNTER."""

    uid: str
    answer: str


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """A message was taken note of; `change` as in `itip.incoming.Received`."""

    uid: str
    change: str
    why: str


class NotBooked(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing was arranged, and why."""

    reason: str
