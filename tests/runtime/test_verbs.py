"""What an engine answers fits a message, however long a run's history and values are."""

from __future__ import annotations

import hashlib

import msgspec

from skerry import Done, State, Step, Workflow, task
from skerry.core import api
from skerry.testing import Lab


@task
async def large(size: int) -> str:
    return "x" * size


class Talk(State):
    times: int
    size: int

    async def run(self, step: Step) -> Done[str]:
        text = ""
        for _ in range(self.times):
            text = await step.call(large, self.size)
        return Done(text)


talk = Workflow("talk", version=1, start=Talk, result=str)


async def test_a_long_history_comes_in_pages_that_fit_a_message() -> None:
    async with Lab(talk) as lab:
        run = await lab.start(talk, Talk(times=400, size=3000))
        await lab.settled(run)
        seen, pages = 0, 0
        while page := (await lab.verbs.show(api.Show(run=run, after_n=seen))).events:
            assert len(msgspec.json.encode(page)) < 512 * 1024
            assert [event.n for event in page] == list(range(seen + 1, seen + len(page) + 1))
            seen, pages = page[-1].n, pages + 1
        assert seen == len(await lab.events(run))
        assert pages > 2


async def test_a_long_value_is_named_by_its_blob() -> None:
    async with Lab(talk) as lab:
        run = await lab.start(talk, Talk(times=1, size=1_500_000))
        await lab.settled(run)
        shown = await lab.verbs.show(api.Show(run=run))
        last = msgspec.json.decode(shown.events[-1].event)
        assert last["blob"] == hashlib.sha256(b'"' + b"x" * 1_500_000 + b'"').hexdigest()
        assert "value" not in last
        assert await lab.result(run) == "x" * 1_500_000
