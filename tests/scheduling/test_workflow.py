"""The whole workflow on a node in memory, with real calendars, bookings and an outbox in a folder."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from skerry import Done, State, Step, Workflow
from skerry.core import api
from skerry.core.projection import RunRow
from skerry.testing import Lab
from skerry_workflows.scheduling import workflow
from skerry_workflows.scheduling.bookings import Bookings
from skerry_workflows.scheduling.calendar.lines import Component, Line
from skerry_workflows.scheduling.imip import Mailed, read_mail, write_mail
from skerry_workflows.scheduling.itip import entries as it
from skerry_workflows.scheduling.itip.outgoing import Message, messages
from skerry_workflows.scheduling.itip.write import Person, answered, called_off, counter, event
from skerry_workflows.scheduling.model import (
    Answer,
    Answered,
    Booked,
    CalledOff,
    Invitee,
    MeetingRequest,
    Moved,
    NotBooked,
    Noted,
    Pick,
    Reminder,
    Suggest,
)
from skerry_workflows.scheduling.slots.model import Span
from skerry_workflows.scheduling.stores.caldav import CaldavStore
from skerry_workflows.scheduling.stores.files import IcsStore
from tests.scheduling.radicale import radicale
from tests.support import wait_until

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)  # a Thursday, and where a lab's clock begins
MONDAY_TEN = dt.datetime(2026, 1, 5, 10, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
ADA, BEN = Person(address="ada@example.org", name="Ada Lovelace"), Person(address="ben@example.com", name="Ben Ito")
SETTINGS = """
owner = "Ada@example.org"
name = "Ada Lovelace"
zone = "W. Europe Standard Time"
[people."ben@example.com"]
name = "Ben Ito"
zone = "Europe/London"
hours = {{ mon = ["10:00-12:00"], tue = ["10:00-12:00"] }}
calendar = {{ path = "ben.ics" }}
[policy]
{policy}
"""
BOLD = 'send = "never"\nchoose = "best"'


class Heard(State):
    """Somebody who shows reminders."""

    uid: str
    summary: str
    start: dt.datetime
    unanswered: tuple[str, ...]

    async def run(self, step: Step) -> Done[Reminder]:
        """Hears it."""
        return Done(Reminder(uid=self.uid, summary=self.summary, start=self.start, unanswered=self.unanswered))


heard = Workflow("heard", version=1, start=Heard, on="meeting.reminder", result=Reminder)


class Node(Lab):
    """A lab with settings; at the end every run's replay has to agree."""

    def __init__(self, folder: Path, policy: str) -> None:
        (folder / "scheduling.toml").write_text(SETTINGS.format(policy=policy))
        self.folder = folder
        self.mine = IcsStore(folder / "calendar")
        self.runs: list[str] = []
        super().__init__(workflow, heard, settings={"SKERRY_DATA": str(folder)})

    async def send(self, event: str = "meeting.requested", **data: Any) -> str:
        (run,) = await self.publish(event, **data)
        self.runs.append(run)
        return run

    async def mail(self, mail: EmailMessage | bytes) -> str:
        data = mail if isinstance(mail, bytes) else mail.as_bytes()
        blob = await self.put(data, "mail.eml")
        started = await self.verbs.publish(api.Publish(type="meeting.requested", data={}, file=blob, id=blob.sha256))
        self.runs.extend(started.runs)
        return started.runs[0]

    async def asks(self, run: str) -> str:
        row: RunRow = await self.settled(run)
        assert row.status == "review", row
        return row.note

    def now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.clock.now_us() / 1e6, dt.UTC)

    def sent(self) -> list[Mailed]:
        """The mails in the outbox that bring a calendar, by method and recipient."""
        mails = [read_mail(path.read_bytes()) for path in (self.folder / "outbox").glob("*.eml")]
        return sorted((mail for mail in mails if mail), key=lambda mail: (mail.method, mail.events[0].sequence))

    def entry(self, uid: str) -> Component:
        stored = self.mine.get(uid)
        assert stored is not None
        return it.entries(stored.calendar)[0]

    def booked(self, uid: str) -> tuple[dt.datetime, dt.datetime] | None:
        with Bookings(self.folder / "bookings.db") as bookings:
            current = bookings.current(uid)
        return (current.starts, current.ends) if current else None


