"""The parts of the demo on a node in memory."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from skerry.core import api
from skerry.core.events import RunCompleted
from skerry.testing import Lab
from skerry_workflows.demo import Part


def now(lab: Lab) -> dt.datetime:
    """The lab's time."""
    return dt.datetime.fromtimestamp(lab.clock.now_us() / 1e6, dt.UTC)


async def play(lab: Lab, part: Part) -> dict[str, str]:
    """Lets all of a part come; the run that each has led to, by its name."""
    runs: dict[str, str] = {}
    for coming in part.comings:
        file = await lab.put(coming.file.read_bytes(), coming.file.name) if coming.file else None
        started = await lab.verbs.publish(api.Publish(type=coming.event, data=coming.data, file=file))
        (runs[coming.name],) = started.runs
        await lab.settled(runs[coming.name])
    return runs


async def told(lab: Lab, part: Part, run: str) -> str:
    """What a person reads of a run: what became of it, or what it asks."""
    row = await lab.settled(run)
    for event in reversed(await lab.events(run)):
        if isinstance(event, RunCompleted):
            return part.told(event.result, bytes(event.value))
    return f"{row.status}: {row.note}"


def file_names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []
