"""Names of time zones."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from skerry_workflows.scheduling.calendar.occurrences import occurrences
from skerry_workflows.scheduling.calendar.read import read
from skerry_workflows.scheduling.calendar.zones import resolve, zone
from tests.scheduling.files import calendar, event, source


def test_iana_names_in_any_case() -> None:
    for name in zoneinfo.available_timezones() - {"Factory", "localtime"}:
        assert resolve(name) == name
        assert zone(name.upper()) is not None
        assert resolve(f"/example.org/20260101_1/{name}") == name


def test_windows_names_with_and_without_standard_time() -> None:
    for name, iana in WINDOWS_TO_OLSON.items():
        found = resolve(name)
        assert found == iana or (found, iana) == ("UTC", "Etc/UTC")
        assert resolve(name.replace("Standard", "Daylight")) == found


@pytest.mark.parametrize(
    ("name", "iana"),
    [
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Amsterdam"),
        ("(UTC-08:00) Pacific Time (US & Canada)", "America/Los_Angeles"),
        ("(GMT-05:00) Eastern Time (US & Canada)", "America/New_York"),
        ("(UTC+05:30) Chennai, Kolkata, Mumbai, New Delhi", "Asia/Kolkata"),
        ("(UTC) Dublin, Edinburgh, Lisbon, London", "Europe/London"),
        ("(UTC-04:00) Georgetown, La Paz, Manaus, San Juan", "America/Guyana"),
        ("Indiana (East)", "America/Indiana/Indianapolis"),
        ("tzone://Microsoft/Utc", "UTC"),
        ("GMT+0200", "Etc/GMT-2"),
        ("UTC-3", "Etc/GMT+3"),
        ("CEST", "Europe/Berlin"),
        ("US-Eastern", "America/New_York"),
        ("America-New_York", "America/New_York"),
        ("Japan", "Japan"),
        ("Kenya", "Africa/Nairobi"),
        ('"Europe/Rome"', "Europe/Rome"),
    ],
)
def test_other_names(name: str, iana: str) -> None:
    found = resolve(name)
    assert found is not None
    for month in (1, 7):
        moment = dt.datetime(2026, month, 1, tzinfo=dt.UTC)
        assert (
            moment.astimezone(zoneinfo.ZoneInfo(found)).utcoffset()
            == moment.astimezone(zoneinfo.ZoneInfo(iana)).utcoffset()
        )


@pytest.mark.parametrize(
    "name",
    ["", "Customized Time Zone", "tzone://Microsoft/Custom", "IST", "my zone", "(UTC+09:00) Berlin", "Standard Time"],
)
def test_silence_where_a_name_says_nothing(name: str) -> None:
    assert resolve(name) is None


OWN = ["BEGIN:VTIMEZONE", "TZID:Customized", "BEGIN:STANDARD", "DTSTART:16010101T000000", "TZOFFSETFROM:{0}",
       "TZOFFSETTO:{0}", "END:STANDARD", "END:VTIMEZONE"]  # fmt: skip


def test_two_files_may_define_one_name_differently() -> None:
    for offset, hour in (("+0300", 7), ("-0500", 15), ("+0300", 7)):
        zone_lines = [line.format(offset) for line in OWN]
        data = calendar(*zone_lines, *event("DTSTART;TZID=Customized:20260301T100000"))
        found = occurrences(read(data), dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
        assert found.found[0].start == dt.datetime(2026, 3, 1, hour, tzinfo=dt.UTC) and not found.warnings


def test_a_known_name_counts_more_than_a_stale_definition() -> None:
    """Exports keep definitions of long ago; the name says which zone is meant."""
    zone_lines = [line.format("+0900").replace("Customized", "W. Europe Standard Time") for line in OWN]
    found = occurrences(
        source(*zone_lines, *event("DTSTART;TZID=W. Europe Standard Time:20260701T100000")),
        dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        dt.datetime(2027, 1, 1, tzinfo=dt.UTC),
    )
    assert found.found[0].start == dt.datetime(2026, 7, 1, 8, tzinfo=dt.UTC)
