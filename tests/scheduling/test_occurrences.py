"""What happens when: recurrence with its exceptions, windows, floating and all-day events, reminders."""

from __future__ import annotations

import datetime as dt
import itertools
import zoneinfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from skerry_workflows.scheduling.calendar import limits
from skerry_workflows.scheduling.calendar.interpret import TOO_LONG
from skerry_workflows.scheduling.calendar.moments import iso, parse_iso
from skerry_workflows.scheduling.calendar.occurrences import occurrences
from skerry_workflows.scheduling.calendar.reminders import reminders
from skerry_workflows.scheduling.calendar.rules import expand
from skerry_workflows.scheduling.calendar.unreadable import Unreadable
from tests.scheduling.files import event, source

YEAR = (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2027, 1, 1, tzinfo=dt.UTC))


def starts(*lines: str, window: tuple[dt.datetime, dt.datetime] = YEAR) -> list[str]:
    return [iso(one.start) for one in occurrences(source(*lines), *window).found]


def test_a_series_with_all_kinds_of_exceptions() -> None:
    lines = [
        *event("DTSTART:20260302T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=5", "EXDATE:20260303T090000Z",
               "RDATE:20260401T090000Z"),
        *event("RECURRENCE-ID:20260304T090000Z", "DTSTART:20260304T150000Z", "DTEND:20260304T160000Z"),
    ]  # fmt: skip
    assert starts(*lines) == [
        "2026-03-02T09:00:00Z", "2026-03-04T15:00:00Z", "2026-03-05T09:00:00Z", "2026-03-06T09:00:00Z",
        "2026-04-01T09:00:00Z",
    ]  # fmt: skip


def test_this_and_future() -> None:
    lines = [
        *event("DTSTART:20260302T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=4"),
        *event("RECURRENCE-ID;RANGE=THISANDFUTURE:20260304T090000Z", "DTSTART:20260304T100000Z", "DURATION:PT2H"),
    ]
    found = occurrences(source(*lines), *YEAR).found
    assert [(iso(one.start)[8:13], iso(one.end)[11:13]) for one in found] == [
        ("02T09", "10"), ("03T09", "10"), ("04T10", "12"), ("05T10", "12"),
    ]  # fmt: skip


def test_local_time_stays_where_clocks_change() -> None:
    lines = event("DTSTART;TZID=W. Europe Standard Time:20260328T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2")
    assert starts(*lines) == ["2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z"]


def test_floating_times_are_placed_where_the_reader_is() -> None:
    floating = source(*event("DTSTART:20260101T010000", "DTEND:20260101T020000"))
    tokyo = zoneinfo.ZoneInfo("Asia/Tokyo")
    assert len(occurrences(floating, *YEAR).found) == 1
    assert len(occurrences(floating, *YEAR, local=tokyo).found) == 0, "in Tokyo that was still last year in UTC"
    (day,) = occurrences(source(*event("DTSTART;VALUE=DATE:20260101")), *YEAR, local=tokyo).found
    assert day.all_day


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [(9, 10, 1), (8, 9, 0), (10, 11, 0), (9, 9, 1), (8, 12, 1)],
    ids=["the same", "up to it", "after it", "its first moment", "around"],
)
def test_what_overlaps_a_window(start: int, end: int, found: int) -> None:
    lines = event("DTSTART:20260302T090000Z", "DTEND:20260302T100000Z")
    day = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    assert len(starts(*lines, window=(day.replace(hour=start), day.replace(hour=end)))) == found


def test_an_event_without_length_counts_at_its_start() -> None:
    day = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
    hour = dt.timedelta(hours=1)
    assert len(starts(*event("DTSTART:20260302T090000Z"), window=(day, day + hour))) == 1
    assert len(starts(*event("DTSTART:20260302T090000Z"), window=(day - hour, day))) == 0


