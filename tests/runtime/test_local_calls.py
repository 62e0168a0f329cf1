"""Local calls in threads: a timeout ends an attempt, but a thread cannot be ended."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

from skerry import Done, Retry, State, Step, StepFailed, Workflow, task
from skerry.testing import Lab

running, most, calls = 0, 0, 0
lock = threading.Lock()


@task(timeout=timedelta(seconds=0.05), retry=Retry(attempts=4, first_s=0.0))
def slow() -> int:
    global running, most, calls
    with lock:
        calls, running = calls + 1, running + 1
        most = max(most, running)
    threading.Event().wait(0.12)  # as a thread that nobody can stop
    with lock:
        running -= 1
    return 1


class Slow(State):
    async def run(self, step: Step) -> Done[int]:
        try:
            return Done(await step.call(slow))
        except StepFailed as error:
            return Done(-error.attempts)


flow = Workflow("slow", version=1, start=Slow, result=int)


async def test_an_attempt_waits_for_the_thread_of_the_one_before() -> None:
    async with Lab(flow) as lab:
        run = await lab.start(flow, Slow())
        for _ in range(5):
            await asyncio.sleep(0.07)
            await lab.skip(timedelta(seconds=1))
        assert await lab.result(run) == -4
        assert (most, calls < 4) == (1, True)
