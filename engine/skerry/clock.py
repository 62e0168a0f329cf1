"""The machine's clock. Time runs on the monotonic clock while we are up: setting the wall clock back hurts nobody."""

from __future__ import annotations

import asyncio
import logging
import os
import time

log = logging.getLogger("skerry.clock")

_STEP_US_MAX = 2_000_000
"""A wall clock that is further ahead than this was set, or the machine was asleep: we follow it."""
_LOOK_US = 100_000
"""How often the wall clock is looked at."""


class SystemClock:
    """See `skerry.ports.Clock`."""

    def __init__(self) -> None:
        self._offset_us = time.time_ns() // 1000 - time.monotonic_ns() // 1000
        self._look_us = 0

    def now_us(self) -> int:
        """Microseconds since 1970, UTC. Never goes back; follows the wall clock forward."""
        monotonic = time.monotonic_ns() // 1000
        if monotonic >= self._look_us:
            self._look_us = monotonic + _LOOK_US
            self._follow(monotonic)
        return monotonic + self._offset_us

    def _follow(self, monotonic: int) -> None:
        ahead = time.time_ns() // 1000 - (monotonic + self._offset_us)
        if ahead > _STEP_US_MAX:
            log.warning("the clock went forward by %.1f s", ahead / 1e6)
            self._offset_us += ahead

    async def sleep(self, seconds: float) -> None:
        """Returns after so many seconds."""
        await asyncio.sleep(seconds)

    def entropy(self, count: int) -> bytes:
        """Random bytes from the operating system."""
        return os.urandom(count)
