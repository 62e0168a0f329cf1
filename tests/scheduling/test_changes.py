"""What becomes of a meeting that stands: answers, moves, cancellations, changes by hand, reminders; and on CalDAV."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from skerry.core import api
from skerry.errors import TerminalError
from skerry_workflows.mailer import send
from skerry_workflows.scheduling.bookings import Booking, Bookings
from skerry_workflows.scheduling.calendar.lines import Line, written
from skerry_workflows.scheduling.imip import write_mail
from skerry_workflows.scheduling.itip import entries as it
from skerry_workflows.scheduling.itip.outgoing import Message, messages
from skerry_workflows.scheduling.itip.write import answered, counter, event, revised
from skerry_workflows.scheduling.model import (
    Booked,
    CalledOff,
    Invitee,
    Moved,
    NotBooked,
    Noted,
)
from skerry_workflows.scheduling.slots.model import Span
from skerry_workflows.scheduling.stores.caldav import CaldavStore
from tests.scheduling.office import (
    ADA,
    BEN,
    BOLD,
    DAY,
    HOUR,
    MONDAY_TEN,
    START,
    Node,
    booked_with_ben,
    ended,
    open_node,
    passes,
    request,
    subjects,
)
from tests.scheduling.radicale import radicale
from tests.support import wait_until

# --- answers to ours, moving, cancelling ------------------------------------------------------------------------------


async def test_answers_are_taken_and_forged_ones_asked_about(tmp_path: Path) -> None:
    async with open_node(tmp_path, BOLD) as node:
        booked, calendar = await booked_with_ben(node)
        (reply,) = messages(calendar, answered(calendar, BEN.address, "ACCEPTED"), BEN.address, node.now())
        forged = write_mail(reply, subject="", text="")
        forged.replace_header("From", "mallory@example.net")
        run = await node.mail(forged)
        assert "who is not ben@example.com" in await node.asks(run)
        await node.reject(run)
        assert it.partstat(node.entry(booked.uid), BEN.address) == "NEEDS-ACTION"
        noted = await node.result(await node.mail(write_mail(reply, subject="", text="")))
        assert noted.change == "answered" and it.partstat(node.entry(booked.uid), BEN.address) == "ACCEPTED"


async def test_moved_and_cancelled(tmp_path: Path) -> None:
    async with open_node(tmp_path, BOLD) as node:
        booked, _ = await booked_with_ben(node)
        later = booked.start + DAY
        moved = await node.result(await node.send("meeting.change", uid=booked.uid, start=later))
        assert moved == Moved(uid=booked.uid, start=later, end=later + HOUR)
        assert node.booked(booked.uid) == (later, later + HOUR)
        assert [(m.method, m.events[0].sequence) for m in node.sent()] == [("REQUEST", 0), ("REQUEST", 1)]
        gone = await node.result(await node.send("meeting.change", uid=booked.uid, reason="flu"))
        assert gone == CalledOff(uid=booked.uid) and node.booked(booked.uid) is None
        assert node.sent()[0].method == "CANCEL" and node.entry(booked.uid).value("STATUS") == "CANCELLED"
        again = await node.result(await node.send("meeting.change", uid=booked.uid))
        assert isinstance(again, NotBooked)
        next_one = await node.result(await node.send(request=request()))
        assert next_one.start == booked.start


async def test_a_move_needs_approval_and_a_free_time(tmp_path: Path) -> None:
    async with open_node(tmp_path, 'choose = "best"') as node:
        first = await node.send(request=request())
        second = await node.send(request=request())
        for run in (first, second):
            await node.approve(run)
        one, other = [await node.result(run) for run in (first, second)]
        clash = await node.result(await node.send("meeting.change", uid=one.uid, start=other.start))
        assert isinstance(clash, NotBooked) and "in another meeting then" in clash.reason
        run = await node.send("meeting.change", uid=one.uid, start=one.start + 5 * HOUR)
        assert "Move 'Review' to" in await node.asks(run)
        await node.reject(run)
        assert node.booked(one.uid) == (one.start, one.end) and len(node.sent()) == 2


async def test_a_move_to_where_somebody_has_something_else_is_asked(tmp_path: Path) -> None:
    async with open_node(tmp_path, BOLD) as node:
        booked, _ = await booked_with_ben(node)
        busy = booked.start + DAY
        node.mine.put("x", event(uid="x", start=busy, end=busy + HOUR, summary="x", organizer=ADA, attendees=[],
                                 now=START))  # fmt: skip
        run = await node.send("meeting.change", uid=booked.uid, start=busy)
        assert "But Ada Lovelace has something else on 06.01.2026, 11:00" in await node.asks(run)
        await node.reject(run)
        assert node.booked(booked.uid) == (booked.start, booked.end)


async def test_a_change_of_our_own_that_is_half_done_is_no_change_by_hand(tmp_path: Path) -> None:
    """The watch may look between the calendar's new state and the note of what people were told."""
    async with open_node(tmp_path, BOLD) as node:
        booked, calendar = await booked_with_ben(node)
        later = Span(start=booked.start + DAY, end=booked.end + DAY)
        new = revised(calendar, node.now(), start=later.start, end=later.end)
        stored = node.mine.get(booked.uid)
        assert stored is not None
        with Bookings(tmp_path / "bookings.db") as bookings:
            held = bookings.hold(uid=booked.uid, sequence=1, times=[later], people=[ADA.address], summary="", key="k",
                                 now=node.now(), held_until=node.now() + DAY)  # fmt: skip
            assert isinstance(held, Booking)
            bookings.book(held.id)
            node.mine.put(booked.uid, new, stored.etag)
            run = await node.send("calendar.changed", uid=booked.uid)
            await node.settled(run)
            assert (await node.row(run)).status != "done"
            bookings.tell(booked.uid, written(new).decode())
        await node.skip(HOUR)
        assert isinstance(await node.result(run), Noted) and len(node.sent()) == 1


