"""A run with several tasks, one after the other, each of which says which worker did it for whom."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta

import msgspec

from skerry import Done, Retry, State, Step, Workflow, task


@task(name="carry", size="rules", retry=Retry(attempts=5, first_s=0.1, jitter=0.0), timeout=timedelta(seconds=20))
async def carry(baton: str, leg: int) -> str:
    """Takes a moment, so that there is a worker to kill."""
    await asyncio.sleep(0.05)
    return f"{baton}.{leg} by {os.getpid()}"


class Carried(msgspec.Struct, frozen=True):
    """Where the baton has been."""

    legs: tuple[str, ...]


class Relay(State):
    """A baton goes from worker to worker."""

    baton: str
    legs: int = 3

    async def run(self, step: Step) -> Done[Carried]:
        """Leg by leg."""
        return Done(Carried(legs=tuple([await step.call(carry, self.baton, leg) for leg in range(self.legs)])))


relay = Workflow("relay", version=1, start=Relay, on="relay.began", result=Carried)
