"""Series of meetings: from the words to the calendar, one of them moved or cancelled, and the whole."""

from __future__ import annotations

import datetime as dt
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from skerry.errors import DataError
from skerry_workflows.scheduling.bookings import MEETINGS_MAX
from skerry_workflows.scheduling.calendar.definition import definition
from skerry_workflows.scheduling.calendar.read import read
from skerry_workflows.scheduling.imip import write_mail
from skerry_workflows.scheduling.itip import entries as it
from skerry_workflows.scheduling.itip.outgoing import messages
from skerry_workflows.scheduling.itip.write import event
from skerry_workflows.scheduling.model import Booked, CalledOff, Moved, NotBooked
from skerry_workflows.scheduling.series import times_in, times_of_rule
from skerry_workflows.scheduling.slots.model import Span
from skerry_workflows.scheduling.stores.files import IcsStore
from tests.scheduling.office import (
    ADA,
    BEN,
    BOLD,
    DAY,
    HOUR,
    MONDAY_TEN,
    START,
    Node,
    ended,
    open_node,
    request,
    subjects,
)
from tests.support import wait_until

TUESDAY_TEN = dt.datetime(2026, 1, 6, 9, tzinfo=dt.UTC)  # in Berlin
SIX = "FREQ=WEEKLY;BYDAY=TU;COUNT=6"


def starts(node: Node, uid: str) -> list[dt.datetime]:
    """What stands in the owner's calendar."""
    stored = node.mine.get(uid)
    assert stored is not None
    return [one.start for one in times_in(stored.calendar, uid, START)]


def weekly(**more: Any) -> Any:
    """Six Tuesdays; Ben's calendar knows of Tuesdays from 11 to 13 o'clock in Berlin only."""
    window = Span(start=TUESDAY_TEN, end=TUESDAY_TEN + 6 * HOUR)
    return request(**{"windows": (window,), "repeat": SIX, **more})


async def booked_series(node: Node, **more: Any) -> Booked:
    booked = await node.result(await node.send(request=weekly(**more)))
    assert isinstance(booked, Booked)
    return booked


async def test_in_words_from_a_mail_to_the_calendar(tmp_path: Path) -> None:
    async with open_node(tmp_path, 'choose = "best"') as node:
        text = "Hi Ada, could we meet every Tuesday at 11 for six weeks, 30 minutes each? Not on 20 January, please."
        run = await node.send(text=text, subject="Review", sender="ben@example.com")
        asked = await node.asks(run)
        assert "Tue 6 January 2026, 11:00-11:30 (Europe/Berlin); again on 13 January, 27 January, 3 February" in asked
        await node.approve(run)
        booked = await node.result(run)
        assert isinstance(booked, Booked) and booked.meetings == 5
        assert starts(node, booked.uid) == [TUESDAY_TEN + HOUR + n * 7 * DAY for n in (0, 1, 3, 4, 5)]
        (mail,) = node.sent()
        assert mail.events[0].rrule.startswith("FREQ=WEEKLY;BYDAY=TU;UNTIL=2026021")
        assert "TZID=Europe/Berlin" in str(node.entry(booked.uid)), "it stays at eleven when the clocks are changed"


async def test_two_series_and_a_meeting_never_meet(tmp_path: Path) -> None:
    async with open_node(tmp_path, BOLD) as node:
        first = await booked_series(node)
        second = await booked_series(node)
        assert {first.start, second.start} == {TUESDAY_TEN + HOUR, TUESDAY_TEN + 2 * HOUR}
        late = TUESDAY_TEN + 21 * DAY
        single = await node.send(request=request(windows=(Span(start=late, end=late + 4 * HOUR),)))
        assert "No time for 'Review'" in await node.asks(single), "both hours of the fourth Tuesday are given away"


