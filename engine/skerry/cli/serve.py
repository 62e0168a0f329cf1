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
from skerry.errors import DataError, SkerryError

if TYPE_CHECKING:
    from skerry.config import Config
    from skerry.node import Node


def serve(app: App, *, workers: bool, drain_s: float) -> None:
    """Runs the node of the settings. Raises whatever ends it before it is told to stop."""
    logs.configure(app.config.log_level)
    if workers and not app.config.engine:
        app.run(_serve_workers(app, drain_s))
        return
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


async def _serve_workers(app: App, drain_s: float) -> None:
    """Where a deployment has no engine."""
    from skerry.pool import WorkerPool

    config, out = app.config, app.out
    if not config.nats.url:
        raise DataError(f"node {config.node} has no engine, and no NATS server to find one", hint="name it: [nats] url")
    stopping = Stopping(lambda number: out.note(f"{number.name}: stopping; once more ends it at once"))
    pool = WorkerPool(config, drain_s=drain_s)
    await pool.start()
    broken = asyncio.create_task(pool.gave_up())
    try:
        out.record({"up": True, "node": config.node, "data": None, "pid": os.getpid(), "recovered": 0})
        out.line(Cell(f"skerry is up: workers of node {config.node}", "bold green"))
        out.line(f"  bus       {words.servers(config.nats.url)}")
        out.line(f"  workers   {_pools(config)} (processes x slots)")
        told = asyncio.create_task(stopping.told.wait())
        await asyncio.wait((told, broken), return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
    finally:
        await pool.stop()
    if broken.done():
        raise broken.result()
    broken.cancel()
    out.note("stopped")


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


def _pools(config: Config) -> str:
    pools = [f"{size} {pool.processes} x {pool.slots}" for size, pool in config.workers.items() if pool.processes]
    return ", ".join(pools) or "none"


def _say(app: App, node: Node) -> None:
    """That it is up, and how to use it."""
    config, out = node.config, app.out
    name = node.engine.node
    data = str(config.data.absolute())
    out.record({"up": True, "node": name, "data": data, "pid": os.getpid(), "recovered": node.recovered})
    out.line(Cell(f"skerry is up: node {name}", "bold green"))
    out.line(f"  data      {data}")
    out.line(f"  bus       {words.servers(config.nats.url) or 'our own nats-server'}")
    if node.pool is not None:
        out.line(f"  workers   {_pools(config)} (processes x slots)")
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
