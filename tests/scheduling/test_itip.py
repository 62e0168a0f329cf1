"""iTIP: what a change has to tell to whom, what a message does, and that order and repetition do no harm."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry_workflows.scheduling.calendar.lines import Component
from skerry_workflows.scheduling.itip import entries as it
from skerry_workflows.scheduling.itip.incoming import Received, objections, receive
from skerry_workflows.scheduling.itip.outgoing import Message, messages
from skerry_workflows.scheduling.itip.write import (
    Person,
    answered,
    called_off,
    counter,
    counter_declined,
    revised,
)
from skerry_workflows.scheduling.itip.write import (
    event as new_event,
)
from tests.scheduling.files import event, source

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
ADA, BEN, CAT = (Person(address=f"{name}@example.org", name=name.title()) for name in ("ada", "ben", "cat"))


def meeting(*people: Person) -> Component:
    start = NOW + 24 * HOUR
    return new_event(uid="m1", start=start, end=start + HOUR, summary="Plan; draft, 2", organizer=ADA,
                     attendees=[ADA, *people], now=NOW)  # fmt: skip


def told(sent: tuple[Message, ...]) -> list[tuple[str, str]]:
    return [(one.method, one.recipient.partition("@")[0]) for one in sent]


def only(calendar: Component | None) -> Component:
    (entry,) = it.entries(calendar)
    return entry


def taken(received: Received) -> Component:
    assert received.calendar is not None, received
    return received.calendar


def test_a_meeting_from_invitation_to_cancellation() -> None:
    """Both sides' calendars, with nothing between them but the messages."""
    ada = meeting(BEN)
    (request,) = messages(None, ada, "mailto:ADA@example.org", NOW)
    assert (request.method, request.recipient, request.sequence) == ("REQUEST", "ben@example.org", 0)
    ben = taken(receive(request.calendar, None))
    assert only(ben).text("SUMMARY") == "Plan; draft, 2" and not ben.value("METHOD")

    accepted = answered(ben, BEN.address, "ACCEPTED")
    (reply,) = messages(ben, accepted, BEN.address, NOW + HOUR)
    assert told((reply,)) == [("REPLY", "ada")]
    ada = taken(receive(reply.calendar, ada))
    assert it.partstat(only(ada), BEN.address) == "ACCEPTED"

    later = NOW + 48 * HOUR
    moved = revised(ada, NOW + 2 * HOUR, start=later, end=later + HOUR)
    assert (
        it.partstat(only(moved), BEN.address) == "NEEDS-ACTION" and it.partstat(only(moved), ADA.address) == "ACCEPTED"
    )
    (update,) = messages(ada, moved, ADA.address, NOW + 2 * HOUR)
    assert update.sequence == 1 and update.significant
    ben = taken(receive(update.calendar, accepted))
    assert only(ben).value("DTSTART") == it.utc(later)

    (cancel,) = messages(moved, called_off(moved, NOW + 3 * HOUR), ADA.address, NOW + 3 * HOUR)
    assert told((cancel,)) == [("CANCEL", "ben")] and cancel.sequence == 2
    done = receive(cancel.calendar, ben)
    assert done.change == "cancelled" and only(taken(done)).value("STATUS") == "CANCELLED"
    assert receive(update.calendar, taken(done)).change == "ignored", "what comes late changes nothing"


def test_who_is_told() -> None:
    two = meeting(BEN, CAT)
    assert told(messages(None, two, ADA.address, NOW)) == [("REQUEST", "ben"), ("REQUEST", "cat")]
    assert told(messages(two, two, ADA.address, NOW + HOUR)) == [], "nothing has changed"
    assert told(messages(two, None, ADA.address, NOW)) == [("CANCEL", "ben"), ("CANCEL", "cat")]
    fewer = revised(meeting(CAT), NOW)
    assert told(messages(two, fewer, ADA.address, NOW)) == [("CANCEL", "ben"), ("REQUEST", "cat")]
    assert told(messages(two, None, BEN.address, NOW)) == [("REPLY", "ada")], "who deletes an invitation declines it"
    assert told(messages(two, None, "stranger@example.org", NOW)) == []
    alone = source(*event("DTSTART:20260301T100000Z")).calendar
    assert messages(None, alone, ADA.address, NOW) == () and messages(None, None, ADA.address, NOW) == ()


def series(*more: str, exdates: str = "") -> Component:
    lines = ["DTSTART:20260302T090000Z", "DTEND:20260302T100000Z", "RRULE:FREQ=DAILY;COUNT=3",
             "ORGANIZER:mailto:ada@example.org", "ATTENDEE:mailto:ben@example.org"]  # fmt: skip
    return source(*event(*lines, *([f"EXDATE:{exdates}"] if exdates else [])), *more).calendar


def test_an_attendee_leaves_out_one_instance() -> None:
    (reply,) = messages(series(), series(exdates="20260303T090000Z"), BEN.address, NOW)
    assert only(reply.calendar).value("RECURRENCE-ID") == "20260303T090000Z"
    answer = receive(reply.calendar, series())
    by = it.by_instance(it.entries(answer.calendar))
    assert it.partstat(by["20260303T090000Z"], BEN.address) == "DECLINED"
    assert by["20260303T090000Z"].value("DTEND") == "20260303T100000Z"
    assert it.partstat(by[""], BEN.address) == "NEEDS-ACTION"