async def test_what_somebody_cannot_is_left_out_after_asking(tmp_path: Path) -> None:
    taken = TUESDAY_TEN + HOUR + 14 * DAY
    IcsStore(tmp_path / "ben.ics").put(
        "b", event(uid="b", start=taken, end=taken + 2 * HOUR, summary="x", organizer=BEN, attendees=[], now=START)
    )
    async with open_node(tmp_path, BOLD) as node:
        run = await node.send(request=weekly())
        assert "not on 20.01.2026: Ben Ito cannot" in await node.asks(run), "whatever the policy"
        await node.approve(run)
        booked = await node.result(run)
        assert booked.meetings == 5 and taken not in starts(node, booked.uid)


async def test_one_that_clashes_too_often_is_none(tmp_path: Path) -> None:
    busy = event(uid="b", start=TUESDAY_TEN, end=TUESDAY_TEN + 6 * HOUR, summary="x", organizer=BEN, attendees=[],
                 now=START, repeat="FREQ=WEEKLY;INTERVAL=2;COUNT=9", zone="Europe/Berlin",
                 until=START + 200 * DAY)  # fmt: skip
    IcsStore(tmp_path / "ben.ics").put("b", busy)
    async with open_node(tmp_path, BOLD) as node:
        window = Span(start=TUESDAY_TEN + 7 * DAY, end=TUESDAY_TEN + 7 * DAY + 6 * HOUR)
        run = await node.send(request=weekly(windows=(window,)))
        asked = await node.asks(run)
        assert "clashes too often" in asked and "not on 20.01.2026: Ben Ito cannot" in asked


async def test_one_meeting_moves_another_is_cancelled_and_then_all(tmp_path: Path) -> None:
    async with open_node(tmp_path, BOLD) as node:
        booked = await booked_series(node)
        second, third = (booked.start + n * 7 * DAY for n in (1, 2))
        whole = await node.result(await node.send("meeting.change", uid=booked.uid, start=booked.start + HOUR))
        assert isinstance(whole, NotBooked) and "a series is not moved as a whole" in whole.reason
        nothing = await node.result(await node.send("meeting.change", uid=booked.uid, occurrence=second + HOUR))
        assert isinstance(nothing, NotBooked) and "no meeting of that series" in nothing.reason
        moved = await node.result(
            await node.send("meeting.change", uid=booked.uid, occurrence=second, start=second - DAY)
        )
        assert moved == Moved(uid=booked.uid, start=second - DAY, end=second - DAY + HOUR)
        gone = await node.result(await node.send("meeting.change", uid=booked.uid, occurrence=third))
        assert gone == CalledOff(uid=booked.uid, occurrence=third)
        left = [booked.start, second - DAY, *(booked.start + n * 7 * DAY for n in (3, 4, 5))]
        assert starts(node, booked.uid) == left
        assert [mail.events[0].sequence for mail in node.sent()] == [0, 1, 2]
        for free in (second, third):
            window = Span(start=free, end=free + HOUR)
            other = await node.result(await node.send(request=request(windows=(window,))))
            assert isinstance(other, Booked) and other.start == free
        over = await node.result(await node.send("meeting.change", uid=booked.uid, reason="done"))
        assert over == CalledOff(uid=booked.uid) and node.booked(booked.uid) is None


async def test_each_meeting_is_reminded_of(tmp_path: Path) -> None:
    """Also after a restart; and who has not answered is asked once for the whole series."""
    async with open_node(tmp_path, BOLD) as node:
        booked = await booked_series(node, repeat="FREQ=DAILY;COUNT=2", windows=(
            Span(start=MONDAY_TEN, end=MONDAY_TEN + HOUR),))  # fmt: skip
        assert (booked.start, booked.meetings) == (MONDAY_TEN, 2)
        await node.skip(3 * DAY)
        await wait_until(lambda: subjects(tmp_path) == ["Invitation: Review", "Please answer: Review"])
        for day, told in ((MONDAY_TEN, 1), (MONDAY_TEN + DAY, 2)):
            await node.crash()
            await node.skip(day - HOUR / 5 - node.now())
            await wait_until(partial(ended, node, "heard", told))
            await node.skip(2 * HOUR)
        await wait_until(lambda: ended(node, "scheduling-keep", 1))
        rows = [row for row in await node.engine.journal.rows() if row.workflow == "heard"]
        assert sorted([(await node.result(row.run)).start for row in rows]) == [MONDAY_TEN, MONDAY_TEN + DAY]
        assert len(subjects(tmp_path)) == 2


