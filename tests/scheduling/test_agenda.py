"""What a calendar tells of a person's time: when they are engaged, and where."""

from __future__ import annotations

import datetime as dt

from skerry_workflows.scheduling.agenda import engagements, without_event
from skerry_workflows.scheduling.slots.model import Engagement
from tests.scheduling.files import event, source

DAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def test_engagements_have_their_places() -> None:
    """Links and rooms' mail addresses are no places to travel to; what takes no time has none."""
    known = source(
        *event("DTSTART:20260302T090000Z", "DURATION:PT1H", "LOCATION:Rome ", uid="1"),
        *event("DTSTART:20260302T110000Z", "DURATION:PT1H", "LOCATION:https://meet.example.org/x", uid="2"),
        *event("DTSTART:20260302T130000Z", "DURATION:PT1H", "LOCATION:Milan", "TRANSP:TRANSPARENT", uid="3"),
    )
    found, doubts = engagements([known], DAY, DAY + 24 * HOUR, "ada@example.org", dt.UTC)
    nine, eleven = DAY + 9 * HOUR, DAY + 11 * HOUR
    assert found == (
        Engagement(start=nine, end=nine + HOUR),
        Engagement(start=eleven, end=eleven + HOUR),
        Engagement(start=nine, end=nine + HOUR, place="Rome"),
    )
    assert doubts == ()
    left, _ = engagements([without_event(known, "1")], DAY, DAY + 24 * HOUR, "ada@example.org", dt.UTC)
    assert [one.start for one in left] == [eleven], "the meeting that is itself to be moved is not in the way"
