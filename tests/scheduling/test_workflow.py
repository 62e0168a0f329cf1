"""Requests and invitations: the workflow on a node in memory, with real calendars, bookings and an outbox."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from skerry_workflows.scheduling.imip import write_mail
from skerry_workflows.scheduling.itip import entries as it
from skerry_workflows.scheduling.itip.outgoing import messages
from skerry_workflows.scheduling.itip.write import called_off, event
from skerry_workflows.scheduling.model import (
    Answer,
    Answered,
    Booked,
    NotBooked,
    Noted,
    Pick,
    Suggest,
)
from skerry_workflows.scheduling.slots.model import Span
from skerry_workflows.scheduling.stores.files import IcsStore
from tests.scheduling.office import (
    ADA,
    BEN,
    BOLD,
    DAY,
    HOUR,
    MONDAY_TEN,
    SETTINGS,
    START,
    invited,
    open_node,
    request,
)

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


async def test_what_comes_into_a_calendar_while_a_person_chooses(tmp_path: Path) -> None:
    async with open_node(tmp_path) as node:
        run = await node.send(request=request())
        assert "Mon 5 January 2026, 11:00" in await node.asks(run)
        node.mine.put("x", event(uid="x", start=MONDAY_TEN, end=MONDAY_TEN + HOUR, summary="x", organizer=ADA,
                                 attendees=[], now=START))  # fmt: skip
        await node.approve(run)
        assert "Mon 5 January 2026, 12:00" in await node.asks(run), "the first was taken meanwhile"


async def test_what_has_begun_is_over(tmp_path: Path) -> None:
    async with open_node(tmp_path, BOLD) as node:
        await node.skip(MONDAY_TEN + HOUR / 2 - node.now())
        window = Span(start=MONDAY_TEN, end=MONDAY_TEN + HOUR)
        run = await node.send(request=request(windows=(window,), exact=True))
        assert "is over" in await node.asks(run)


async def test_a_calendar_of_others_that_cannot_be_read_is_a_doubt(tmp_path: Path) -> None:
    ben = 'calendar = {{ url = "http://127.0.0.1:1/ben/" }}'
    settings = SETTINGS.replace('calendar = {{ path = "ben.ics" }}', ben)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.scheduling.office.SETTINGS", settings)
        async with open_node(tmp_path, BOLD) as node:
            run = await node.send(request=request())
            assert "Ben Ito: the calendar cannot be read: 127.0.0.1 cannot be reached" in await node.asks(run)
            await node.approve(run)
            assert isinstance(await node.result(run), Booked)


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
