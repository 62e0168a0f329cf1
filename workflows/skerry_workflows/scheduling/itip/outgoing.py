"""What has to be told to whom when somebody changes their calendar (RFC 5546; RFC 6638, section 3.2).

The organizer's changes go to the attendees as REQUEST and CANCEL, an attendee's answer to the organizer as REPLY.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

import msgspec

from skerry_workflows.scheduling.calendar.lines import Component, Line, address_of, line
from skerry_workflows.scheduling.itip import entries as it

Method: TypeAlias = Literal["PUBLISH", "REQUEST", "REPLY", "ADD", "CANCEL", "REFRESH", "COUNTER", "DECLINECOUNTER"]
"""RFC 5546, section 1.4."""

_WHEN: Final = ("DTSTART", "DTEND", "DURATION", "DUE", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "STATUS")
"""A change of these asks everybody anew (RFC 6638, section 3.2.8)."""
_SILENT: Final = ("DTSTAMP", "LAST-MODIFIED", "CREATED")
_ANSWERED: Final = ("UID", "DTSTAMP", "SEQUENCE", "RECURRENCE-ID", "DTSTART", "DTEND", "DURATION", "DUE", "SUMMARY",
                    "ORGANIZER")  # fmt: skip
"""What a REPLY repeats, so that people see what is answered; the rest of the invitation is not sent back."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one person. `significant`: it asks for something, or says that something is over."""

    method: Method
    uid: str
    sequence: int
    sender: str
    recipient: str
    calendar: Component
    sender_name: str = ""
    recipient_name: str = ""
    significant: bool = True


def messages(old: Component | None, new: Component | None, user: str, now: dt.datetime) -> tuple[Message, ...]:
    """The messages that a change of one event (with its exceptions) has to send.

    Args:
        old: the calendar before; None for a new event.
        new: the calendar after; None for a deleted one.
        user: whose calendar it is: an address, with or without `mailto:`.
        now: the DTSTAMP of the messages.
    """
    user = address_of(user)
    before, after = it.by_instance(it.entries(old)), it.by_instance(it.entries(new))
    some = [*after.values(), *before.values()]
    organizers = {it.organizer(entry) for entry in some} - {""}
    like = new or old
    if like is None or not organizers:
        return ()
    if user in organizers:
        return tuple(_as_organizer(before, after, user, now, like))
    if any(it.attendee(entry, user) for entry in some):
        return tuple(_as_attendee(before, after, user, now, like))
    return ()


def significant(before: Component | None, after: Component | None) -> bool:
    """Whether a change of an entry is one of time, of recurrence or of being held at all."""
    if before is None or after is None:
        return before is not after
    return any(sorted(map(str, before.all(name))) != sorted(map(str, after.all(name))) for name in _WHEN)


# --- the organizer ----------------------------------------------------------------------------------------------------


def _as_organizer(
    before: dict[str, Component], after: dict[str, Component], user: str, now: dt.datetime, like: Component
) -> Iterator[Message]:
    after = {} if _called_off(after) else after
    people: dict[str, Line] = {}
    for entry in [*before.values(), *after.values()]:
        people.update({one.address: one for one in entry.all("ATTENDEE")})
    for address, person in people.items():
        if address == user or not _we_send(person):
            continue
        invited = {key: entry for key, entry in after.items() if it.attendee(entry, address)}
        was = {key: entry for key, entry in before.items() if it.attendee(entry, address)}
        if invited:
            forced = person.param("SCHEDULE-FORCE-SEND").upper() == "REQUEST"
            if forced or not _same(was, invited, before, after):
                chosen = [_asking(entry, after, address, now) for entry in invited.values()]
                changed = any(significant(was.get(key), invited.get(key)) for key in {*was, *invited})
                yield _message("REQUEST", chosen, user, person, like, significant=forced or changed)
            # Uninvited from single instances only: the series, if there is one, says so by its EXDATE.
            gone = [was[key] for key in was if key and key not in invited and "" not in invited]
        else:
            gone = list(was.values())
        if gone and not all(map(_is_over, gone)):
            chosen = [_cancelling(entry, after or before, address, now) for entry in gone]
            yield _message("CANCEL", chosen, user, person, like)


def _we_send(person: Line) -> bool:
    """SCHEDULE-AGENT (RFC 6638, section 7.1): CLIENT and NONE send for themselves, or not at all."""
    return person.param("SCHEDULE-AGENT").upper() in ("", "SERVER")


def _called_off(after: dict[str, Component]) -> bool:
    return all(map(_is_over, after.values()))


def _same(
    was: dict[str, Component],
    invited: dict[str, Component],
    before: dict[str, Component],
    after: dict[str, Component],
) -> bool:
    """Whether there is nothing to tell: all that differs is when it was written."""
    if set(was) != set(invited) or set(before) != set(after):
        return False
    return all(str(was[key].without(*_SILENT)) == str(invited[key].without(*_SILENT)) for key in was)


