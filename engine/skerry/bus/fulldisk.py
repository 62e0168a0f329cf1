"""A full disk: nats-server neither answers nor recovers, so somebody has to start it again when there is room.

Measured with 2.15.1: after "no space left on device" a stream answers no publish at all (callers time out), and still
none when there is room again. After a restart everything that was acknowledged is there, and it works.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

logger = logging.getLogger("skerry.bus.server")

ROOM_BYTES = 64 * 1024**2
"""With so much free, or a quarter of the disk where that is less, the server is worth a start."""
_LOOK_FIRST_S = 2.0
_LOOK_MAX_S = 30.0


class FullDisk:
    """Watches the server's errors; asks for a restart when the disk was full and no longer is."""

    def __init__(self, folder: Path, restart: Callable[[], None]) -> None:
        self.problem = ""
        """What is wrong, in words for people; empty when nothing is."""
        self._folder = folder
        self._restart = restart
        self._look_s = _LOOK_FIRST_S
        self._looking: asyncio.Task[None] | None = None

    def error(self, line: str) -> None:
        """A line of the server's log."""
        if "no space left on device" in line and self._looking is None:
            self.problem = f"the disk of {self._folder} is full: the bus takes nothing until there is room"
            logger.error("%s", self.problem)
            self._looking = asyncio.create_task(self._look(), name="nats-server full disk")

    def stop(self) -> None:
        """The server is gone, or being replaced."""
        self.problem = ""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def _look(self) -> None:
        while True:
            # Later each time: where a quota is what is full, the disk always seems to have room.
            await asyncio.sleep(self._look_s)
            self._look_s = min(self._look_s * 2, _LOOK_MAX_S)
            usage = shutil.disk_usage(self._folder)
            if usage.free >= min(ROOM_BYTES, usage.total // 4):
                logger.warning("there is room again: nats-server is restarted")
                self._restart()
                return
