"""What `skerry demo` plays: each workflow has a package `demo` with a part of its own, made by its function `part`.

A part prepares a data folder (settings, calendars), names what then comes in, and tells in words what became of it.
All people, companies and numbers in it are invented, and nothing in it leaves the machine.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from skerry.errors import DataError


class Coming(NamedTuple):
    """Something that comes in: the event `event`, with `data`, or with `file` as its document.

    `name` is what people see. `answer` is the command, without the run, with which a person could answer what it
    leads to a question about.
    """

    name: str
    event: str
    data: dict[str, Any] = {}
    file: Path | None = None
    answer: str = "approve"


class Table(NamedTuple):
    """Something that is there at the end: drafts, bookings, postings."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Part(NamedTuple):
    """A workflow's part. `noun`: what comes in, "MESSAGE". `workflow`: whose runs it shows, whoever started them.

    `told` says in words what became of a run, from the name of its result and that result's JSON. `made` looks at the
    end what there is.
    """

    title: str
    noun: str
    workflow: str
    comings: tuple[Coming, ...]
    told: Callable[[str, bytes], str]
    made: Callable[[], Table]


def parts(folder: Path, now: dt.datetime) -> tuple[Part, ...]:
    """All parts, over one data folder. What comes by mail leads to runs of the others: mail is first.

    Raises `DataError` for a folder with something else in it: whose settings are real, and its journal.
    """
    from skerry_workflows.email import demo as email
    from skerry_workflows.invoice import demo as invoice
    from skerry_workflows.scheduling import demo as scheduling

    folder.mkdir(parents=True, exist_ok=True)
    ours = (*email.settings(), scheduling.SETTINGS)
    if any(folder.iterdir()) and not all(_same(folder / path.name, path) for path in ours):
        raise DataError(f"{folder} is not the demo's: something else is in it", hint="name a new folder")
    return (email.part(folder, now), invoice.part(folder), scheduling.part(folder, now))


def _same(path: Path, bundled: Path) -> bool:
    return path.is_file() and path.read_bytes() == bundled.read_bytes()


def a_monday(now: dt.datetime) -> dt.datetime:
    """Midnight (UTC) of the Monday of the week after next, so that all of that week lies ahead."""
    day = now.date() + dt.timedelta(days=14 - now.weekday())
    return dt.datetime.combine(day, dt.time(), dt.UTC)