@asynccontextmanager
async def open_node(folder: Path, policy: str = "") -> AsyncIterator[Node]:
    node = Node(folder, policy)
    async with node:
        yield node
        for run in node.runs:
            replayed = await node.replay(run)
            assert replayed.agrees, replayed


def request(**more: Any) -> MeetingRequest:
    span = Span(start=START, end=START + 7 * DAY)
    plain: dict[str, Any] = {
        "summary": "Review", "attendees": (Invitee(address="ben@example.com", name="Ben Ito"),), "duration_minutes": 60,
        "windows": (span,),
    }  # fmt: skip
    return MeetingRequest(**{**plain, **more})


def invited(method: str = "REQUEST", **more: Any) -> tuple[Component, Message]:
    """A meeting that Ben organises, and its message to Ada."""
    start = START + 4 * DAY + 11 * HOUR
    calendar = event(uid="ben-1", start=start, end=start + HOUR, summary="Lunch", organizer=BEN, attendees=[BEN, ADA],
                     now=START, **more)  # fmt: skip
    return calendar, messages(None, calendar, BEN.address, START)[0]


# --- a request --------------------------------------------------------------------------------------------------------


async def test_from_a_request_to_an_invitation(tmp_path: Path) -> None:
    """Nothing is sent and nothing stands in the calendar before a person said so, twice."""
    async with open_node(tmp_path) as node:
        run = await node.send(request=request())
        asked = await node.asks(run)
        assert "Book 'Review' with Ben Ito: Mon 5 January 2026, 11:00-12:00 (Europe/Berlin)? everybody can." in asked
        await node.approve(run)
        assert (
            "Send the invitations" in await node.asks(run)
            and not node.sent()
            and not list(node.mine.read(START, START))
        )
        await node.crash()
        await node.approve(run)
        booked = await node.result(run)
        assert isinstance(booked, Booked) and booked.invited == ("ben@example.com",)
        (mail,) = node.sent()
        assert mail.consistent and mail.method == "REQUEST" and mail.events[0].start == booked.start
        assert node.entry(booked.uid).text("SUMMARY") == "Review" and node.booked(booked.uid) == (
            booked.start,
            booked.end,
        )


@pytest.mark.parametrize("stage", range(3))
async def test_a_person_says_no(tmp_path: Path, stage: int) -> None:
    async with open_node(tmp_path) as node:
        run = (
            await node.send(request=request(), text="")
            if stage
            else await node.send(text="Hello there!", sender="x@y.z")
        )
        if stage == 2:
            await node.approve(run)
        await node.reject(run, reason="not now")
        assert isinstance(await node.result(run), NotBooked) and not node.sent()
        other = await node.send(request=request())
        assert "Mon 5 January 2026, 11:00" in await node.asks(other), "what was held is free again"


async def test_another_proposal_is_picked(tmp_path: Path) -> None:
    async with open_node(tmp_path, 'send = "outside"\ninside = ["example.com"]') as node:
        run = await node.send(request=request())
        await node.asks(run)
        await node.signal(run, Pick(number=9))
        await node.signal(run, Pick(number=3))
        booked = await node.result(run)
        assert booked.start == dt.datetime(2026, 1, 6, 10, tzinfo=dt.UTC), "Tuesday; and Ben is inside: nobody is asked"


async def test_a_hold_that_has_ended_is_searched_again(tmp_path: Path) -> None:
    """While the first waited for its approval, somebody else has got the time."""
    async with open_node(tmp_path, 'choose = "best"\nhold_hours = 1') as node:
        slow = await node.send(request=request())
        assert "Mon 5 January 2026, 11:00-12:00" in await node.asks(slow)
        await node.skip(2 * HOUR)
        fast = await node.send(request=request())
        await node.approve(fast)
        await node.approve(slow)
        first = await node.result(fast)
        assert "Mon 5 January 2026, 12:00-13:00" in await node.asks(slow)
        await node.approve(slow)
        second = await node.result(slow)
        assert isinstance(first, Booked) and isinstance(second, Booked)
        assert first.start == dt.datetime(2026, 1, 5, 10, tzinfo=dt.UTC) and second.start == first.start + HOUR
        assert len(node.sent()) == 2


