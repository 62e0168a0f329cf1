"""Busy time: which events take time, of which kind, and that periods never overlap."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry_workflows.scheduling.calendar.freebusy import busy, duration
from skerry_workflows.scheduling.calendar.periods import RANK, Kind, Period, merged, minus
from tests.scheduling.files import event, source

DAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
KINDS: list[Kind] = ["BUSY", "BUSY-UNAVAILABLE", "BUSY-TENTATIVE"]


def at(minute: int) -> dt.datetime:
    return DAY + dt.timedelta(minutes=minute)


def period(start: int, length: int, kind: Kind) -> Period:
    return Period(start=at(start), end=at(start + length), kind=kind)


periods = st.builds(
    period,
    st.integers(0, 60), st.integers(1, 30), st.sampled_from(KINDS),
)  # fmt: skip


def minutes(some: list[Period]) -> dict[int, Kind]:
    """Which kind counts in each minute, worked out minute by minute."""
    kinds: dict[int, Kind] = {}
    for minute in range(100):
        covering: list[Kind] = [one.kind for one in some if one.start <= at(minute) < one.end]
        if covering:
            kinds[minute] = min(covering, key=lambda kind: RANK[kind])
    return kinds


@given(st.lists(periods, max_size=12))
def test_merged(some: list[Period]) -> None:
    result = merged(some)
    assert minutes(result) == minutes(some)
    for one, other in itertools.pairwise(result):
        assert one.end <= other.start and not (one.end == other.start and one.kind == other.kind)


@given(st.lists(periods, max_size=6), st.lists(periods, max_size=6))
def test_minus(some: list[Period], others: list[Period]) -> None:
    left, taken = minutes(minus(some, others)), minutes(others)
    assert left == {minute: kind for minute, kind in minutes(some).items() if minute not in taken}


def found(*lines: str, hours: list[str] | None = None, owner: str = "") -> list[tuple[str, str, str]]:
    said = busy([source(*lines)], DAY, DAY + dt.timedelta(days=1), hours=source(*hours) if hours else None, owner=owner)
    return [(f"{one.start:%H%M}", f"{one.end:%H%M}", one.kind) for one in said.periods]


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ([], "BUSY"),
        (["TRANSP:OPAQUE", "STATUS:CONFIRMED"], "BUSY"),
        (["STATUS:TENTATIVE"], "BUSY-TENTATIVE"),
        (["STATUS:CANCELLED"], None),
        (["TRANSP:TRANSPARENT"], None),
        (["X-MICROSOFT-CDO-BUSYSTATUS:OOF"], "BUSY-UNAVAILABLE"),
        (["X-MICROSOFT-CDO-BUSYSTATUS:FREE"], None),
        (["ATTENDEE;PARTSTAT=DECLINED:mailto:Ana@example.org"], None),
        (["ATTENDEE;PARTSTAT=TENTATIVE:mailto:ana@example.org"], "BUSY-TENTATIVE"),
        (["ATTENDEE;PARTSTAT=ACCEPTED:mailto:ana@example.org", "ATTENDEE;PARTSTAT=DECLINED:mailto:x@x.org"], "BUSY"),
    ],
)  # fmt: skip
def test_what_takes_time(lines: list[str], kind: str | None) -> None:
    one = event("DTSTART:20260302T090000Z", "DTEND:20260302T100000Z", *lines)
    assert found(*one, owner="ana@example.org") == ([("0900", "1000", kind)] if kind else [])


def test_overlaps_and_the_window() -> None:
    lines = [
        *event("DTSTART:20260301T230000Z", "DTEND:20260302T010000Z", uid="1"),
        *event("DTSTART:20260302T003000Z", "DTEND:20260302T020000Z", "STATUS:TENTATIVE", uid="2"),
        *event("DTSTART;VALUE=DATE:20260303", uid="3"),
    ]
    assert found(*lines) == [("0000", "0100", "BUSY"), ("0100", "0200", "BUSY-TENTATIVE")]


def test_stated_busy_time() -> None:
    lines = [
        "BEGIN:VFREEBUSY", "UID:f", "FREEBUSY:20260302T090000Z/PT1H,20260302T110000Z/20260302T120000Z",
        "FREEBUSY;FBTYPE=FREE:20260302T130000Z/PT1H", "FREEBUSY;FBTYPE=X-NEW:20260302T140000Z/PT1H",
        "FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20260302T150000Z/PT1H", "FREEBUSY:nonsense", "END:VFREEBUSY",
    ]  # fmt: skip
    assert found(*lines) == [
        ("0900", "1000", "BUSY"), ("1100", "1200", "BUSY"), ("1400", "1500", "BUSY"),
        ("1500", "1600", "BUSY-UNAVAILABLE"),
    ]  # fmt: skip


WEEKDAYS = [
    "BEGIN:AVAILABLE", "UID:a", "DTSTART;TZID=Europe/Rome:20260302T090000", "DTEND;TZID=Europe/Rome:20260302T170000",
    "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "END:AVAILABLE",
]  # fmt: skip


def test_working_hours() -> None:
    hours = ["BEGIN:VAVAILABILITY", "UID:v", *WEEKDAYS, "END:VAVAILABILITY"]
    away = "BUSY-UNAVAILABLE"
    assert found(hours=hours) == [("0000", "0800", away), ("1600", "0000", away)]
    meeting = event("DTSTART:20260302T070000Z", "DTEND:20260302T090000Z")
    assert found(*meeting, hours=hours) == [
        ("0000", "0700", away), ("0700", "0900", "BUSY"), ("1600", "0000", away),
    ]  # fmt: skip


def test_holidays_count_more_than_working_hours() -> None:
    """RFC 7953, section 4: a higher priority replaces a lower one for as long as it lasts."""
    usual = ["BEGIN:VAVAILABILITY", "UID:v", "PRIORITY:5", *WEEKDAYS, "END:VAVAILABILITY"]
    holiday = ["BEGIN:VAVAILABILITY", "UID:h", "PRIORITY:1", "DTSTART:20260301T000000Z", "DTEND:20260303T000000Z",
               "BUSYTYPE:BUSY", "END:VAVAILABILITY"]  # fmt: skip
    assert found(hours=[*usual, *holiday]) == [("0000", "0000", "BUSY")]


@pytest.mark.parametrize(("text", "seconds"), [("PT1H", 3600), ("-P1DT2M", -86_520), ("P2W", 1_209_600), ("+PT5S", 5)])
def test_durations(text: str, seconds: int) -> None:
    assert duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "P", "PT", "1H", "P1Y"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError):
        duration(text)
