"""From a letter to a request: by code that knows when it is unsure. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from skerry import Objection
from skerry_workflows.scheduling.model import Invitee, Letter, MeetingRequest
from skerry_workflows.scheduling.slots.model import Span

DURATION_MINUTES_MAX: Final = 24 * 60
PEOPLE_MAX: Final = 50
_MINUTE: Final = dt.timedelta(minutes=1)
_REPLY = re.compile(r"^\s*((re|fwd?|aw|wg|rif|sv|antw)\s*:\s*)+", re.IGNORECASE)
_OPEN_WINDOW: Final = dt.timedelta(days=14)
"""How far "from Monday on" is looked into, where no end was named."""


def understand(letter: Letter) -> MeetingRequest:
    """What meeting a letter asks for. What is not sure is a question in it, never a guess."""
    if letter.request is not None:
        return letter.request
    from skerry_workflows.scheduling.phrases import wish

    now = letter.now or dt.datetime.fromtimestamp(0, dt.UTC)
    summary = _REPLY.sub("", letter.subject).strip() or "Meeting"
    read = wish(letter.text, now, letter.zone or "UTC")
    if read is None:
        return MeetingRequest(
            summary=summary, zone=letter.zone, attendees=_sender(letter), questions=("Does this ask for a meeting?",)
        )
    people, unknown = _people(letter, read.people)
    windows = tuple(_spans([(one.start, one.end) for one in read.windows], now))
    excluded = tuple(
        Span(start=one.start, end=one.end) for one in read.excluded if one.start and one.end and one.start < one.end
    )
    questions = [*read.questions, *(f"Who is {name}?" for name in unknown)]
    if read.moves:
        questions.append("Is a new meeting wanted, or is one that there is already to be moved?")
    series = read.series if read.series and read.series.rule and read.series.ends else None
    if read.recurring and series is None:
        questions.append(f"Is a single meeting enough, or is a series wanted ({read.recurring})?")
    minutes = Decimal(round(read.duration.total_seconds / 60) if read.duration else 0)
    return MeetingRequest(
        summary=summary,
        attendees=people,
        duration_minutes=minutes,
        windows=windows,
        excluded=excluded,
        exact=read.exact,
        place=read.place or "",
        zone=letter.zone,
        repeat=series.rule if series else "",
        questions=tuple(dict.fromkeys(questions)),
    )


def _spans(pairs: Iterable[tuple[dt.datetime | None, dt.datetime | None]], now: dt.datetime) -> Iterator[Span]:
    """Windows with both ends: what is open begins now, or ends two weeks later; what is over is left out."""
    for start, end in pairs:
        begins = max(start or now, now)
        ends = end or begins + _OPEN_WINDOW
        if begins < ends:
            yield Span(start=begins, end=ends)


def _sender(letter: Letter) -> tuple[Invitee, ...]:
    if not letter.sender or letter.sender == letter.owner:
        return ()
    return (Invitee(address=letter.sender, name=letter.people.get(letter.sender, letter.sender_name)),)


def _people(letter: Letter, names: Iterable[str]) -> tuple[tuple[Invitee, ...], list[str]]:
    """Who is to come: who wrote, and who was named; and the names that mean nobody or several."""
    found = {one.address: one for one in _sender(letter)}
    unknown: list[str] = []
    for name in names:
        said = name.strip().casefold()
        if "@" in said:
            meant = [said]
        else:
            meant = [key for key, known in letter.people.items() if known.casefold() == said]
            meant = meant or [key for key, known in letter.people.items() if said in known.casefold().split()]
        if len(meant) != 1:
            unknown.append(name)
        elif meant[0] != letter.owner:
            found.setdefault(meant[0], Invitee(address=meant[0], name=letter.people.get(meant[0], "")))
    return tuple(found.values()), unknown


# --- verifiers --------------------------------------------------------------------------------------------------------


def answered(request: MeetingRequest, letter: Letter) -> Iterator[Objection]:
    """Nothing is open that has to be asked first."""
    del letter
    for question in request.questions:
        yield Objection(rule="unclear", message=question, fields=("questions",))


def complete(request: MeetingRequest, letter: Letter) -> Iterator[Objection]:
    """There are people, a length and a time to look in."""
    if not request.attendees:
        yield Objection(rule="people", message="who is to come?", fields=("attendees",))
    if len(request.attendees) > PEOPLE_MAX:
        yield Objection(rule="people", message=f"more than {PEOPLE_MAX} people", fields=("attendees",))
    for one in request.attendees:
        if not re.fullmatch(r"[^@\s<>,;:\"]+@[^@\s<>,;:\"]+", one.address):
            yield Objection(rule="people", message=f"{one.address[:60]!r} is no mail address", fields=("attendees",))
    if not 0 < request.duration_minutes <= DURATION_MINUTES_MAX:
        yield Objection(rule="duration", message="how long?", fields=("duration_minutes",))
    del letter


def in_time(request: MeetingRequest, letter: Letter) -> Iterator[Objection]:
    """The time to look in has a beginning, an end and a zone, and is not over."""
    if not request.windows:
        yield Objection(rule="when", message="when?", fields=("windows",))
    for window in (*request.windows, *request.excluded):
        if window.start.tzinfo is None or window.end.tzinfo is None:
            yield Objection(rule="when", message=f"{window.start} has no zone", fields=("windows",))
        elif window.start >= window.end and not request.exact:
            yield Objection(rule="when", message=f"{window.start} is not before {window.end}", fields=("windows",))
    now = letter.now
    if now is not None and request.windows and all(w.end.tzinfo and w.end <= now for w in request.windows):
        yield Objection(rule="when", message="that is over", fields=("windows",))


def in_series(request: MeetingRequest, letter: Letter) -> Iterator[Objection]:
    """A series has a rule that can be read, an end, and not too many meetings."""
    from skerry.errors import DataError
    from skerry_workflows.scheduling.calendar.unreadable import Unreadable
    from skerry_workflows.scheduling.series import times_of_rule

    del letter
    if not request.repeat or not request.windows or any(one.start.tzinfo is None for one in request.windows):
        return
    try:
        first = request.windows[0].start
        # The search finds its first day; here it begins with any.
        times_of_rule(request.repeat, Span(start=first, end=first + _MINUTE), request.zone or "UTC", any_day=True)
    except (DataError, Unreadable) as error:
        yield Objection(rule="series", message=error.message, fields=("repeat",))


VERIFIERS: Final = (answered, complete, in_time, in_series)