async def test_two_want_the_same_slot(tmp_path: Path) -> None:
    """Without a person, one after the other as the engine likes: each gets a slot of its own."""
    async with open_node(tmp_path, BOLD) as node:
        runs = [await node.send(request=request(summary=str(number))) for number in range(4)]
        ended = [await node.result(run) for run in runs[:1]]
        for run in runs[1:]:
            row = await node.settled(run)
            ended += [await node.result(run)] if row.status == "done" else []
        starts = [one.start for one in ended if isinstance(one, Booked)]
        assert len(starts) == len(set(starts)) == 4, "Ben has four hours"
        late = await node.send(request=request(summary="late"))
        assert "No time for 'late'" in await node.asks(late)


async def test_calendars_hours_and_doubts(tmp_path: Path) -> None:
    store = IcsStore(tmp_path / "ben.ics")
    busy = dt.datetime(2026, 1, 5, 10, tzinfo=dt.UTC)
    taken = event(uid="b", start=busy, end=busy + 2 * HOUR, summary="x", organizer=BEN, attendees=[], now=START)
    store.put("b", taken)
    async with open_node(tmp_path, BOLD) as node:
        run = await node.send(request=request())
        assert (await node.result(run)).start == dt.datetime(2026, 1, 6, 10, tzinfo=dt.UTC)
        with (tmp_path / "ben.ics").open("ab") as file:
            file.write(b"BEGIN:VEVENT\r\nUID:c\r\nDTSTART;TZID=Nowhere:20260106T100000\r\nEND:VEVENT\r\n")
        other = await node.send(request=request())
        assert "'Nowhere' is not known" in await node.asks(other), "what is not sure is asked, whatever the policy"


# --- in words ---------------------------------------------------------------------------------------------------------


async def test_in_words(tmp_path: Path) -> None:
    async with open_node(tmp_path, BOLD) as node:
        text = "Hi Ada, can we meet on Tuesday 6 January 2026 at 11:00 for 30 minutes?"
        run = await node.send(text=text, subject="Re: Budget", sender="ben@example.com")
        booked = await node.result(run)
        assert (booked.summary, booked.start) == ("Budget", dt.datetime(2026, 1, 6, 10, tzinfo=dt.UTC))
        assert booked.end - booked.start == HOUR / 2 and booked.invited == ("ben@example.com",)


async def test_what_is_not_said_is_asked_by_mail(tmp_path: Path) -> None:
    async with open_node(tmp_path, f'{BOLD}\nask_back = "mail"') as node:
        run = await node.send(text="Can we meet on 6 January 2026 at 11:00?", sender="ben@example.com")
        row = await node.settled(run)
        assert row.status == "waiting", row
        (mail,) = (tmp_path / "outbox").glob("*.eml")
        assert "how long" in mail.read_text().lower()
        await node.signal(run, Answer(text="For 30 minutes."))
        assert (await node.result(run)).end == dt.datetime(2026, 1, 6, 10, 30, tzinfo=dt.UTC)


async def test_a_wish_to_move_a_meeting_is_asked_about(tmp_path: Path) -> None:
    """Which meeting, words do not say for sure: a second one must not be booked beside it."""
    async with open_node(tmp_path, BOLD) as node:
        text = "Can we move our meeting to Tuesday 6 January 2026 at 11:00, for 30 minutes?"
        run = await node.send(text=text, sender="ben@example.com")
        assert "or is one that there is already to be moved?" in await node.asks(run)
        await node.approve(run, questions=[])
        assert isinstance(await node.result(run), Booked)


