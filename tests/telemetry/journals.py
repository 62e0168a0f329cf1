"""Journals with runs in them, made without a bus."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from skerry.clock import SystemClock
from skerry.core import api
from skerry.journal import SqliteJournal
from skerry.registry import load
from skerry.runtime.engine import Engine
from skerry.runtime.verbs import Verbs
from skerry.telemetry.follower import Follower
from skerry.telemetry.settings import Telemetry, folder_of
from skerry.telemetry.spool import Spool, batches
from tests.support import wait_until
from tests.telemetry import flows
from tests.telemetry.collector import Told, spans_of

MB = 1024 * 1024


class Here:
    """An engine on a journal."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.verbs = Verbs(engine)

    async def run(self, workflow: str, status: str = "done", **data: object) -> str:
        """Starts a run, and waits until it stands so."""
        run = (await self.verbs.start(api.Start(workflow=workflow, data=data))).runs[0]
        await self.stands(run, status)
        return run

    async def stands(self, run: str, status: str) -> None:
        """Waits for that."""

        async def over() -> bool:
            row = await self.engine.journal.row(run)
            return row is not None and row.status == status

        await wait_until(over)


@asynccontextmanager
async def engine_in(data: Path) -> AsyncGenerator[Here]:
    """An engine without a bus."""
    journal = await SqliteJournal.open(data, node="edge1", clock=SystemClock())
    engine = Engine(journal, None, SystemClock(), load([flows]), sizes=())
    try:
        await engine.recover()
        yield Here(engine)
    finally:
        await engine.drain(1.0)
        await journal.close()


def follow(data: Path, *, spool_bytes: int = 64 * MB, content: bool = False) -> Follower:
    """Tells of all that is new in a journal, into the folder, and ends."""
    spool = Spool(folder_of(data), "engine", spool_bytes)
    settings = Telemetry(keep=True, content=content, metrics_s=3600.0)
    follower = Follower(data, spool, settings, {"service.name": "skerry"})
    follower.start()
    follower.stop(30.0)
    return follower


def waiting(data: Path) -> list[Told]:
    """The spans that wait to be handed over, oldest first."""
    import gzip

    found: list[Told] = []
    for batch in batches(folder_of(data)):
        if batch.signal == "traces":
            spans = spans_of(gzip.decompress(batch.path.read_bytes()))
            assert len(spans) == batch.items
            found += spans
    return found
