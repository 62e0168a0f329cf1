"""A clock that only goes when it is told to: three days of waiting take no time in a test."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random

_TURNS = 40
"""Turns of the event loop that are given to what has just been woken."""


class SimClock:
    """See `skerry.ports.Clock`. Begins at 2026-01-01; its random bytes come from a seed."""

    def __init__(self, *, start_us: int = 1_767_225_600_000_000, seed: int = 0) -> None:
        self._now_us = start_us
        self._random = random.Random(seed)
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = itertools.count()

    def now_us(self) -> int:
        """Microseconds since 1970, UTC, of simulated time."""
        return self._now_us

    def set_us(self, now_us: int) -> None:
        """Sets the clock, back too, as an operator might. Wakes nobody."""
        self._now_us = now_us

    def entropy(self, count: int) -> bytes:
        """The same bytes in the same order for the same seed."""
        return self._random.randbytes(count)

    async def sleep(self, seconds: float) -> None:
        """Returns when `advance` has passed that time."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now_us + int(seconds * 1e6), next(self._count), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Lets so much time pass: sleepers wake at their times, in order, and what they do happens then."""
        until_us = self._now_us + int(seconds * 1e6)
        await self._turn()
        while self._sleepers and self._sleepers[0][0] <= until_us:
            wake_us, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                self._now_us = max(self._now_us, wake_us)
                woken.set_result(None)
                await self._turn()
        self._now_us = max(self._now_us, until_us)
        await self._turn()

    async def _turn(self) -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
