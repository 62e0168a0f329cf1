"""The workflows that are measured: ten steps that do next to nothing, so that what is left is the engine."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from skerry import Done, Retry, RetryableError, State, Step, Workflow, task, task_context

STEPS = 10
"""Steps to a run."""
BEGUN: list[float] = []
"""When each local step began, in seconds, while `MARK` is set."""
MARK = asyncio.Event()
"""Set: local steps note when they begin."""
RETRY_S = 6.0
"""Between the two attempts of `stumble`."""


@task
async def add(a: int, b: int) -> int:
    """A local step."""
    if MARK.is_set():
        BEGUN.append(time.perf_counter())
    return a + b


@task(size="rules")
async def add_there(a: int, b: int) -> int:
    """The same on a worker."""
    return a + b


class Local(State):
    """Ten local steps, each needing the one before."""

    x: int

    async def run(self, step: Step) -> Done[int]:
        """Adds."""
        sum = self.x
        for number in range(STEPS):
            sum = await step.call(add, sum, number)
        return Done(sum)


class Remote(State):
    """Ten steps on a worker, each needing the one before."""

    x: int

    async def run(self, step: Step) -> Done[int]:
        """Adds."""
        sum = self.x
        for number in range(STEPS):
            sum = await step.call(add_there, sum, number)
        return Done(sum)


local = Workflow("bench-local", version=1, start=Local, result=int)
remote = Workflow("bench-remote", version=1, start=Remote, result=int)


# ---- unfinished in many ways


@task
async def hang() -> int:
    """A local call that is under way for ever."""
    await asyncio.sleep(1e6)
    return 0


@task(retry=Retry(attempts=100, first_s=RETRY_S, factor=1.0, jitter=0.0))
async def stumble() -> int:
    """The first attempt fails, the next is under way for ever."""
    if task_context().attempt == 1:
        raise RetryableError("the first attempt fails")
    await asyncio.sleep(1e6)
    return 0


class Unfinished(State):
    """Some steps, then one that does not end: on a worker, in the engine, or between two attempts."""

    x: int
    kind: str

    async def run(self, step: Step) -> Done[int]:
        """Stays unfinished."""
        sum = self.x
        for number in range(4):
            sum = await step.call(add, sum, number)
        if self.kind == "remote":
            return Done(await step.call(add_there, sum, 1))
        if self.kind == "retry":
            return Done(await step.call(stumble))
        return Done(await step.call(hang))


class Sleeper(State):
    """Sleeps until a moment."""

    until_s: float

    async def run(self, step: Step) -> Done[int]:
        """Sleeps."""
        await step.until(datetime.fromtimestamp(self.until_s, UTC))
        return Done(1)


unfinished = Workflow("bench-unfinished", version=1, start=Unfinished, result=int)
sleeper = Workflow("bench-sleeper", version=1, start=Sleeper, result=int)
