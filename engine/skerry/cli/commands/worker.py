"""`skerry worker`."""

from __future__ import annotations

import importlib
import os
from typing import Any

import click
import msgspec

from skerry.cli.app import WITH_MODULES, App, node_command
from skerry.core.wire import SIZES
from skerry.settings import Workers


@node_command(
    "worker",
    options=WITH_MODULES,
    examples="""
    skerry worker --size rules
    skerry worker --size rules --slots 8 --nats nats://bus.example:4222
    skerry worker --size small --http-port 9600
    """,
)
@click.option("--size", required=True, type=click.Choice(SIZES), help="Which tasks it takes.")
@click.option("--slots", type=click.IntRange(min=1), help="Tasks at a time (as in the settings).")
@click.option("--name", default="", help="What it is called; from host and process id unless given.")
@click.option("--drain", "drain_s", default=20.0, show_default=True, help="Seconds that tasks get at the end.")
@click.option(
    "--http-port",
    type=click.IntRange(0, 65535),
    help="Where it answers /livez, /readyz, /startupz, /metrics; 0: nowhere.",
)
def command(app: App, size: str, slots: int | None, name: str, drain_s: float, http_port: int | None) -> int:
    """Run one worker process: it takes tasks of one size from the bus, and returns results.

    A worker of a size other than rules answers with the models that the settings name for it.

    It waits for the bus, and for it to come back. SIGTERM, Ctrl-C or the end of its terminal
    stops it in order; a second SIGTERM or Ctrl-C at once.
    """
    config = app.config
    # Tasks read the settings from the environment, here as under `skerry up`.
    os.environ.update(config.environment())
    # `skerry` never imports the workers by name: they are another package.
    workers: Any = importlib.import_module("skerry_workers.process")
    pool = next((pool for of_size, pool in config.workers.items() if of_size == size), None)
    limits = pool or Workers(slots=workers.SLOTS)
    if http_port is not None:
        limits = msgspec.structs.replace(limits, http_port=http_port)
    options = workers.WorkerOptions(
        size=size,
        modules=config.modules,
        data=None if config.nats.url else config.data,
        nats=config.nats.target() or "",
        name=name,
        slots=slots or limits.slots,
        drain_s=drain_s,
        log_level=config.log_level,
        log_json=app.out.json,
        models=config.models,
        limits=limits,
    )
    code: int = workers.run_worker(options)
    return code