async def test_a_broken_calendar_file_is_no_cancellation(tmp_path: Path) -> None:
    async with open_node(tmp_path, BOLD) as node:
        booked, _ = await booked_with_ben(node)
        (file,) = (tmp_path / "calendar").glob("*.ics")
        file.write_bytes(f"{booked.uid} is in this file, and nothing can be read".encode())
        row = await node.settled(await node.send("calendar.changed", uid=booked.uid))
        assert row.status == "failed" and "no calendar in it" in row.note
        (tmp_path / "calendar").rename(tmp_path / "away")
        other = await node.send("calendar.changed", uid=booked.uid)
        await node.settled(other)
        assert (await node.row(other)).status != "done", "it is tried again until the disk is there"
        assert [mail.method for mail in node.sent()] == ["REQUEST"]
        node.runs.clear()


async def test_one_guest_whose_mail_is_refused_keeps_no_other_waiting(tmp_path: Path) -> None:
    async with open_node(tmp_path, BOLD) as node:
        carl = Invitee(address="carl@example.com")
        guests = (carl, Invitee(address="ben@example.com", name="Ben Ito"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("skerry_workflows.mailer.send", _refusing(carl.address))
            run = await node.send(request=request(attendees=guests))
            row = await node.settled(run)
            assert row.status == "failed" and "refuses" in row.note
        assert [mail.events[0].organizer for mail in node.sent()] == [ADA.address], "Ben has it"
        await node.verbs.retry(api.RetryRun(run=run))
        booked = await node.result(run)
        assert isinstance(booked, Booked) and len(node.sent()) == 2


def _refusing(address: str) -> Callable[..., None]:
    def send_or_refuse(mail: EmailMessage, *rest: Any) -> None:
        if address in str(mail["To"]):
            raise TerminalError(f"the server refuses {address}")
        send(mail, *rest)

    return send_or_refuse


async def test_what_is_changed_by_hand_is_told(tmp_path: Path) -> None:
    async with open_node(tmp_path, BOLD) as node:
        booked, _ = await booked_with_ben(node)
        untouched = await node.result(await node.send("calendar.changed", uid=booked.uid))
        assert isinstance(untouched, Noted) and untouched.change == "ignored"
        later = booked.start + DAY
        stored = node.mine.get(booked.uid)
        assert stored is not None
        by_hand = stored.calendar.map_lines(lambda old: _at(old, later))
        node.mine.put(booked.uid, by_hand, stored.etag)
        moved = await node.result(await node.send("calendar.changed", uid=booked.uid))
        assert moved == Moved(uid=booked.uid, start=later, end=later + HOUR)
        assert [(m.method, m.events[0].sequence) for m in node.sent()] == [("REQUEST", 0), ("REQUEST", 1)]
        assert node.booked(booked.uid) == (later, later + HOUR) and it.sequence(node.entry(booked.uid)) == 1
        again = await node.result(await node.send("calendar.changed", uid=booked.uid))
        assert isinstance(again, Noted), "the change that we made ourselves is none"
        stored = node.mine.get(booked.uid)
        assert stored is not None
        node.mine.delete(booked.uid, stored.etag)
        gone = await node.result(await node.send("calendar.changed", uid=booked.uid))
        assert gone == CalledOff(uid=booked.uid) and node.booked(booked.uid) is None
        assert node.sent()[0].method == "CANCEL"
        late, _ = await booked_with_ben(node)
        node.clock.set_us(node.clock.now_us() + 10 * DAY // dt.timedelta(microseconds=1))
        stored = node.mine.get(late.uid)
        assert stored is not None
        node.mine.delete(late.uid, stored.etag)
        old = await node.result(await node.send("calendar.changed", uid=late.uid))
        assert isinstance(old, Noted), "nobody is told of what is over"


async def test_a_change_by_hand_is_asked_about_in_the_owners_time(tmp_path: Path) -> None:
    async with open_node(tmp_path, 'choose = "best"') as node:
        run = await node.send(request=request())
        await node.approve(run)
        booked = await node.result(run)
        stored = node.mine.get(booked.uid)
        assert stored is not None
        node.mine.put(booked.uid, stored.calendar.map_lines(lambda old: _at(old, booked.start + DAY)), stored.etag)
        changed = await node.send("calendar.changed", uid=booked.uid)
        assert "Tue 6 January 2026, 11:00-12:00 (Europe/Berlin)" in await node.asks(changed)
        await node.reject(changed)
        assert isinstance(await node.result(changed), NotBooked) and len(node.sent()) == 1


def _at(old: Line, start: dt.datetime) -> Line:
    moments = {"DTSTART": start, "DTEND": start + HOUR}
    return Line(old.name, old.params, it.utc(moments[old.name])) if old.name in moments else old


async def test_a_proposal_of_another_time(tmp_path: Path) -> None:
    async with open_node(tmp_path, BOLD) as node:
        booked, calendar = await booked_with_ben(node)
        later = booked.start + DAY
        proposal = counter(calendar, BEN.address, later, later + HOUR, node.now())
        message = Message(method="COUNTER", uid=booked.uid, sequence=0, sender=BEN.address, recipient=ADA.address,
                          calendar=proposal)  # fmt: skip
        no = await node.mail(write_mail(message, subject="", text=""))
        assert "Ben Ito" in await node.asks(no) or "ben@example.com proposes another time" in await node.asks(no)
        await node.reject(no)
        assert (await node.result(no)).change == "declined"
        assert [mail.method for mail in node.sent()] == ["DECLINECOUNTER", "REQUEST"]
        yes = await node.mail(write_mail(message, subject="again", text=""))
        await node.approve(yes)
        await wait_until(lambda: _done(node, yes))
        assert await node.result(yes) == Moved(uid=booked.uid, start=later, end=later + HOUR)


async def test_follow_up_and_reminders_and_a_crash(tmp_path: Path) -> None:
    async with open_node(tmp_path, f"{BOLD}\nremind_minutes = [15, 60]\nfollow_up_hours = 24") as node:
        booked, _ = await booked_with_ben(node)
        await node.crash()
        await passes(node, DAY + HOUR, lambda: subjects(tmp_path) == ["Invitation: Review", "Please answer: Review"])
        await node.crash()
        await passes(node, booked.start - node.now(), lambda: ended(node, "heard", 2))
        rows = [row for row in await node.engine.journal.rows() if row.workflow == "heard"]
        assert {(await node.result(row.run)).uid for row in rows} == {booked.uid} and len(rows) == 2
        await passes(node, 2 * HOUR, lambda: ended(node, "scheduling-keep", 1))
        (keeper,) = [row.run for row in await node.engine.journal.rows() if row.workflow == "scheduling-keep"]
        assert (await node.result(keeper)).change == "over"
        node.runs.append(keeper)


async def _done(node: Node, run: str) -> bool:
    return (await node.row(run)).status == "done"


async def test_on_a_caldav_server(tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole of it with the owner's calendar on a real server."""
    monkeypatch.setenv("CALENDAR_PASSWORD", "secret")
    with radicale(tmp_path, free_port) as url:
        place = f'[calendar]\nurl = "{url}"\nuser = "ada"\npassword_env = "CALENDAR_PASSWORD"'
        async with open_node(tmp_path, f"{BOLD}\n{place}") as node:
            store = CaldavStore(url, "ada", "secret")
            store.put("x", event(uid="x", start=MONDAY_TEN, end=MONDAY_TEN + HOUR, summary="x", organizer=ADA,
                                 attendees=[], now=START))  # fmt: skip
            booked = await node.result(await node.send(request=request()))
            assert booked.start == MONDAY_TEN + HOUR
            stored = store.get(booked.uid)
            assert stored is not None and it.entries(stored.calendar)[0].text("SUMMARY") == "Review"
            gone = await node.result(await node.send("meeting.change", uid=booked.uid))
            assert gone == CalledOff(uid=booked.uid)
            stored = store.get(booked.uid)
            assert stored is not None and it.entries(stored.calendar)[0].value("STATUS") == "CANCELLED"