async def test_a_person_completes_it(tmp_path: Path) -> None:
    async with open_node(tmp_path, BOLD) as node:
        run = await node.send(text="Can we meet on 6 January 2026 at 11:00?", sender="ben@example.com")
        await node.asks(run)
        await node.approve(run, duration_minutes="45", questions=[])
        assert (await node.result(run)).end == dt.datetime(2026, 1, 6, 10, 45, tzinfo=dt.UTC)


async def test_settings_that_are_wrong_say_so(tmp_path: Path) -> None:
    async with open_node(tmp_path, 'send = "sometimes"') as node:
        run = await node.send(request=request())
        row = await node.settled(run)
        assert row.status == "failed" and "scheduling.toml" in row.note


async def test_without_settings_a_request_is_kept_until_there_are_some(tmp_path: Path) -> None:
    """A node has this workflow unless it is told otherwise, and mail about meetings comes to everybody."""
    async with open_node(tmp_path, BOLD) as node:
        settings = (tmp_path / "scheduling.toml").rename(tmp_path / "later.toml")
        run = await node.send(request=request())
        assert "scheduling.toml, which says whose calendar it is" in await node.asks(run)
        await node.approve(run)
        assert "scheduling.toml" in await node.asks(run), "it was not written yet"
        settings.rename(tmp_path / "scheduling.toml")
        await node.approve(run)
        assert isinstance(await node.result(run), Booked)


# --- invitations of others --------------------------------------------------------------------------------------------


async def test_an_invitation_is_accepted(tmp_path: Path) -> None:
    async with open_node(tmp_path) as node:
        _, message = invited()
        run = await node.mail(write_mail(message, subject="Lunch", text=""))
        asked = await node.asks(run)
        assert (
            "Ben Ito invites you to 'Lunch', Mon 5 January 2026, 12:00-13:00 (Europe/Berlin). You are free then"
            in asked
        )
        await node.approve(run)
        assert await node.result(run) == Answered(uid="ben-1", answer="ACCEPTED")
        assert it.partstat(node.entry("ben-1"), ADA.address) == "ACCEPTED"
        (reply,) = node.sent()
        assert (reply.method, reply.events[0].attendees[0].partstat) == ("REPLY", "ACCEPTED")
        again = await node.mail(write_mail(message, subject="Lunch", text=""))
        await node.approve(again)
        assert len(node.sent()) == 1, "the same answer to the same revision is the same mail"


async def test_an_invitation_is_declined_or_another_time_proposed(tmp_path: Path) -> None:
    async with open_node(tmp_path) as node:
        _, message = invited()
        run = await node.mail(write_mail(message, subject="Lunch", text=""))
        await node.asks(run)
        await node.signal(run, Suggest(start=START + 6 * DAY, end=START + 6 * DAY + HOUR, comment="later"))
        assert await node.result(run) == Answered(uid="ben-1", answer="COUNTER")
        assert [mail.method for mail in node.sent()] == ["COUNTER"]
        other = await node.mail(write_mail(message, subject="Lunch", text=""))
        await node.reject(other)
        assert await node.result(other) == Answered(uid="ben-1", answer="DECLINED")
        assert it.partstat(node.entry("ben-1"), ADA.address) == "DECLINED"


async def test_who_is_free_accepts_without_being_asked(tmp_path: Path) -> None:
    async with open_node(tmp_path, 'send = "outside"\ninside = ["example.com"]\naccept = "free"') as node:
        _, message = invited()
        run = await node.mail(write_mail(message, subject="Lunch", text=""))
        assert await node.result(run) == Answered(uid="ben-1", answer="ACCEPTED")
        clash = event(uid="ben-2", start=START + 4 * DAY + 11 * HOUR, end=START + 4 * DAY + 12 * HOUR, summary="More",
                      organizer=BEN, attendees=[BEN, ADA], now=START)  # fmt: skip
        second = await node.mail(write_mail(messages(None, clash, BEN.address, START)[0], subject="", text=""))
        assert "You have something else then" in await node.asks(second)