@given(st.integers(-1000, 1000), st.integers(1, 999), st.sampled_from(["DTEND", "DURATION", "DAYS"]))
def test_events_far_away_are_left_out_and_no_others(begins: int, hours: int, form: str) -> None:
    """Whatever is not looked at to save time would not have been found."""
    start, end = YEAR[0], YEAR[0] + dt.timedelta(days=3)
    first = start + dt.timedelta(hours=begins)
    last = first + (dt.timedelta(days=hours) if form == "DAYS" else dt.timedelta(hours=hours))
    ends = {"DTEND": f"DTEND:{last:%Y%m%dT%H%M%SZ}", "DURATION": f"DURATION:PT{hours}H", "DAYS": f"DURATION:P{hours}D"}
    found = starts(*event(f"DTSTART:{first:%Y%m%dT%H%M%SZ}", ends[form]), window=(start, end))
    assert bool(found) == (first < end and last > start)


def test_what_would_never_end_is_left_out_and_said() -> None:
    found = occurrences(source(*event("SUMMARY:Tick", "DTSTART:19700101T000000Z", "RRULE:FREQ=SECONDLY")), *YEAR)
    assert not found.found and "Tick repeats too often" in found.warnings[0]
    found = occurrences(source(*event("SUMMARY:Tick", "DTSTART:20260101T000000Z", "RRULE:FREQ=MINUTELY")), *YEAR)
    assert not found.found and "Tick repeats too often" in found.warnings[0]
    assert len(starts(*event("DTSTART:20260101T000000Z", "RRULE:FREQ=SECONDLY;COUNT=3"))) == 3
    with pytest.raises(Unreadable, match="no window"):
        occurrences(source(), YEAR[1], YEAR[0])


# --- rules ------------------------------------------------------------------------------------------------------------

rules = st.builds(
    lambda frequency, interval, parts: ";".join([f"FREQ={frequency}", f"INTERVAL={interval}", *parts]),
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 4),
    st.lists(
        st.sampled_from(["BYDAY=MO,WE", "BYMONTH=1,6", "BYMONTHDAY=1,15,-1", "BYHOUR=8,16", "WKST=SU", "BYSETPOS=1"]),
        unique_by=lambda part: part[:6],
        max_size=3,
    ),
)


@given(
    rules, st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2030, 1, 1)).map(lambda one: one.replace(microsecond=0))
)
def test_as_dateutil(rule: str, start: dt.datetime) -> None:
    if "BYSETPOS" in rule and rule.count("BY") == 1:
        return  # BYSETPOS needs something to choose from
    mine = list(itertools.islice(expand(rule, start), 20))
    assert mine == list(itertools.islice(rrulestr(rule, dtstart=start), 20))