def test_who_is_not_invited_to_one_instance_gets_the_series_without_it() -> None:
    exception = event("RECURRENCE-ID:20260303T090000Z", "DTSTART:20260303T110000Z", "ORGANIZER:mailto:ada@example.org")
    (request,) = messages(None, series(*exception), ADA.address, NOW)
    assert only(request.calendar).value("EXDATE") == "20260303T090000Z"


def test_one_instance_is_cancelled() -> None:
    cancel = source("METHOD:CANCEL", *event("RECURRENCE-ID:20260303T090000Z", "SEQUENCE:1")).calendar
    done = it.by_instance(it.entries(taken(receive(cancel, series()))))
    assert done["20260303T090000Z"].value("STATUS") == "CANCELLED" and not done[""].value("STATUS")


def test_an_update_keeps_reminders_other_instances_and_what_is_foreign() -> None:
    mine = series(*event("RECURRENCE-ID;TZID=Europe/Rome:20260304T100000", "DTSTART:20260304T110000Z"))
    head = mine.parts[0].with_parts((Component("VALARM", (), ()),))
    mine = mine.with_parts((head, *mine.parts[1:], Component("X-OURS", (), ())))
    update = source("METHOD:REQUEST", *event("RECURRENCE-ID:20260304T090000Z", "DTSTART:20260304T150000Z")).calendar
    now_is = taken(receive(update, mine))
    by = it.by_instance(it.entries(now_is))
    assert by["20260304T090000Z"].value("DTSTART") == "20260304T150000Z", "named in UTC here and in its zone there"
    assert len(by) == 2 and by[""].named("VALARM") and now_is.named("X-OURS")


@pytest.mark.parametrize(
    ("lines", "existing", "why"),
    [
        (["METHOD:REPLY", *event("ATTENDEE:mailto:ben@example.org")], False, "not in the calendar"),
        (
            ["METHOD:REPLY", *event("RECURRENCE-ID:20260801T090000Z", "ATTENDEE:mailto:ben@example.org")],
            True,
            "no longer",
        ),
        (["METHOD:CANCEL", *event("SEQUENCE:0", uid="other")], True, "more than one event"),
        (["METHOD:NONSENSE", *event()], True, "NONSENSE says nothing"),
        (["METHOD:REQUEST"], True, "no event in it"),
        (["METHOD:DECLINECOUNTER", *event()], True, "stays as it is"),
    ],
)
def test_what_is_ignored(lines: list[str], existing: bool, why: str) -> None:
    done = receive(source(*lines).calendar, series() if existing else None)
    assert (done.change, done.calendar) == ("ignored", None) and why in done.why


def test_who_answers_without_being_invited_is_told_apart() -> None:
    reply = source("METHOD:REPLY", *event("ATTENDEE;CN=Cat;PARTSTAT=ACCEPTED:mailto:cat@example.org")).calendar
    done = receive(reply, series())
    assert done.crashers == ("cat@example.org",)
    assert it.partstat(only(done.calendar), CAT.address) == "ACCEPTED"


def test_another_time_is_proposed_and_declined() -> None:
    ada = meeting(BEN)
    proposal = counter(ada, BEN.address, NOW + HOUR, NOW + 2 * HOUR, NOW, "earlier, please")
    assert receive(proposal, ada).change == "countered"
    assert only(proposal).value("DTSTART") == it.utc(NOW + HOUR) and it.sequence(only(proposal)) == 0
    assert receive(counter_declined(ada, NOW), ada).change == "ignored"
    assert receive(source("METHOD:REFRESH", *event(uid="m1")).calendar, ada).change == "asked"


def test_who_may_say_what() -> None:
    (request,) = messages(None, meeting(BEN), ADA.address, NOW)
    assert objections(request.calendar, "Ada@Example.org") == ()
    assert "who is not ada@example.org" in objections(request.calendar, "mallory@example.org")[0]
    reply = source("METHOD:REPLY", *event('ATTENDEE;SENT-BY="mailto:pa@example.org":mailto:ben@example.org')).calendar
    assert objections(reply, "ben@example.org") == () == objections(reply, "pa@example.org")
    assert objections(reply, "ada@example.org")


def _moved(calendar: Component, hours: int) -> Component:
    start = NOW + hours * HOUR
    return revised(calendar, start, start=start, end=start + HOUR)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_the_last_revision_wins_in_whatever_order_they_come(order: list[int]) -> None:
    first = meeting(BEN)
    chain = list(itertools.accumulate(range(5), _moved, initial=first))
    ben: Component | None = None
    for number in order:
        (request,) = messages(None, chain[number], ADA.address, NOW + number * HOUR)
        ben = receive(request.calendar, ben).calendar or ben
        assert receive(request.calendar, ben).calendar in (ben, None), "the same message again changes nothing"
    assert it.sequence(only(ben)) == max(order)
    assert only(ben).value("DTSTART") == only(chain[max(order)]).value("DTSTART")


def test_nobody_answers_what_is_cancelled() -> None:
    off = called_off(meeting(BEN), NOW)
    assert messages(off, answered(off, BEN.address, "DECLINED"), BEN.address, NOW) == ()
    assert messages(off, None, BEN.address, NOW) == ()


@pytest.mark.parametrize(
    "lines", [["METHOD:PUBLISH", *event()], ["METHOD:REQUEST", "BEGIN:VTODO", "UID:t", "END:VTODO"]]
)
def test_what_invites_nobody_is_not_put_into_the_calendar(lines: list[str]) -> None:
    assert receive(source(*lines).calendar, None).change == "ignored"