async def test_an_organizer_who_is_another_is_told(tmp_path: Path) -> None:
    async with open_node(tmp_path, f'{BOLD}\naccept = "free"') as node:
        _, message = invited()
        mail = write_mail(message, subject="Lunch", text="")
        mail.replace_header("From", "mallory@example.net")
        run = await node.mail(mail)
        assert "comes from mallory@example.net, who is not ben@example.com" in await node.asks(run)


async def test_a_cancellation_of_others(tmp_path: Path) -> None:
    async with open_node(tmp_path) as node:
        calendar, message = invited()
        run = await node.mail(write_mail(message, subject="Lunch", text=""))
        await node.approve(run)
        await node.result(run)
        (gone,) = messages(calendar, called_off(calendar, START + HOUR), BEN.address, START + HOUR)
        mail = write_mail(gone, subject="", text="")
        noted = await node.result(await node.mail(mail))
        assert isinstance(noted, Noted) and noted.change == "cancelled"
        assert node.entry("ben-1").value("STATUS") == "CANCELLED"
        assert (await node.result(await node.mail(mail))).change in ("ignored", "cancelled")


async def test_a_cancellation_that_comes_before_the_answer(tmp_path: Path) -> None:
    """The invitation still waits for a person: what has been cancelled meanwhile cannot be accepted."""
    async with open_node(tmp_path) as node:
        calendar, message = invited()
        run = await node.mail(write_mail(message, subject="Lunch", text=""))
        await node.asks(run)
        (gone,) = messages(calendar, called_off(calendar, START + HOUR), BEN.address, START + HOUR)
        forged = write_mail(gone, subject="", text="")
        forged.replace_header("From", "mallory@example.net")
        assert (await node.result(await node.mail(forged))).change == "ignored"
        assert (await node.result(await node.mail(write_mail(gone, subject="", text="")))).change == "ignored"
        await node.approve(run)
        assert (await node.result(run)).why == "a later revision has come, and nothing was answered"
        assert node.mine.get("ben-1") is None and not node.sent()
        late = await node.result(await node.mail(write_mail(message, subject="Lunch", text="")))
        assert late.change == "ignored"


# --- answers to ours, moving, cancelling ------------------------------------------------------------------------------


async def booked_with_ben(node: Node) -> tuple[Booked, Component]:
    booked = await node.result(await node.send(request=request()))
    stored = node.mine.get(booked.uid)
    assert isinstance(booked, Booked) and stored is not None
    return booked, stored.calendar


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
        await _passes(node, DAY + HOUR, lambda: _subjects(tmp_path) == ["Invitation: Review", "Please answer: Review"])
        await node.crash()
        await _passes(node, booked.start - node.now(), lambda: _ended(node, "heard", 2))
        rows = [row for row in await node.engine.journal.rows() if row.workflow == "heard"]
        assert {(await node.result(row.run)).uid for row in rows} == {booked.uid} and len(rows) == 2
        await _passes(node, 2 * HOUR, lambda: _ended(node, "scheduling-keep", 1))
        (keeper,) = [row.run for row in await node.engine.journal.rows() if row.workflow == "scheduling-keep"]
        assert (await node.result(keeper)).change == "over"
        node.runs.append(keeper)


async def _passes(node: Node, time: dt.timedelta, until: Callable[[], Any]) -> None:
    """Lets time pass in small steps, because tasks run in threads and take time of the real kind; then waits."""
    step = HOUR / 2
    while time > dt.timedelta(0):
        await node.skip(min(step, time))
        for row in await node.engine.journal.rows():
            if row.status == "running":
                await node.settled(row.run)
        time -= step
    await wait_until(until)


def _subjects(folder: Path) -> list[str]:
    said = [path.read_text().partition("Subject: ")[2].partition("\n")[0] for path in (folder / "outbox").glob("*.eml")]
    return sorted(said)


async def _ended(node: Node, workflow: str, count: int) -> bool:
    rows = await node.engine.journal.rows()
    return sum(row.workflow == workflow and row.status == "done" for row in rows) >= count


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
