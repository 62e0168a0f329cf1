"""What the demo shows: each thing that comes in ends where its story says, and nothing goes outside without a yes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from skerry.core import api
from skerry.testing import Lab
from skerry_workflows.scheduling import workflow
from skerry_workflows.scheduling.demo import prepare
from skerry_workflows.scheduling.model import Booked


async def test_the_demo(tmp_path: Path) -> None:
    async with Lab(workflow, settings={"SKERRY_DATA": str(tmp_path)}) as lab:
        now = dt.datetime.fromtimestamp(lab.clock.now_us() / 1e6, dt.UTC)
        ended: dict[str, str] = {}
        starts: list[dt.datetime] = []
        for coming in prepare(tmp_path, now):
            file = await lab.put(coming.file, "mail.eml") if coming.file else None
            (run,) = (await lab.verbs.publish(api.Publish(type=coming.event, data=coming.data, file=file))).runs
            row = await lab.settled(run)
            result = await lab.result(run) if row.status == "done" else None
            ended[coming.name] = type(result).__name__ if result else f"{row.state}: {row.note}"
            if isinstance(result, Booked):
                starts.append(result.start)
    assert ended["a clear wish"] == ended["the same time again"] == "Booked", ended
    assert "how long?" in ended["how long?"].lower() and ended["an invitation"].startswith(
        "Consider: Chloe Ruiz invites you"
    )
    assert starts[1] - starts[0] == dt.timedelta(hours=1), (
        "the time was taken, so the next one; Ada wants ten minutes between"
    )
    assert len(list((tmp_path / "outbox").glob("*.eml"))) == 2
