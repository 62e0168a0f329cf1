"""The pages of an engine."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from skerry.core.wire import Reply, command_subject
from skerry.errors import SkerryError
from skerry.health.http import Health, Page
from skerry.health.metrics import CONTENT_TYPE, Metrics
from skerry.health.tally import KINDS, Tally
from skerry.ports import Message

if TYPE_CHECKING:
    from skerry.journal import SqliteJournal
    from skerry.runtime.engine import Engine

_COUNT_S = 2.0
"""How long somebody who asks for numbers waits for new events to be counted."""
_BUS_S = 5.0


class NodeHealth:
    """Answers for an engine, from before it recovers (`recovered` is set then) until it is closed."""

    def __init__(self, engine: Engine, journal: SqliteJournal, data: Path) -> None:
        self.recovered = False
        self._engine = engine
        self._journal = journal
        self._metrics = Metrics(KINDS, node=engine.node)
        self._tally = Tally(data, journal.head.seq, self._metrics)
        self._counting = asyncio.Lock()
        self._server = Health(
            {"/livez": self._live, "/readyz": self._ready, "/startupz": self._startup, "/metrics": self._numbers}
        )

    async def start(self, port: int) -> None:
        """Begins. Raises `Unavailable` when that port cannot be had."""
        await self._server.start(port)

    async def close(self) -> None:
        """Takes nothing more."""
        await self._server.close()

    @property
    def state(self) -> str:
        """In one word; empty when it is at work."""
        engine = self._engine
        if engine.broken is not None and engine.broken.done():
            return "broken"
        return "draining" if engine.draining else "" if self.recovered else "starting"

    async def _live(self) -> Page:
        return Page(200, f"{self.state or 'ready'}\n")

    async def _startup(self) -> Page:
        return Page(503, "starting\n") if self.state == "starting" else Page(200, f"{self.state or 'ready'}\n")

    async def _ready(self) -> Page:
        """Ready is who answers a command that has come over the bus, now."""
        if self.state:
            return Page(503, f"{self.state}\n")
        bus = self._engine.bus
        assert bus is not None, "only an engine on a bus has pages"
        began = time.perf_counter()
        try:
            said = await bus.request(Message(command_subject(self._engine.node, "status"), b"{}"), timeout_s=_BUS_S)
        except SkerryError as error:
            return Page(503, f"the bus: {error.message}\n")
        reply = msgspec.json.decode(said, type=Reply)
        if not reply.ok:
            return Page(503, f"{reply.message}\n")
        took_ms = (time.perf_counter() - began) * 1e3
        return Page(200, f"ready\nbus: answered in {took_ms:.1f} ms\njournal: {self._journal.head.seq} events\n")

    async def _numbers(self) -> Page:
        async with self._counting:
            await asyncio.to_thread(self._tally.catch_up, _COUNT_S)
            self._gauge()
            return Page(200, self._metrics.text(), CONTENT_TYPE)

    def _gauge(self) -> None:
        """The numbers that are looked at, not counted."""
        metrics, engine = self._metrics, self._engine
        for size, (on_bus, waiting) in engine.outbox.load().items():
            metrics.set("skerry_queue_tasks", on_bus, size=size, queue="bus")
            metrics.set("skerry_queue_tasks", waiting, size=size, queue="journal")
        commits, seconds = self._journal.commits()
        metrics.set("skerry_runs_in_memory", len(engine.runs))
        metrics.set("skerry_journal_events_total", self._journal.head.seq)
        metrics.set("skerry_journal_commits_total", commits)
        metrics.set("skerry_journal_commit_seconds_total", seconds)
