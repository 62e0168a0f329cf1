"""The telemetry of a node: the follower of its journal, and whoever hands over what it tells."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from skerry.telemetry.follower import Follower, Probe
from skerry.telemetry.meter import Reading
from skerry.telemetry.sender import Collector, Sender
from skerry.telemetry.settings import Telemetry, folder_of, resource
from skerry.telemetry.spool import Spool
from skerry.version import __version__

log = logging.getLogger("skerry.telemetry")

OWNER = "engine"
_MB = 1024 * 1024


class Load(Protocol):
    """The outbox: (on the bus, waiting) by size."""

    def load(self) -> dict[str, tuple[int, int]]:
        """How long the queues are."""
        ...


class Writes(Protocol):
    """The journal: how many commits there were in this process, and how many seconds they took."""

    def commits(self) -> tuple[int, float]:
        """Both."""
        ...


class NodeTelemetry:
    """Begun with the node, and stopped at its end."""

    def __init__(self, settings: Telemetry, data: Path, node: str, probe: Probe) -> None:
        """Raises `SkerryError` when the settings or the journal are of no use, `OSError` when the folder is not."""
        self._sender: Sender | None = None
        spool = Spool(folder_of(data), OWNER, settings.spool_mb * _MB)
        if settings.endpoint:
            self._sender = Sender(spool, Collector(settings.endpoint, settings.header_lines()))
        named = resource(
            os.environ,
            service__name="skerry",
            service__version=__version__,
            service__instance__id=node,
            host__name=socket.gethostname(),
        )
        told = self._sender.wake if self._sender is not None else lambda: None
        self._follower = Follower(data, spool, settings, named, probe=probe, told=told)
        self._follower.start()
        if self._sender is not None:
            self._sender.start()
        log.info("telemetry goes to %s", settings.endpoint or spool.folder)

    async def stop(self, within_s: float = 3.0) -> None:
        """Tells what it can in so many seconds; the rest waits on disk, and in the journal."""
        await asyncio.to_thread(self._stop, within_s)

    def _stop(self, within_s: float) -> None:
        until = time.monotonic() + within_s
        self._follower.stop(within_s * 0.6)
        if self._sender is not None:
            self._sender.stop(max(0.0, until - time.monotonic()))


def probe(outbox: Load, journal: Writes, live: Mapping[str, object]) -> Probe:
    """How things stand in an engine, read from outside its thread."""
    since_us = time.time_ns() // 1000

    def read() -> Sequence[Reading]:
        commits, spent_s = journal.commits()
        what = "Commits of the journal in this process."
        found = [
            Reading("skerry.journal.commits", "{commit}", what, commits, since_us=since_us),
            Reading("skerry.journal.commit.time", "s", "Time that they took.", spent_s, since_us=since_us),
            Reading("skerry.runs.in_memory", "{run}", "Runs that are in memory.", len(live)),
        ]
        for size, (on_bus, waiting) in outbox.load().items():
            for where, count in (("bus", on_bus), ("journal", waiting)):
                labels = {"skerry.size": size, "skerry.queue": where}
                found.append(
                    Reading("skerry.queue.length", "{task}", "Tasks that wait or are worked on.", count, labels)
                )
        return found

    return read
