"""The machine's clock. Time runs on the monotonic clock while we are up: setting the wall clock back hurts nobody."""

from __future__ import annotations

import asyncio
import logging
import os
import time

log = logging.getLogger("skerry.clock")

_STEP_US_MAX = 2_000_000
"""A wall clock that is further ahead than this was set, or the machine was asleep: we follow it."""


class SystemClock:
    """See `skerry.ports.Clock`."""

    def __init__(self) -> None:
        self._offset_us = time.time_ns() // 1000 - time.monotonic_ns() // 1000

    def now_us(self) -> int:
        """Microseconds since 1970, UTC. Never goes back; follows the wall clock forward."""
        monotonic = time.monotonic_ns() // 1000
        now, wall = monotonic + self._offset_us, time.time_ns() // 1000
        if wall - now > _STEP_US_MAX:
            log.warning("the clock went forward by %.1f s", (wall - now) / 1e6)
            self._offset_us = wall - monotonic
            return wall
        return now

    async def sleep(self, seconds: float) -> None:
        """Returns after so many seconds."""
        await asyncio.sleep(seconds)

    def entropy(self, count: int) -> bytes:
        """Random bytes from the operating system."""
        return os.urandom(count)
