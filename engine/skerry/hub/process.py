"""The uplink as a process, and what a node does to have one beside it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from skerry.bus.connection import Connection
from skerry.bus.process import spawn, stop
from skerry.bus.serverconfig import write_private
from skerry.client.caller import Caller
from skerry.config import Config
from skerry.errors import DataError, SkerryError, Unavailable
from skerry.hub.adopting import Adopting
from skerry.hub.downlink import Downlink
from skerry.hub.fence import Fence, check_fence, write_fence
from skerry.hub.link import Link
from skerry.hub.service import Quick
from skerry.hub.source import Source
from skerry.hub.uplink import Shipped, Uplink, told_file
from skerry.journal.lock import FolderLock
from skerry.sync.wire import Cursor, cursor_subject, decode_cursor

log = logging.getLogger("skerry.uplink")

NICE = 10
"""The engine goes first: beside a busy process, the uplink gets a tenth of a processor: 10,000 events a second."""
_TELL_S = 1.0
_OPEN_S = 5.0
_SOON_S = 1.0
"""A node that begins waits so long for its hub at most, to be told that it was adopted: it works alone as well."""
_BACKOFF_S = (0.2, 1.0, 5.0, 15.0, 60.0)
_STEADY_S = 60.0
_GRACE_S = 3.0


class Telling:
    """Writes how the uplink stands, for whoever looks: each change of state at once, everything else once a second."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._said: Shipped | None = None
        self._at = 0.0

    def __call__(self, told: Shipped) -> None:
        """Another look at it."""
        said, now = self._said, time.monotonic()
        moved = said is None or (said.state, said.why, said.applied) != (told.state, told.why, told.applied)
        if not moved and now < self._at + _TELL_S:
            return
        self._said, self._at = told, now
        with contextlib.suppress(OSError):  # a full disk is the engine's to report
            write_private(self._path, msgspec.json.encode(told).decode())


async def run_uplink(config: Config, stopping: asyncio.Event) -> None:
    """Ships the journal of the settings' data folder until told to stop.

    Raises `DataError` when the settings name no hub, `NotFound` without a journal, `JournalLocked` when another uplink
    is at it.
    """
    target = config.hub.server()
    if target is None:
        raise DataError("the settings name no hub", hint="[hub] url = ... in skerry.toml, or SKERRY_HUB_URL")
    source = Source(config.data, withhold=config.hub.withhold)
    file = told_file(config.data)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    lock = FolderLock(file.parent)
    connection = Connection(Quick(target), name=f"skerry uplink {source.node}")
    link = Link(connection, domain=config.hub.domain)
    uplink = Uplink(source, connection, link, Telling(file), bytes_per_s=config.hub.bytes_per_s)
    caller = Caller(data=config.data, nats=config.nats.target(), node=source.node, timeout_s=_OPEN_S)
    downlink = Downlink(source, connection, link, caller, Adopting(config.data, source.node, connection))
    await connection.join(link)
    working = asyncio.create_task(_work(connection, uplink, downlink), name="skerry uplink")
    told = asyncio.create_task(stopping.wait())
    try:
        done, _ = await asyncio.wait((working, told), return_when=asyncio.FIRST_COMPLETED)
        if working in done:
            working.result()
    finally:
        for task in (working, told):
            task.cancel()
        await asyncio.gather(working, told, return_exceptions=True)
        await caller.close()
        await connection.close()
        source.close()
        lock.release()


async def cursor_at_hub(config: Config, node: str, timeout_s: float = _OPEN_S) -> Cursor | None:
    """The end of what was handed over in a node's name; None when nothing was.

    Raises `Unavailable` when the hub's server does not answer in time, or there is none.
    """
    target = config.hub.server()
    if target is None:
        raise Unavailable("the settings name no hub", hint="[hub] url = ... in skerry.toml")
    connection = Connection(Quick(target), name=f"skerry sync {node}")
    link = Link(connection, domain=config.hub.domain)
    await connection.join(link)
    try:
        async with asyncio.timeout(timeout_s):
            await connection.open(timeout_s)
            stored = await link.last(cursor_subject(node))
    except TimeoutError:
        raise Unavailable("the hub's server does not answer") from None
    finally:
        await connection.close()
    return decode_cursor(stored.data) if stored is not None else None


async def look_for_fence(config: Config, node: str, epoch: int) -> None:
    """Asks the hub's server, if it answers soon, whether another node has adopted this one. Raises `Conflict` if so."""
    if config.hub.server() is not None:
        with contextlib.suppress(SkerryError):
            cursor = await cursor_at_hub(config, node, _SOON_S)
            if cursor is not None and cursor.by and cursor.epoch > epoch:
                write_fence(config.data, Fence(epoch=cursor.epoch, by=cursor.by, at_us=cursor.at_us))
    check_fence(config.data, node, epoch)


async def _work(connection: Connection, uplink: Uplink, downlink: Downlink) -> None:
    backoff = 0
    while True:
        try:
            await connection.open(_OPEN_S)
            break
        except SkerryError as error:  # also credentials that are refused: they may be put right
            uplink.wait_for(error)
            await asyncio.sleep(_BACKOFF_S[min(backoff, 2)])
            backoff += 1
    tasks = (asyncio.create_task(uplink.run()), asyncio.create_task(downlink.run()))
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class UplinkKeeper:
    """Keeps an uplink process beside a node. It dies with us; whatever becomes of it, the engine never waits for it."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._child: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins."""
        self._keeper = asyncio.create_task(self._keep(), name="skerry uplink keeper")

    @property
    def pid(self) -> int:
        """The process that runs now; 0 for none."""
        child = self._child
        return child.pid if child is not None and child.returncode is None else 0

    async def stop(self) -> None:
        """Ends it."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._child is not None:
            await stop(self._child, _GRACE_S)

    async def _keep(self) -> None:
        deaths = 0
        command = [sys.executable, "-m", "skerry.cli", "uplink"]
        while True:
            began = time.monotonic()
            try:
                environment = {**os.environ, **self._config.environment()}
                self._child = await spawn(command, cwd=Path.cwd(), env=environment, pass_fds=())
            except OSError as error:
                log.warning("the uplink cannot be started: %s", error)
            else:
                await relay(self._child)
                log.warning("the uplink ended with %s; it is started again", await self._child.wait())
            deaths = 0 if time.monotonic() - began > _STEADY_S else min(deaths + 1, len(_BACKOFF_S))
            await asyncio.sleep(_BACKOFF_S[max(deaths - 1, 0)])


async def relay(child: asyncio.subprocess.Process, write: Callable[[str], object] = sys.stderr.write) -> None:
    """Passes on what it prints, to the end."""
    assert child.stdout is not None, "its output is a pipe"
    while piece := await child.stdout.read(65536):
        write(piece.decode(errors="replace"))
