"""A watched calendar: what is there, what changes, and what goes."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from pathlib import Path

import pytest

from skerry.errors import Unavailable
from skerry_workflows.scheduling.calendar.unreadable import Unreadable
from skerry_workflows.scheduling.itip.write import Person, event
from skerry_workflows.scheduling.stores.files import IcsStore
from skerry_workflows.scheduling.watch import CALENDAR, WatchedCalendar, look
from tests.support import wait_until

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
ADA = Person(address="ada@example.org", name="Ada Lovelace")


async def test_a_calendar_is_watched(tmp_path: Path) -> None:
    store = IcsStore(tmp_path / "cal")
    start = dt.datetime.now(dt.UTC) + DAY
    etag = store.put(
        "a", event(uid="a", start=start, end=start + HOUR, summary="a", organizer=ADA, attendees=[], now=START)
    )
    settings = WatchedCalendar(path=str(tmp_path / "cal"), every_s=0.01)
    memory: dict[str, str] = {}
    assert CALENDAR.check(settings) == "" and "there is no" in CALENDAR.check(WatchedCalendar(path=str(tmp_path / "x")))
    coming = CALENDAR.arrivals(settings, Kept(memory))
    first = await anext(coming)
    assert (first.data, first.id[:2]) == ({"uid": "a"}, "a@")
    waiting = asyncio.ensure_future(anext(coming))
    await wait_until(lambda: "a" in memory.get("events", ""))
    store.delete("a", etag)
    assert "@gone@" in (await waiting).id
    assert json.loads(memory["events"]) != {}, "only what was handed over is remembered"


async def test_a_calendar_that_is_not_there_has_lost_nothing(tmp_path: Path) -> None:
    """A disk that is not mounted, and a file that is broken: neither is a calendar whose meetings are gone."""
    store = IcsStore(tmp_path / "cal")
    start = dt.datetime.now(dt.UTC) + DAY
    store.put("a", event(uid="a", start=start, end=start + HOUR, summary="a", organizer=ADA, attendees=[], now=START))
    settings = WatchedCalendar(path=str(tmp_path / "cal"), every_s=0.01)
    (tmp_path / "cal").rename(tmp_path / "away")
    with pytest.raises(Unavailable, match="there is no calendar"):
        look(settings, dt.datetime.now(dt.UTC))
    (tmp_path / "away").rename(tmp_path / "cal")
    found, complete = look(settings, dt.datetime.now(dt.UTC))
    assert list(found) == ["a"] and complete
    (tmp_path / "cal" / "a.ics").write_bytes(b"<html>a</html>")
    assert look(settings, dt.datetime.now(dt.UTC)) == ({}, False), "what was known may still be there"
    with pytest.raises(Unreadable):
        store.get("a")


class Kept:
    """A source's memory, in a dict."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values

    def get(self, key: str) -> str:
        """What was put there."""
        return self.values.get(key, "")

    def put(self, key: str, value: str) -> None:
        """Remembers it."""
        self.values[key] = value
