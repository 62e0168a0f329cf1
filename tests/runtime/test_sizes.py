"""Tasks of a size that the node's settings do not name wait where everybody can see them, and die as any other."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from skerry import Done, Retry, State, Step, StepFailed, Workflow, task
from skerry.core.wire import task_queue
from skerry.ports import Delivery
from skerry.runtime.service import Service
from skerry.testing import Lab


@task(size="medium", retry=Retry(attempts=1))
def heavy(n: int) -> int:
    return n


class Needs(State):
    async def run(self, step: Step) -> Done[str]:
        try:
            number = await step.call(heavy, 1)
            return Done(str(number))
        except StepFailed as error:
            return Done(str(error))


needs = Workflow("needs", version=1, start=Needs, result=str)


async def _die(delivery: Delivery) -> None:
    await delivery.reject("it kills me")


@pytest.mark.parametrize("named", [False, True])
async def test_a_size_that_nobody_serves_is_told_of_and_its_dead_letters_are_read(named: bool) -> None:
    async with Lab(needs, *([heavy] if named else []), sizes=("rules",)) as lab:
        bus = lab.engine.bus
        assert bus is not None
        service = Service(lab.engine, lab.verbs, sweep_s=10)
        sweep = asyncio.create_task(service._sweep(bus))  # pyright: ignore[reportPrivateUsage]
        run = await lab.start(needs, Needs())
        await lab.skip(timedelta(seconds=60))
        status = await lab.verbs.status()
        assert [(load.size, load.on_bus) for load in status.sizes] == [("rules", 0), ("medium", 1)]
        assert status.notes == ("tasks of size medium wait (1), and this node has no workers of that size",)
        await bus.consume(task_queue("medium"), _die, window=1)
        await lab.skip(timedelta(seconds=60))
        assert "it kills me" in await lab.result(run)
        assert (await lab.verbs.status()).notes == ()
        sweep.cancel()