async def test_an_invitation_to_a_series_is_looked_at_in_full(tmp_path: Path) -> None:
    async with open_node(tmp_path) as node:
        clash = START + 18 * DAY + 11 * HOUR
        node.mine.put("x", event(uid="x", start=clash, end=clash + HOUR, summary="x", organizer=ADA, attendees=[],
                                 now=START))  # fmt: skip
        first = START + 4 * DAY + 11 * HOUR
        series = event(uid="s", start=first, end=first + HOUR, summary="Course", organizer=BEN, attendees=[BEN, ADA],
                       now=START, repeat="FREQ=WEEKLY;COUNT=4")  # fmt: skip
        (message,) = messages(None, series, BEN.address, START)
        run = await node.mail(write_mail(message, subject="Course", text=""))
        assert "(a series)" in await node.asks(run)
        assert "You have something else on 19.01.2026" in await node.asks(run)


async def test_an_invitation_that_repeats_beyond_measure_is_no_failure(tmp_path: Path) -> None:
    async with open_node(tmp_path) as node:
        series = event(uid="s", start=START + DAY, end=START + DAY + HOUR, summary="Noise", organizer=BEN,
                       attendees=[BEN, ADA], now=START, repeat="FREQ=MINUTELY")  # fmt: skip
        (message,) = messages(None, series, BEN.address, START)
        run = await node.mail(write_mail(message, subject="Noise", text=""))
        assert "Whether you are free is not sure" in await node.asks(run)


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("FREQ=WEEKLY", "an end"),
        ("FREQ=HOURLY;COUNT=3", "has days"),
        (f"FREQ=DAILY;COUNT={MEETINGS_MAX + 1}", "at most"),
        ("FREQ=MONTHLY;COUNT=100", "in two years"),
        ("FREQ=WEEKLY;BYDAY=FR;COUNT=3", "does not begin"),
    ],
)
async def test_what_is_no_series_is_asked_about(tmp_path: Path, rule: str, why: str) -> None:
    first = Span(start=TUESDAY_TEN, end=TUESDAY_TEN + HOUR)
    with pytest.raises(DataError, match=why):
        times_of_rule(rule, first, "Europe/Berlin")
    async with open_node(tmp_path, BOLD) as node:
        run = await node.send(request=weekly(repeat=rule))
        assert why in await node.asks(run)


def test_a_series_stays_at_its_hour_when_the_clocks_are_changed() -> None:
    first = Span(start=dt.datetime(2026, 3, 24, 9, tzinfo=dt.UTC), end=dt.datetime(2026, 3, 24, 10, tzinfo=dt.UTC))
    times = times_of_rule("FREQ=WEEKLY;COUNT=2", first, "Europe/Berlin")
    assert [one.start.hour for one in times] == [9, 8]
    assert all(one.end - one.start == HOUR for one in times)


def test_a_zone_is_defined_as_it_is() -> None:
    """Whoever knows only the definition comes to the same times as who knows the zone."""
    for zone in ("Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe"):
        first = dt.datetime(2026, 3, 3, 9, tzinfo=dt.UTC)
        calendar = event(uid="x", start=first, end=first + HOUR, summary="", organizer=ADA, attendees=[], now=START,
                         repeat="FREQ=WEEKLY;COUNT=50", zone=zone, until=first + 365 * DAY)  # fmt: skip
        known = [one.start for one in times_in(calendar, "x", START)]
        own = read(str(calendar).replace(f"TZID={zone}", "TZID=Own").replace(f"TZID:{zone}", "TZID:Own").encode())
        assert [one.start for one in times_in(own.calendar, "x", START)] == known and len(known) == 50
        assert it.master(it.entries(own.calendar)) is not None
    assert len(definition("Europe/Berlin", START, START + 365 * DAY).parts) == 3
