"""The search: what it proposes is possible, it finds something where there is something, and it says why not."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry_workflows.scheduling.slots.model import Engagement, Found, Hours, Participant, Span, Wanted
from skerry_workflows.scheduling.slots.search import search, working

MONDAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


def at(hours: float) -> dt.datetime:
    return MONDAY + dt.timedelta(hours=hours)


def busy(start: float, end: float, kind: str = "BUSY", place: str = "") -> Engagement:
    return msgspec.convert({"start": at(start), "end": at(end), "kind": kind, "place": place}, Engagement)


def span(start: float, end: float) -> Span:
    return Span(start=at(start), end=at(end))


def wanted(*windows: Span, minutes: int = 60, **more: Any) -> Wanted:
    return Wanted(duration=minutes * MINUTE, windows=windows, **more)


def person(name: str, *engagements: Engagement, **more: Any) -> Participant:
    return Participant(address=f"{name}@example.org", name=name, engagements=engagements, **more)


def hours_of(found: Found) -> list[float]:
    return [(one.start - MONDAY) / HOUR for one in found.proposals]


engagements = st.builds(
    busy, st.integers(0, 60), st.integers(61, 70), st.sampled_from(["BUSY", "BUSY-TENTATIVE", "BUSY-UNAVAILABLE"]),
    st.sampled_from(["", "here", "there"]),
)  # fmt: skip
engagements |= st.builds(
    lambda start, length: busy(start / 4, (start + length) / 4), st.integers(0, 280), st.integers(1, 40)
)
people = st.lists(
    st.builds(
        Participant,
        address=st.sampled_from(["a@example.org", "b@example.org"]),
        engagements=st.lists(engagements, max_size=4).map(tuple),
        hours=st.none() | st.builds(Hours, zone=st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York"])),
        optional=st.booleans(),
        buffer=st.sampled_from([0 * MINUTE, 15 * MINUTE]),
        travel=st.sampled_from([0 * MINUTE, 60 * MINUTE]),
    ),
    max_size=3,
)
wishes = st.builds(
    wanted,
    st.builds(lambda start, length: span(start, start + length), st.integers(0, 40), st.integers(1, 60)),
    st.builds(lambda start, length: span(start, start + length), st.integers(0, 40), st.integers(1, 60)),
    minutes=st.sampled_from([15, 30, 60, 180]),
    excluded=st.lists(st.builds(lambda start: span(start, start + 2), st.integers(0, 60)), max_size=2).map(tuple),
    place=st.sampled_from(["", "here"]),
    prefer=st.sampled_from(["", "late", "morning", "afternoon"]),
    exact=st.booleans(),
)


def possible(wish: Wanted, start: dt.datetime, everybody: list[Participant]) -> bool:
    """Said anew, minute for minute, without any arithmetic of intervals."""
    end = start + wish.duration
    if not any(
        w.start <= start and (wish.exact or end <= w.end) and (not wish.exact or start == w.start) for w in wish.windows
    ):
        return False
    if any(start < x.end and x.start < end for x in wish.excluded):
        return False
    for one in everybody:
        if one.optional:
            continue
        for e in one.engagements:
            apart = wish.place and e.place and wish.place != e.place
            gap = max(one.buffer, one.travel) if apart else one.buffer
            gap = 0 * MINUTE if e.kind == "BUSY-UNAVAILABLE" else gap
            if e.kind != "BUSY-TENTATIVE" and start < e.end + gap and e.start - gap < end:
                return False
        if one.hours is not None:
            zone = zoneinfo.ZoneInfo(one.hours.zone)
            begins, ends = start.astimezone(zone), end.astimezone(zone)
            if begins.weekday() > 4 or begins.date() != ends.date() or begins.hour < 9 or ends.time() > dt.time(17):
                return False
    return True


@given(wishes, people)
def test_what_is_proposed_is_possible_and_what_is_possible_is_found(wish: Wanted, everybody: list[Participant]) -> None:
    found = search(wish, everybody)
    assert search(wish, everybody) == found
    for one in found.proposals:
        assert possible(wish, one.start, everybody) and one.end - one.start == wish.duration and one.reasons
    assert [one.cost for one in found.proposals] == sorted(one.cost for one in found.proposals)
    for number, one in enumerate(found.proposals):
        assert all(one.end <= other.start or other.end <= one.start for other in found.proposals[number + 1 :])
    there_is = any(possible(wish, at(quarter / 4), everybody) for quarter in range(0, 4 * 110, 2))
    assert bool(found.proposals) or not there_is
    assert bool(found.obstacles) is not bool(found.proposals)


def test_the_first_free_time_of_different_days() -> None:
    found = search(wanted(span(0, 72)), [person("Ana", busy(9, 12), hours=Hours()), person("Ben", hours=Hours())])
    assert hours_of(found) == [12, 33, 57] and found.proposals[0].reasons == ("everybody can",)


@pytest.mark.parametrize(
    ("wish", "start"),
    [
        ({}, 9),
        ({"prefer": "late"}, 16),
        ({"prefer": "afternoon"}, 12),
        ({"exact": True}, None),
        ({"excluded": (span(9, 10.25),)}, 10.5),
        ({"zone": "Asia/Kolkata"}, 9),
    ],
)
def test_preferences(wish: dict[str, Any], start: float | None) -> None:
    found = search(wanted(span(0, 24), count=1, **wish), [person("Ana", hours=Hours())])
    assert hours_of(found) == ([] if start is None else [start])


def test_tentative_and_optional_only_cost() -> None:
    ana, ben = person("Ana", busy(9, 10, "BUSY-TENTATIVE")), person("Ben", busy(9, 11), optional=True)
    found = search(wanted(span(9, 10)), [ana, ben])
    (one,) = found.proposals
    assert one.missing == ("Ben@example.org",)
    assert one.reasons == ("Ana may have something else then", "Ben cannot, and need not")
    assert hours_of(search(wanted(span(9, 12), count=1), [ana, ben])) == [11]


def test_travel_is_needed_between_places_only() -> None:
    ana = person("Ana", busy(9, 10, place="Rome"), travel=HOUR, buffer=30 * MINUTE)
    day = span(9, 14)
    assert hours_of(search(wanted(day, place="Milan", count=1), [ana])) == [11]
    assert hours_of(search(wanted(day, place="rome", count=1), [ana])) == [10.5]
    assert hours_of(search(wanted(day, count=1), [ana])) == [10.5]


def test_three_continents() -> None:
    zones = ("Europe/Rome", "America/New_York", "Asia/Tokyo")
    everybody = [person(zone, hours=Hours(zone=zone)) for zone in zones]
    found = search(wanted(span(0, 24)), everybody)
    assert not found.proposals and "each could, but not at the same time" in found.obstacles[0]
    assert hours_of(search(wanted(span(0, 24), count=1), everybody[:2])) == [14]


def test_why_there_is_nothing() -> None:
    ana, ben = person("Ana", busy(0, 24)), person("Ben", busy(9, 17), hours=Hours())
    found = search(wanted(span(0, 24)), [ana, ben])
    assert found.obstacles == ("Ana has no time", "Ben has no time, within working hours")
    assert search(wanted(), [ana]).obstacles == ("no time was named in which to look",)
    assert search(wanted(span(0, 24)), [person("Cat", doubts=("half of it is missing",))]).doubts == (
        "Cat: half of it is missing",
    )


def test_working_hours_where_clocks_change() -> None:
    night = Hours(zone="Europe/Rome", days=(*[()] * 6, ((dt.time(1), dt.time(4)),)))
    (spring,) = working(night, dt.datetime(2026, 3, 28, tzinfo=dt.UTC), dt.datetime(2026, 3, 30, tzinfo=dt.UTC))
    (autumn,) = working(night, dt.datetime(2026, 10, 24, tzinfo=dt.UTC), dt.datetime(2026, 10, 26, tzinfo=dt.UTC))
    assert (spring.end - spring.start, autumn.end - autumn.start) == (2 * HOUR, 4 * HOUR)
    late = Hours(days=(((dt.time(22), dt.time(2)),), *[()] * 6))
    (over,) = working(late, MONDAY, MONDAY + 2 * DAY)
    assert (over.start, over.end) == (at(22), at(26))
