"""Tasks of a size that the node's settings do not name wait where everybody can see them, and die as any other."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from skerry import Done, Retry, State, Step, StepFailed, Workflow, task
from skerry.core import events as ev
from skerry.core.ids import TaskId
from skerry.core.wire import Result, encode, headers, result_subject, task_queue, task_subject
from skerry.ports import Delivery, Message
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


@task(size="medium", retry=Retry(attempts=3))
def often() -> int:
    return 1


class Trying(State):
    async def run(self, step: Step) -> Done[int]:
        return Done(await step.call(often))


trying = Workflow("trying", version=1, start=Trying, result=int)
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


async def test_a_dead_letter_of_another_engine_is_left_to_it() -> None:
    async with Lab(needs, heavy, sizes=("rules",)) as lab:
        bus = lab.engine.bus
        assert bus is not None
        service = Service(lab.engine, lab.verbs, sweep_s=10)
        sweep = asyncio.create_task(service._sweep(bus))  # pyright: ignore[reportPrivateUsage]
        theirs, nobodys = TaskId("other-01ABC", "1", 1), TaskId(f"{lab.engine.node}-01ABC", "1", 1)
        await bus.ensure(task_queue("medium"))
        for task in (theirs, nobodys):
            await bus.publish(Message(task_subject("medium", task), b"{}", {}))
        await bus.consume(task_queue("medium"), _die, window=2)
        await lab.skip(timedelta(seconds=60))
        assert [letter.subject for letter in await bus.dead_letters(task_queue("medium"))] == [
            task_subject("medium", theirs)
        ]
        sweep.cancel()


@pytest.mark.parametrize("said", [1e12, 1e300, -5.0])
async def test_a_worker_cannot_put_off_a_task_for_longer_than_a_day(said: float) -> None:
    async with Lab(trying, sizes=("rules",)) as lab:
        run = await lab.start(trying, Trying())
        await lab.skip(timedelta(seconds=1))
        failure = ev.Failure(kind="RetryableError", message="later", retryable=True)
        result = Result(run=run, step="1-1", attempt=1, size="medium", worker="w", failure=failure, retry_after_s=said)
        named = headers(id=str(result.id), source="skerry/w", type="skerry.result")
        assert lab.engine.bus is not None
        await lab.engine.bus.publish(Message(result_subject(result.id), encode(result), named))
        await lab.skip(timedelta(seconds=1))
        (failed,) = [e for e in await lab.events(run) if isinstance(e, ev.AttemptFailed)]
        assert failed.retry_us - lab.clock.now_us() <= 86_400_000_000
