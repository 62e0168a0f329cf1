"""A calendar as something that `skerry up` watches: every event that comes, changes or goes is an event.

[watch.calendar]
kind = "calendar"
path = "calendar"            # or url, user and password_env, as in scheduling.toml
every_s = 60
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
from collections.abc import AsyncGenerator
from pathlib import Path

import msgspec

from skerry.errors import SkerryError
from skerry.ports import Arrival, Memory, SourceKind
from skerry_workflows.scheduling.settings import CalendarAt

BACK_DAYS, AHEAD_DAYS = 7, 400
"""What lies further from now is not watched."""
_INDEX = "events"


class WatchedCalendar(CalendarAt, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of `kind = "calendar"`: where it is, and how often it is looked at."""

    every_s: float = 60.0


def look(calendar: WatchedCalendar, now: dt.datetime) -> tuple[dict[str, str], bool]:
    """The events there are, by UID, each with what changes whenever it does; and whether these are all, because
    nothing was unreadable.

    Raises:
        SkerryError: the calendar is not there.
    """
    from skerry_workflows.scheduling.itip.entries import entries

    store = calendar.open(Path())
    if store:
        store.check()  # else all of it would seem to be gone
    found: dict[str, list[str]] = {}
    low, high = now - dt.timedelta(days=BACK_DAYS), now + dt.timedelta(days=AHEAD_DAYS)
    complete = True
    for source in store.read(low, high) if store else []:
        complete = complete and not (source.warnings and not source.calendar.parts)
        for entry in entries(source.calendar):
            found.setdefault(entry.text("UID"), []).append(str(entry))
    marks = {uid: hashlib.sha256("".join(texts).encode()).hexdigest()[:32] for uid, texts in found.items() if uid}
    return marks, complete


async def arrivals(calendar: WatchedCalendar, memory: Memory) -> AsyncGenerator[Arrival, None]:
    """What is there, and then what changes. What leaves the window of time comes once more, as if it were gone: whoever
    gets it looks into the calendar."""
    while True:
        known = msgspec.json.decode(memory.get(_INDEX) or "{}", type=dict[str, str])
        now_is, complete = await asyncio.to_thread(look, calendar, dt.datetime.now(dt.UTC))
        for uid, mark in now_is.items():
            if known.get(uid) != mark:
                yield Arrival(id=f"{uid}@{mark}", data={"uid": uid})
                known[uid] = mark
                memory.put(_INDEX, msgspec.json.encode(known).decode())
        for uid in [uid for uid in known if uid not in now_is] if complete else []:
            yield Arrival(id=f"{uid}@gone@{known[uid]}", data={"uid": uid})
            del known[uid]
            memory.put(_INDEX, msgspec.json.encode(known).decode())
        await asyncio.sleep(calendar.every_s)


def check(calendar: WatchedCalendar) -> str:
    """What is wrong with the settings."""
    try:
        store = calendar.open(Path())
    except SkerryError as error:
        return str(error)
    if store is None:
        return "neither path nor url says where the calendar is"
    if calendar.path and not Path(calendar.path).expanduser().exists():
        return f"there is no {calendar.path}"
    return ""


CALENDAR = SourceKind("calendar", WatchedCalendar, arrivals, event="calendar.changed", check=check)
