"""`skerry worker`."""

from __future__ import annotations

import importlib
import os
from typing import Any

import click

from skerry.cli.app import WITH_MODULES, App, node_command
from skerry.core.wire import SIZES


@node_command(
    "worker",
    options=WITH_MODULES,
    examples="""
    skerry worker --size rules
    skerry worker --size rules --slots 8 --nats nats://bus.example:4222
    """,
)
@click.option("--size", required=True, type=click.Choice(SIZES), help="Which tasks it takes.")
@click.option("--slots", type=click.IntRange(min=1), help="Tasks at a time (as in the settings).")
@click.option("--name", default="", help="What it is called; from host and process id unless given.")
@click.option("--drain", "drain_s", default=20.0, show_default=True, help="Seconds that tasks get at the end.")
def command(app: App, size: str, slots: int | None, name: str, drain_s: float) -> int:
    """Run one worker process: it takes tasks of one size from the bus, and returns results.

    It waits for the bus, and for it to come back. SIGTERM, Ctrl-C or the end of its terminal
    stops it in order; a second SIGTERM or Ctrl-C at once.
    """
    config = app.config
    # Tasks read the settings from the environment, here as under `skerry up`.
    os.environ.update(config.environment())
    # `skerry` never imports the workers by name: they are another package.
    workers: Any = importlib.import_module("skerry_workers.process")
    pool = next((pool for of_size, pool in config.workers.items() if of_size == size), None)
    options = workers.WorkerOptions(
        size=size,
        modules=config.modules,
        data=None if config.nats.url else config.data,
        nats=config.nats.target() or "",
        name=name,
        slots=slots or (pool.slots if pool is not None else workers.SLOTS),
        drain_s=drain_s,
        log_level=config.log_level,
        log_json=app.out.json,
    )
    code: int = workers.run_worker(options)
    return code
