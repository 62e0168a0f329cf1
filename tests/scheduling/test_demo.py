"""What the demo shows of meetings: each ends where its story says, and nothing goes outside without a yes."""

from __future__ import annotations

from pathlib import Path

from skerry.testing import Lab
from skerry_workflows.scheduling import workflow
from skerry_workflows.scheduling.demo import part
from tests.support import demo


async def test_the_demo(tmp_path: Path) -> None:
    async with Lab(workflow, settings={"SKERRY_DATA": str(tmp_path)}) as lab:
        played = part(tmp_path, demo.now(lab))
        runs = list((await demo.play(lab, played)).values())
        said = [await demo.told(lab, played, run) for run in runs]
        assert said[0].startswith("booked: ") and "14:00-15:00" in said[0]
        assert said[1] == "review: Which meeting is wanted? how long?"
        assert said[2].startswith("review: Chloe Ruiz invites you to 'Season kick-off'") and "You are free" in said[2]
        assert len(list((tmp_path / "outbox").glob("*.eml"))) == 1
        ((when, what, who),) = played.made().rows
        assert (what, who) == ("Budget", "ben@fjordblick.example") and "14:00-15:00" in when

        await lab.approve(runs[1], duration_minutes=45, questions=[])
        assert "Send the invitations to 'Bus tours in autumn'" in (await lab.settled(runs[1])).note
        assert [row[1] for row in played.made().rows] == ["Budget", "held until somebody decides"]
        await lab.approve(runs[2])
        assert await demo.told(lab, played, runs[2]) == "answered: accepted"
