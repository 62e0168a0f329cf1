"""A node as a process that may be killed: `python -m tests.faults.program DATA '{"options": ...}'`.

It is `open_node` and nothing else, so that what dies here is what dies at a user's. It prints JSON lines: `up` with the
process ids of nats-server and the workers, `broken` or `error` with the reason. SIGTERM drains it. Waits that would
make a test long (a lease, a sweep) are shorter here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from skerry.core import wire
from skerry.core.structs import Frozen

LEASE_ENV, DELIVERIES_ENV = "SKERRY_FAULTS_LEASE_S", "SKERRY_FAULTS_DELIVERIES"
_task_queue = wire.task_queue

EXIT_ERROR, EXIT_BROKEN = 3, 4


def task_queue(size: str) -> wire.Queue:
    """The queue of a size, with the lease and the deliveries that the test asks for."""
    queue = _task_queue(size)
    return msgspec.structs.replace(
        queue,
        lease_s=float(os.environ.get(LEASE_ENV, queue.lease_s)),
        deliveries_max=int(os.environ.get(DELIVERIES_ENV, queue.deliveries_max)),
    )


wire.task_queue = task_queue  # before the engine's modules take the name over


class Options(Frozen, omit_defaults=True):
    """What the program is told."""

    modules: tuple[str, ...] = ("skerry_workflows.invoice.workflow",)
    workers: dict[wire.Size, tuple[int, int]] = {}
    """Processes and slots by size."""
    models: dict[str, dict[str, Any]] = {}
    """As in skerry.toml."""
    sizes: tuple[wire.Size, ...] = ("rules",)
    """Sizes that the engine knows of, also without workers of its own."""
    limits: dict[str, int | float] = {}
    lease_s: float = 2.0
    deliveries_max: int = 10
    drain_s: float = 10.0
    clock_s: float = 0.0
    """How far the wall clock is off."""
    file_bytes_max: int = 0
    """RLIMIT_FSIZE, when it is set."""


def say(event: str, **what: Any) -> None:
    """One JSON line."""
    sys.stdout.write(json.dumps({"event": event, "at": time.time(), **what}) + "\n")
    sys.stdout.flush()


def _path(given: dict[str, Any]) -> Path | None:
    return Path(given["path"]) if "path" in given else None


async def serve(data: Path, options: Options) -> int:
    """Runs the node until SIGTERM; returns the exit code."""
    from skerry import clock, node
    from skerry.config import Config, Model, Workers
    from skerry.errors import SkerryError
    from skerry.runtime import service
    from skerry.runtime.limits import EngineLimits

    (service.Service.__init__.__kwdefaults__ or {})["sweep_s"] = 1.0
    if options.clock_s:

        class ShiftedClock(clock.SystemClock):
            def now_us(self) -> int:
                return super().now_us() + int(options.clock_s * 1e6)

        setattr(node, "SystemClock", ShiftedClock)  # noqa: B010 - for type checkers, a module's class is what it is
    pools: dict[wire.Size, Workers] = {size: Workers(processes=0) for size in options.sizes}
    pools.update({size: Workers(processes=p, slots=s) for size, (p, s) in options.workers.items()})
    config = Config(
        data=data,
        node="n1",
        modules=("tests.faults.program", *options.modules),  # a worker process takes the lease over by loading this
        workers=pools,
        models={name: Model(**{**given, "path": _path(given)}) for name, given in options.models.items()},
        limits=msgspec.convert({"resend_after_s": 3.0, **options.limits}, EngineLimits),
    )
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    try:
        async with node.open_node(config, workers=bool(options.workers), drain_s=options.drain_s) as running:
            pool = running.pool
            say(
                "up",
                pid=os.getpid(),
                nats=running.server.pid if running.server else 0,
                workers=pool.pids if pool else {},
                recovered=running.recovered,
            )
            broken = asyncio.ensure_future(running.wait_broken())
            leaving = asyncio.ensure_future(told.wait())
            await asyncio.wait((broken, leaving), return_when=asyncio.FIRST_COMPLETED)
            leaving.cancel()
            if broken.done():
                error = broken.result()
                say("broken", kind=type(error).__name__, message=error.message, hint=error.hint)
                return EXIT_BROKEN
            broken.cancel()
            say("leaving")
    except SkerryError as error:
        say("error", kind=type(error).__name__, message=error.message, hint=error.hint)
        return EXIT_ERROR
    say("left")
    return 0


def main(arguments: list[str]) -> int:
    """Returns the exit code."""
    logging.basicConfig(level="INFO", format="%(asctime)s %(name)s %(levelname)s %(message)s")
    options = msgspec.json.decode(arguments[1].encode(), type=Options)
    os.environ.update({LEASE_ENV: str(options.lease_s), DELIVERIES_ENV: str(options.deliveries_max)})
    if options.file_bytes_max:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (options.file_bytes_max, options.file_bytes_max))
    return asyncio.run(serve(Path(arguments[0]), options))


if __name__ == "__main__":
    # As a module of this name: workers import it as that.
    from tests.faults.program import main as run

    sys.exit(run(sys.argv[1:]))
