"""Running a node until it is told to stop: what `skerry up` and `skerry engine` share."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from skerry.cli import logs, words
from skerry.cli.app import App
from skerry.cli.out import Cell
from skerry.cli.stopping import Stopping
from skerry.errors import SkerryError

if TYPE_CHECKING:
    from skerry.node import Node


def serve(app: App, *, workers: bool, drain_s: float) -> None:
    """Runs the node of the settings. Raises whatever ends it before it is told to stop."""
    logs.configure(app.config.log_level)
    app.run(_serve(app, workers=workers, drain_s=drain_s))


async def _serve(app: App, *, workers: bool, drain_s: float) -> None:
    from skerry.node import open_node

    stopping = Stopping(lambda number: app.out.note(f"{number.name}: stopping; once more ends it at once"))
    broken: SkerryError | None = None
    async with AsyncExitStack() as stack:
        with app.out.progress("taking up runs") as advance:
            starting = open_node(app.config, workers=workers, drain_s=drain_s, progress=lambda done: advance(done))
            node = await stack.enter_async_context(starting)
        if not stopping.told.is_set():
            _say(app, node)
        broken = await _until(stopping.told, node)
    if broken is not None:
        raise broken
    app.out.note("stopped")


async def _until(told: asyncio.Event, node: Node) -> SkerryError | None:
    """Waits until we are told to stop (None), or the node cannot go on (why)."""
    waiting = asyncio.create_task(told.wait())
    breaking = asyncio.create_task(node.wait_broken())
    try:
        await asyncio.wait((waiting, breaking), return_when=asyncio.FIRST_COMPLETED)
        return breaking.result() if breaking.done() else None
    finally:
        for task in (waiting, breaking):
            task.cancel()
        await asyncio.gather(waiting, breaking, return_exceptions=True)


def _say(app: App, node: Node) -> None:
    """That it is up, and how to use it."""
    config, out = node.config, app.out
    name = node.engine.node
    data = str(config.data.absolute())
    pools = ", ".join(f"{size} {pool.processes} x {pool.slots}" for size, pool in config.workers.items())
    out.record({"up": True, "node": name, "data": data, "pid": os.getpid(), "recovered": node.recovered})
    out.line(Cell(f"skerry is up: node {name}", "bold green"))
    out.line(f"  data      {data}")
    out.line(f"  bus       {words.servers(config.nats.url) or 'our own nats-server'}")
    if node.pool is not None:
        out.line(f"  workers   {pools or 'none'} (processes x slots)")
    if config.http_port:
        out.line(f"  health    http://127.0.0.1:{config.http_port}/readyz, /metrics")
    events = sorted({workflow.on for workflow in node.engine.registry.workflows.values() if workflow.on})
    out.line(f"  takes in  {', '.join(events) or 'no events'}")
    if node.watching is not None:
        watches = node.watching.status()
        for watch in watches:
            out.line(f"  watching  {watch.name}: {watch.kind}, publishes {watch.event}")
        if not watches:
            out.line("  watching  nothing yet: [watch.NAME] in skerry.toml names folders, mailboxes, calendars")
    if node.recovered:
        out.line(f"  taken up  {words.plural(node.recovered, 'run')}")
    out.line("  Ctrl-C stops it. In another terminal: skerry status; skerry runs")