def _asking(entry: Component, after: dict[str, Component], address: str, now: dt.datetime) -> Component:
    """An entry as it is sent: without the private parts of whoever keeps it, everybody with an answer."""
    lines = tuple(
        one.with_param("PARTSTAT", it.NEEDS_ACTION) if one.name == "ATTENDEE" and not one.param("PARTSTAT") else one
        for one in map(_public, entry.lines)
    )
    asked = Component(entry.name, lines, tuple(part for part in entry.parts if part.name != "VALARM"))
    if not it.instance(entry):
        # An instance to which this person is not invited does not happen for them.
        for key, other in after.items():
            found = other.first("RECURRENCE-ID")
            if key and found is not None and it.attendee(other, address) is None:
                params = tuple(one for one in found.params if one[0] != "RANGE")
                asked = Component(asked.name, (*asked.lines, Line("EXDATE", params, found.value)), asked.parts)
    return it.stamped(asked, now)


def _public(one: Line) -> Line:
    """Without the parameters that are between a calendar and its owner (RFC 6638, section 7)."""
    return one.with_param("SCHEDULE-AGENT", "").with_param("SCHEDULE-STATUS", "").with_param("SCHEDULE-FORCE-SEND", "")


def _cancelling(entry: Component, current: dict[str, Component], address: str, now: dt.datetime) -> Component:
    person = it.attendee(entry, address)
    kept = [
        _public(one)
        for one in entry.lines
        if one.name in (*_ANSWERED, "RRULE", "LOCATION") and one.name not in ("DTSTAMP", "SEQUENCE")
    ]
    cancelled = Component(entry.name, (*kept, *([_public(person)] if person else [])), ())
    # One more than the last revision that this person has seen, or the new one where that is higher already.
    number = max(it.sequence(entry) + 1, max((it.sequence(one) for one in current.values()), default=0))
    return it.with_sequence(it.stamped(cancelled, now), number).with_line(line("STATUS", "CANCELLED"))


def _message(
    method: Method, chosen: list[Component], user: str, person: Line, like: Component, *, significant: bool = True
) -> Message:
    first = chosen[0]
    return Message(
        method=method,
        uid=first.value("UID"),
        sequence=max(map(it.sequence, chosen)),
        sender=user,
        sender_name=it.name_of(first.first("ORGANIZER")),
        recipient=person.address,
        recipient_name=it.name_of(person),
        calendar=it.message(method, chosen, like),
        significant=significant,
    )


# --- an attendee ------------------------------------------------------------------------------------------------------


def _as_attendee(
    before: dict[str, Component], after: dict[str, Component], user: str, now: dt.datetime, like: Component
) -> Iterator[Message]:
    answered: list[Component] = []
    if after:
        for key, entry in after.items():
            if _is_over(entry):
                continue  # nobody waits for an answer to what is cancelled
            was = before.get(key) or before.get("")
            answer, earlier = it.partstat(entry, user), it.partstat(was, user) if was else it.NEEDS_ACTION
            # An exception that the attendee made to answer for one instance differs from the series' answer.
            if answer and answer != (earlier or it.NEEDS_ACTION):
                answered.append(_answer(entry, user, answer, now))
        answered += _left_out(before.get(""), after.get(""), user, now)
    else:
        # Deleting an invitation declines it, unless that was said, or there is nothing left to decline.
        answered += [
            _answer(entry, user, "DECLINED", now)
            for entry in before.values()
            if it.partstat(entry, user) not in ("", "DECLINED") and not _is_over(entry)
        ]
    if not answered:
        forced = [e for e in after.values() if _forced(e)]
        answered = [_answer(e, user, it.partstat(e, user), now) for e in forced if it.partstat(e, user)]
    host = next(
        (entry.first("ORGANIZER") for entry in [*after.values(), *before.values()] if it.organizer(entry)), None
    )
    if not answered or host is None or not _we_send(host):
        return
    mine = it.attendee(answered[0], user)
    yield Message(
        method="REPLY",
        uid=answered[0].value("UID"),
        sequence=max(map(it.sequence, answered)),
        sender=user,
        sender_name=it.name_of(mine),
        recipient=host.address,
        recipient_name=it.name_of(host),
        calendar=it.message("REPLY", answered, like),
    )


def _is_over(entry: Component) -> bool:
    return entry.value("STATUS").upper() == "CANCELLED"


def _forced(entry: Component) -> bool:
    host = entry.first("ORGANIZER")
    return host is not None and host.param("SCHEDULE-FORCE-SEND").upper() == "REPLY"


def _answer(entry: Component, user: str, answer: str, now: dt.datetime) -> Component:
    mine = it.attendee(entry, user)
    kept = [_public(one) for one in entry.lines if one.name in _ANSWERED and one.name != "DTSTAMP"]
    said = _public(mine).with_param("RSVP", "").with_param("PARTSTAT", answer) if mine else None
    return it.stamped(Component(entry.name, (*kept, *([said] if said else [])), ()), now)


def _left_out(was: Component | None, now_is: Component | None, user: str, now: dt.datetime) -> Iterator[Component]:
    """Instances that the attendee took out of the series with an EXDATE: declined, each on its own."""
    if was is None or now_is is None or it.partstat(was, user) in ("", "DECLINED") or _is_over(now_is):
        return
    known = {value.strip() for one in was.all("EXDATE") for value in one.value.split(",")}
    for one in now_is.all("EXDATE"):
        for value in one.value.split(","):
            if value.strip() in known:
                continue
            at = Line("RECURRENCE-ID", one.params, value.strip())
            single = now_is.without("RRULE", "RDATE", "EXDATE", "DTEND", "DURATION")
            single = single.with_line(Line("DTSTART", one.params, value.strip())).with_line(at)
            yield _answer(single, user, "DECLINED", now)
