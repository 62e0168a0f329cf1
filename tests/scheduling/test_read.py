"""Reading calendars: nothing is lost, slips are mended and named, and what is no calendar is refused in words."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry_workflows.scheduling.calendar import limits
from skerry_workflows.scheduling.calendar.freebusy import busy
from skerry_workflows.scheduling.calendar.lines import (
    Component,
    Line,
    escape,
    line,
    parse_line,
    unescape,
    unquoted,
    written,
)
from skerry_workflows.scheduling.calendar.occurrences import occurrences
from skerry_workflows.scheduling.calendar.read import read
from skerry_workflows.scheduling.calendar.reminders import reminders
from skerry_workflows.scheduling.calendar.unreadable import Unreadable
from skerry_workflows.scheduling.imip import mailed_events
from skerry_workflows.scheduling.itip.incoming import receive
from skerry_workflows.scheduling.itip.outgoing import messages
from tests.scheduling.files import calendar, event, source

YEAR = (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2027, 1, 1, tzinfo=dt.UTC))

names = st.from_regex(r"X-[A-Z0-9]{1,20}", fullmatch=True)
texts = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp")), max_size=300)
lines = st.builds(
    lambda name, value, params: Line(name, tuple(params.items()), value),
    names,
    texts.map(str.rstrip),
    st.dictionaries(names, texts.map(lambda text: '"' + text.replace('"', "") + '"'), max_size=3),
)


@given(st.lists(lines, max_size=8))
def test_what_is_written_is_read_again(some: list[Line]) -> None:
    whole = Component("VCALENDAR", (), (Component("VEVENT", tuple(some), (Component("X-OWN", tuple(some)),)),))
    data = written(whole)
    assert read(data).calendar == whole
    assert all(len(raw) <= 75 for raw in data.split(b"\r\n"))


@given(texts)
def test_escapes(text: str) -> None:
    assert unescape(escape(text)) == text
    parsed = parse_line(str(line("ATTENDEE", "mailto:a@example.org", CN=text)))
    assert parsed is not None and (not text or unquoted(parsed.params[0][1]) == text)


def test_foreign_properties_stay() -> None:
    data = calendar(
        "X-WR-CALNAME:Ours",
        *event("DTSTART:20260301T100000Z", 'X-FOREIGN;X-P="a;b":c\\,d', "BEGIN:X-PART", "X-Q:1", "END:X-PART"),
    )
    assert written(read(data).calendar) == data


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"BEGIN:VCARD\r\nEND:VCARD", "contacts"),
        (b"hello", "no calendar in it"),
        (calendar().replace(b"VERSION:2.0", b"VERSION:1.0"), "vCalendar 1.0"),
        (b"BEGIN:VCALENDAR\n" * 20, "nested too deeply"),
        (bytes(limits.FILE_BYTES_MAX + 1), "more than the 10 MB"),
        (b"BEGIN:VCALENDAR\n" + b"X-A:1\n" * (limits.LINES_MAX + 1), "more than the 300,000 lines"),
    ],
)
def test_what_is_no_calendar(data: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        read(data)


BROKEN = {
    "a rule of other moons": (
        calendar(*event("SUMMARY:Tea", "DTSTART:20260301T100000Z", "RRULE:RSCALE=CHINESE;FREQ=YEARLY")),
        "another calendar",
    ),
    "a rule of exceptions": (
        calendar(*event("SUMMARY:Tea", "DTSTART:20260301T100000Z", "EXRULE:FREQ=DAILY")),
        "EXRULE is not followed",
    ),
    "cut off": (calendar(*event("SUMMARY:Tea", "DTSTART:20260301T100000Z")).rsplit(b"END:VEVENT", 1)[0], "breaks off"),
    "a fold without its blank": (
        calendar(*event("SUMMARY:Tea", "DTSTART:20260301T100000Z", "DESCRIPTION:one", "two three")),
        "broken in two",
    ),
    "no VCALENDAR": ("\n".join(event("SUMMARY:Tea", "DTSTART:20260301T100000Z")).encode(), "outside of a VCALENDAR"),
    "an END too many": (
        calendar(*event("SUMMARY:Tea", "DTSTART:20260301T100000Z"), "END:VEVENT"),
        "END:VEVENT without its BEGIN",
    ),
    "a missing END": (
        calendar(*event("SUMMARY:Tea", "DTSTART:20260301T100000Z", "BEGIN:VALARM", "ACTION:DISPLAY")),
        "END of VALARM is missing",
    ),
    "not UTF-8": (
        calendar(*event("SUMMARY:Tea", "DTSTART:20260301T100000Z", "LOCATION:x")).replace(b":x", b":Caf\xe9"),
        "not in UTF-8",
    ),
    "no UID": (
        calendar("BEGIN:VEVENT", "SUMMARY:Tea", "DTSTART:20260301T100000Z", "END:VEVENT"),
        "no UID",
    ),
    "an end before the start": (
        calendar(*event("SUMMARY:Tea", "DTSTART:20260301T100000Z", "DTEND:20260228T100000Z")),
        "ends before it starts",
    ),
    "a rule that is none": (
        calendar(*event("SUMMARY:Tea", "DTSTART:20260301T100000Z", "RRULE:FREQ=FORTNIGHTLY")),
        "nothing that is known",
    ),
    "no interval": (
        calendar(*event("SUMMARY:Tea", "DTSTART:20260301T100000Z", "RRULE:FREQ=DAILY;INTERVAL=0;COUNT=1")),
        "INTERVAL=0",
    ),
    "an entry beside it without a start": (
        calendar(*event("SUMMARY:Nothing", uid="2"), *event("SUMMARY:Tea", "DTSTART:20260301T100000Z")),
        "has no start",
    ),
    "a calendar in an entry": (
        calendar(
            "BEGIN:VEVENT", *calendar(*event("SUMMARY:Tea", "DTSTART:20260301T100000Z")).decode().split(), "END:VEVENT"
        ),
        "inside a VEVENT",
    ),
    "a zone that nobody knows": (
        calendar(*event("SUMMARY:Tea", "DTSTART;TZID=Middle-earth:20260301T100000")),
        "'Middle-earth' is not known",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_mended_and_said_so(name: str) -> None:
    data, said = BROKEN[name]
    found = occurrences(read(data), *YEAR)
    assert [one.summary for one in found.found] == ["Tea"], found
    assert any(said in warning for warning in found.warnings), found.warnings


@pytest.mark.parametrize(
    "start",
    ["20260301T100000Z", "2026-03-01T10:00:00Z", "20260301T1000Z", "20260301t100000z", "20260301T100000.000Z",
     " 20260301T100000Z "],
)  # fmt: skip
def test_times_as_people_write_them(start: str) -> None:
    (one,) = occurrences(source(*event(f"DTSTART:{start}")), *YEAR).found
    assert one.start == dt.datetime(2026, 3, 1, 10, tzinfo=dt.UTC)


def test_other_calendars_are_refused() -> None:
    with pytest.raises(Unreadable, match="JULIAN"):
        occurrences(source("CALSCALE:JULIAN", *event("DTSTART:20260301T100000Z")), *YEAR)


def test_a_date_without_its_value_is_a_date() -> None:
    (one,) = occurrences(source(*event("DTSTART:20260301")), *YEAR).found
    assert (one.all_day, one.start, one.end) == (True, dt.date(2026, 3, 1), dt.date(2026, 3, 2))


def test_utf16_and_bom() -> None:
    data = calendar(*event("SUMMARY:Café", "DTSTART:20260301T100000Z"))
    for encoded in (b"\xef\xbb\xbf" + data, data.decode().encode("utf-16")):
        assert [e.text("SUMMARY") for e in read(encoded).entries()] == ["Café"]


PIECES = [
    *event("DTSTART:20260301T1", "RRULE:FREQ=DAILY;COUNT=x"), "BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VALARM",
    "END:VALARM", "RRULE:FREQ=DAILY;COUNT=3", "DTSTART:20260301", "DTEND;TZID=Europe/Rome:20260302T000000",
    "RDATE;VALUE=PERIOD:20260301T000000Z/PT1H", "EXDATE:20260301", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260301",
    "DURATION:-PT1H", "DURATION:P1Y", "RRULE:FREQ=YEARLY;BYDAY=9MO", "BEGIN:VTIMEZONE", "TZID:Europe/Rome",
    "END:VTIMEZONE", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@example.org", "ORGANIZER:mailto:b@example.org",
    "RECURRENCE-ID;TZID=Europe/Rome:20260301T000000", "TRIGGER:-PT1H", "BEGIN:VAVAILABILITY", "END:VAVAILABILITY",
    "BEGIN:AVAILABLE", "END:AVAILABLE", "BEGIN:VFREEBUSY", "FREEBUSY:20260301T000000Z/PT1H", "END:VFREEBUSY",
    "SEQUENCE:x", "RRULE:FREQ=WEEKLY;BYDAY=XX;UNTIL=1",
]  # fmt: skip
broken = st.binary(max_size=400) | st.lists(st.sampled_from(PIECES)).map(lambda some: "\r\n".join(some).encode())


@given(broken)
def test_nothing_else_is_raised(data: bytes) -> None:
    """Whatever a file holds, it is read, or refused in words."""
    with contextlib.suppress(Unreadable):
        known = read(data)
        assert read(written(known.calendar)).calendar.parts == known.calendar.parts
        occurrences(known, *YEAR)
        busy([known], *YEAR)
        reminders(known, *YEAR)
        mailed_events(known)
        for method in ("REQUEST", "REPLY", "CANCEL"):
            message = known.calendar.with_line(line("METHOD", method))
            receive(message, known.calendar)
        messages(known.calendar, None, "a@example.org", YEAR[0])
