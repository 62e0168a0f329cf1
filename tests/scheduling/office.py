"""An office for the tests of scheduling: a node in memory, with real calendars, bookings and an outbox in a folder."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from skerry import Done, State, Step, Workflow
from skerry.core import api
from skerry.core.projection import RunRow
from skerry.testing import Lab
from skerry_workflows.scheduling import workflow
from skerry_workflows.scheduling.bookings import Bookings
from skerry_workflows.scheduling.calendar.lines import Component
from skerry_workflows.scheduling.imip import Mailed, read_mail
from skerry_workflows.scheduling.itip import entries as it
from skerry_workflows.scheduling.itip.outgoing import Message, messages
from skerry_workflows.scheduling.itip.write import Person, event
from skerry_workflows.scheduling.model import (
    Booked,
    Invitee,
    MeetingRequest,
    Reminder,
)
from skerry_workflows.scheduling.slots.model import Span
from skerry_workflows.scheduling.stores.files import IcsStore
from tests.support import wait_until

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)  # a Thursday, and where a lab's clock begins
MONDAY_TEN = dt.datetime(2026, 1, 5, 10, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
ADA, BEN = Person(address="ada@example.org", name="Ada Lovelace"), Person(address="ben@example.com", name="Ben Ito")
SETTINGS = """
owner = "Ada@example.org"
name = "Ada Lovelace"
zone = "W. Europe Standard Time"
[people."ben@example.com"]
name = "Ben Ito"
zone = "Europe/London"
hours = {{ mon = ["10:00-12:00"], tue = ["10:00-12:00"] }}
calendar = {{ path = "ben.ics" }}
[policy]
{policy}
"""
BOLD = 'send = "never"\nchoose = "best"'


class Heard(State):
    """Somebody who shows reminders."""

    uid: str
    summary: str
    start: dt.datetime
    unanswered: tuple[str, ...]

    async def run(self, step: Step) -> Done[Reminder]:
        """Hears it."""
        return Done(Reminder(uid=self.uid, summary=self.summary, start=self.start, unanswered=self.unanswered))


heard = Workflow("heard", version=1, start=Heard, on="meeting.reminder", result=Reminder)


class Node(Lab):
    """A lab with settings; at the end every run's replay has to agree."""

    def __init__(self, folder: Path, policy: str) -> None:
        (folder / "scheduling.toml").write_text(SETTINGS.format(policy=policy))
        self.folder = folder
        self.mine = IcsStore(folder / "calendar")
        self.runs: list[str] = []
        super().__init__(workflow, heard, settings={"SKERRY_DATA": str(folder)})

    async def send(self, event: str = "meeting.requested", **data: Any) -> str:
        (run,) = await self.publish(event, **data)
        self.runs.append(run)
        return run

    async def mail(self, mail: EmailMessage | bytes) -> str:
        data = mail if isinstance(mail, bytes) else mail.as_bytes()
        blob = await self.put(data, "mail.eml")
        started = await self.verbs.publish(api.Publish(type="meeting.requested", data={}, file=blob, id=blob.sha256))
        self.runs.extend(started.runs)
        return started.runs[0]

    async def asks(self, run: str) -> str:
        row: RunRow = await self.settled(run)
        assert row.status == "review", row
        return row.note

    def now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.clock.now_us() / 1e6, dt.UTC)

    def sent(self) -> list[Mailed]:
        """The mails in the outbox that bring a calendar, by method and recipient."""
        mails = [read_mail(path.read_bytes()) for path in (self.folder / "outbox").glob("*.eml")]
        return sorted((mail for mail in mails if mail), key=lambda mail: (mail.method, mail.events[0].sequence))

    def entry(self, uid: str) -> Component:
        stored = self.mine.get(uid)
        assert stored is not None
        return it.entries(stored.calendar)[0]

    def booked(self, uid: str) -> tuple[dt.datetime, dt.datetime] | None:
        with Bookings(self.folder / "bookings.db") as bookings:
            current = bookings.current(uid)
        return (current.starts, current.ends) if current else None


@asynccontextmanager
async def open_node(folder: Path, policy: str = "") -> AsyncIterator[Node]:
    node = Node(folder, policy)
    async with node:
        yield node
        for run in node.runs:
            replayed = await node.replay(run)
            assert replayed.agrees, replayed


def request(**more: Any) -> MeetingRequest:
    span = Span(start=START, end=START + 7 * DAY)
    plain: dict[str, Any] = {
        "summary": "Review", "attendees": (Invitee(address="ben@example.com", name="Ben Ito"),), "duration_minutes": 60,
        "windows": (span,),
    }  # fmt: skip
    return MeetingRequest(**{**plain, **more})


def invited(method: str = "REQUEST", **more: Any) -> tuple[Component, Message]:
    """A meeting that Ben organises, and its message to Ada."""
    start = START + 4 * DAY + 11 * HOUR
    calendar = event(uid="ben-1", start=start, end=start + HOUR, summary="Lunch", organizer=BEN, attendees=[BEN, ADA],
                     now=START, **more)  # fmt: skip
    return calendar, messages(None, calendar, BEN.address, START)[0]


async def booked_with_ben(node: Node) -> tuple[Booked, Component]:
    booked = await node.result(await node.send(request=request()))
    stored = node.mine.get(booked.uid)
    assert isinstance(booked, Booked) and stored is not None
    return booked, stored.calendar


async def passes(node: Node, time: dt.timedelta, until: Callable[[], Any]) -> None:
    """Lets time pass in small steps, because tasks run in threads and take time of the real kind; then waits."""
    step = HOUR / 2
    while time > dt.timedelta(0):
        await node.skip(min(step, time))
        for row in await node.engine.journal.rows():
            if row.status == "running":
                await node.settled(row.run)
        time -= step
    await wait_until(until)


def subjects(folder: Path) -> list[str]:
    said = [path.read_text().partition("Subject: ")[2].partition("\n")[0] for path in (folder / "outbox").glob("*.eml")]
    return sorted(said)


async def ended(node: Node, workflow: str, count: int) -> bool:
    rows = await node.engine.journal.rows()
    return sum(row.workflow == workflow and row.status == "done" for row in rows) >= count