@pytest.mark.parametrize(
    ("rule", "start", "zone", "expected"),
    [
        # Examples of RFC 5545, section 3.8.5.3.
        ("FREQ=YEARLY;BYDAY=20MO;COUNT=2", "1997-05-19T09:00:00", "", ["1997-05-19T09:00:00", "1998-05-18T09:00:00"]),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=2", "1997-05-12", "", ["1997-05-12", "1998-05-11"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2", "1997-09-29", "", ["1997-09-30", "1997-10-31"]),
        ("FREQ=DAILY;UNTIL=19970903T000000Z", "1997-09-02", "", ["1997-09-02", "1997-09-03"]),
        # An hour that spring skips: moved where it is DTSTART's, no instance where the rule names it.
        ("FREQ=DAILY;COUNT=2", "2026-03-28T02:30:00", "Europe/Rome", ["2026-03-28T02:30:00", "2026-03-29T03:30:00"]),
        ("FREQ=DAILY;BYHOUR=2;COUNT=2", "2026-03-28T02:30:00", "Europe/Rome",
         ["2026-03-28T02:30:00", "2026-03-30T02:30:00"]),
        # UNTIL in UTC, instances in local time: 08:00Z is 10:00 in Rome.
        ("FREQ=DAILY;UNTIL=20260702T080000Z", "2026-07-01T10:00:00", "Europe/Rome",
         ["2026-07-01T10:00:00", "2026-07-02T10:00:00"]),
        # Week 53 of 2026 ends in January 2027; 2027 has none.
        ("FREQ=YEARLY;BYWEEKNO=53;BYDAY=SA;COUNT=2", "2021-01-02", "", ["2021-01-02", "2027-01-02"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2026-01-01", "", []),
    ],
)  # fmt: skip
def test_rules(rule: str, start: str, zone: str, expected: list[str]) -> None:
    local = zoneinfo.ZoneInfo(zone) if zone else None
    assert [iso(one) for one in expand(rule, parse_iso(start), zone=local)] == expected


def test_since_skips_and_counts() -> None:
    found = expand("FREQ=DAILY;COUNT=4", dt.date(2026, 1, 1), since=dt.date(2026, 1, 3))
    assert list(found) == [dt.date(2026, 1, 3), dt.date(2026, 1, 4)]


@pytest.mark.parametrize("rule", ["", "FREQ=NOW", "hello", "FREQ=DAILY;BYDAY=XX", "FREQ=YEARLY;BYWEEKNO=x"])
def test_no_rule(rule: str) -> None:
    with pytest.raises(Unreadable):
        list(itertools.islice(expand(rule, dt.date(2026, 1, 1)), 3))


# --- reminders --------------------------------------------------------------------------------------------------------


def told(*lines: str) -> list[str]:
    found, _ = reminders(source(*lines), *YEAR)
    return [iso(one.at) for one in found]


def alarm(*lines: str) -> list[str]:
    return ["BEGIN:VALARM", "ACTION:DISPLAY", *lines, "END:VALARM"]


def test_reminders_before_after_and_again() -> None:
    lines = event(
        "DTSTART:20260302T090000Z", "DTEND:20260302T100000Z", "RRULE:FREQ=DAILY;COUNT=2",
        *alarm("TRIGGER:-PT15M"), *alarm("TRIGGER;RELATED=END:PT5M", "REPEAT:1", "DURATION:PT10M"),
    )  # fmt: skip
    assert told(*lines) == [
        "2026-03-02T08:45:00Z", "2026-03-02T10:05:00Z", "2026-03-02T10:15:00Z",
        "2026-03-03T08:45:00Z", "2026-03-03T10:05:00Z", "2026-03-03T10:15:00Z",
    ]  # fmt: skip


def test_a_reminder_long_before_a_cancelled_one_and_a_fixed_one() -> None:
    assert told(*event("DTSTART:20270301T090000Z", *alarm("TRIGGER:-P90D"))) == ["2026-12-01T09:00:00Z"]
    assert told(*event("DTSTART:20260302T090000Z", "STATUS:CANCELLED", *alarm("TRIGGER:-PT1H"))) == []
    fixed = event("DTSTART:20260302T090000Z", *alarm("TRIGGER;VALUE=DATE-TIME:20260201T070000Z"))
    assert told(*fixed) == ["2026-02-01T07:00:00Z"]


def test_the_alarms_of_an_exception_are_its_own() -> None:
    lines = [
        *event("DTSTART:20260302T090000Z", "RRULE:FREQ=DAILY;COUNT=2", *alarm("TRIGGER:-PT15M")),
        *event("RECURRENCE-ID:20260303T090000Z", "DTSTART:20260303T120000Z", *alarm("TRIGGER:-PT30M")),
    ]
    assert told(*lines) == ["2026-03-02T08:45:00Z", "2026-03-03T11:30:00Z"]


def test_tasks_have_reminders_too() -> None:
    todo = ["BEGIN:VTODO", "UID:t", "DUE:20260302T090000Z", *alarm("TRIGGER;RELATED=END:-PT1H"), "END:VTODO"]
    assert told(*todo) == ["2026-03-02T08:00:00Z"]
    assert told(*todo[:-1], "STATUS:COMPLETED", todo[-1]) == []


def test_what_a_calendar_may_cost_is_bounded() -> None:
    """Each of its series is within the limits, and there may be thousands: the rest is left out, and that is said."""
    many = source(
        *(part for n in range(50) for part in event("DTSTART:20200101T100000Z", "RRULE:FREQ=DAILY", uid=f"{n}"))
    )
    listed = occurrences(many, *YEAR, budget=limits.Budget(0))
    assert listed.found == () and listed.warnings == (TOO_LONG,)
    assert len(occurrences(many, YEAR[0], YEAR[0] + dt.timedelta(days=1), budget=limits.Budget(60)).found) == 50
