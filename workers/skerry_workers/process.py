"""A worker as a process of its own: connect, load, serve, leave when told to."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from skerry.bus import NatsBus, RemoteServer
from skerry.core.structs import Frozen
from skerry.core.wire import SIZES, Size
from skerry.errors import DataError, SkerryError, Unavailable
from skerry.leaving import leave_on, let_go_of_terminal
from skerry.registry import load
from skerry.settings import Model, Workers
from skerry.telemetry.settings import from_environment
from skerry_workers import logs
from skerry_workers.service import Worker, default_name

if TYPE_CHECKING:
    from skerry_workers.tracing import Tracing

SLOTS, DRAIN_S = 16, 20.0
_CONNECT_FIRST_S, _CONNECT_S = 1.0, 10.0
"""How long to try before saying why there is no connection: at first, and on this machine; and from then on."""
_SAY_AGAIN_S = 60.0
_BREATH_S = 0.2

_log = logging.getLogger("skerry.worker")


class WorkerOptions(Frozen):
    """What `skerry worker` was told.

    One of `data` (the data folder of an engine on this machine, whose bus is used) and `nats` (URLs of NATS servers, or
    these with their credentials).
    `modules` have the tasks and prompts. `slots` is how many tasks it works on at a time, `drain_s` how many seconds
    they get when it is told to leave. `models` are those of the settings, `limits` what they may use, and where the
    worker answers over HTTP.
    """

    size: Size
    modules: tuple[str, ...]
    data: Path | None = None
    nats: RemoteServer | str = ""
    name: str = ""
    slots: int = SLOTS
    drain_s: float = DRAIN_S
    log_level: str = "info"
    log_json: bool = False
    models: dict[str, Model] = {}
    limits: Workers = Workers()

    @property
    def bus(self) -> Path | RemoteServer | str:
        """Where the bus is. Raises `DataError` if nobody said so."""
        if self.nats:
            return self.nats
        if self.data is None:
            raise DataError("where is the bus?", hint="name the engine's data folder (--data) or a NATS URL (--nats)")
        return self.data / "nats" / "connection.json"


def run_worker(options: WorkerOptions) -> int:
    """Serves until SIGTERM, SIGINT or SIGHUP (its terminal is closed); a second SIGTERM or SIGINT ends it at once.

    To be called in the main thread.

    Returns:
        the exit code: 0 after a drain, 1 when the worker was broken and another process should take its place, 2
        when it cannot work as it was told to.
    """
    logs.configure(options.log_level, as_json=options.log_json)
    if options.size not in SIZES:
        return _cannot(DataError(f"there is no size {options.size}", hint=f"sizes are {', '.join(SIZES)}"))
    try:
        return asyncio.run(_serve(options))
    except SkerryError as error:
        return _cannot(error)


def _cannot(error: SkerryError) -> int:
    _log.error("%s%s", error.message, f" ({error.hint})" if error.hint else "")
    return 2


async def _serve(options: WorkerOptions) -> int:
    where = options.bus
    sys.path[:0] = [] if "" in sys.path or os.getcwd() in sys.path else [os.getcwd()]
    registry = load(options.modules)
    name = options.name or default_name()
    told = asyncio.Event()
    _on_signals(told)
    bus = await _connect(where, name, told)
    if bus is None:
        return 0
    async with bus:
        tracing = _tracing(options, name)
        worker = Worker(
            bus,
            registry,
            options.size,
            name=name,
            slots=options.slots,
            modules=options.modules,
            tracer=tracing,
            models=options.models,
            limits=options.limits,
        )
        serving = asyncio.create_task(worker.run())
        leaving = asyncio.create_task(told.wait())
        await asyncio.wait((serving, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            await worker.drain(options.drain_s)
        leaving.cancel()
        try:
            return 0 if await serving else 1
        finally:
            if tracing is not None:
                await asyncio.to_thread(tracing.close)


def _tracing(options: WorkerOptions, name: str) -> Tracing | None:
    """What tells of tasks, begun; None where telemetry is off: then nothing of it is imported."""
    settings = from_environment(os.environ)
    if settings is None:
        return None
    from skerry_workers.tracing import open_tracing

    return open_tracing(settings, options.data, name, options.size)


def _on_signals(told: asyncio.Event) -> None:
    def on_signal(number: signal.Signals) -> None:
        if number is signal.SIGHUP:
            let_go_of_terminal()
            if told.is_set():  # the system and the shell both send one
                return
        if told.is_set():
            _log.warning("%s again: leaving at once", number.name)
            # Nothing is lost: what was under way is handed out again when its lease ends.
            os._exit(128 + number)
        _log.info("%s: leaving", number.name)
        told.set()

    loop = asyncio.get_running_loop()
    for number in leave_on():
        loop.add_signal_handler(number, on_signal, number)


async def _connect(where: Path | RemoteServer | str, name: str, told: asyncio.Event) -> NatsBus | None:
    """The bus, as soon as it is there; None when we were told to leave before that."""
    leaving = asyncio.create_task(told.wait())
    connecting = asyncio.create_task(_until_connected(where, name))
    await asyncio.wait((leaving, connecting), return_when=asyncio.FIRST_COMPLETED)
    leaving.cancel()
    if connecting.done():
        return connecting.result()
    connecting.cancel()
    return None


async def _until_connected(where: Path | RemoteServer | str, name: str) -> NatsBus:
    said, said_at, now = "", 0.0, asyncio.get_running_loop().time
    timeout_s = _CONNECT_FIRST_S
    while True:
        try:
            return await NatsBus.connect(where, name=name, timeout_s=timeout_s)
        except Unavailable as error:
            why = f"{error.message}{f' ({error.hint})' if error.hint else ''}"
            # Whoever has just started it wants to know at once; whoever reads the log later not every second.
            if why != said or now() - said_at > _SAY_AGAIN_S:
                said, said_at = why, now()
                _log.warning("waiting for the bus: %s; trying again", why)
        timeout_s = _CONNECT_FIRST_S if isinstance(where, Path) else _CONNECT_S
        await asyncio.sleep(_BREATH_S)
