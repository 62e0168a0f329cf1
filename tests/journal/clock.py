"""The clock that tests of the journal hand in."""

from __future__ import annotations

import asyncio
import os
import time


class WallClock:
    """The `Clock` port on the machine's own clock."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def entropy(self, count: int) -> bytes:
        return os.urandom(count)
