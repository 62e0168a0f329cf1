"""Engines for the journals that this node has adopted: one process each, on this node's bus, with its workers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from pathlib import Path

from skerry.bus.process import spawn, stop
from skerry.config import Config
from skerry.hub.adopting import FOLDER
from skerry.hub.fence import read_fence
from skerry.hub.process import relay
from skerry.journal.reader import DATABASE

log = logging.getLogger("skerry.node")

_LOOK_S = 0.5
_BACKOFF_S = (0.5, 2.0, 10.0, 30.0)
_STEADY_S = 20.0
_GRACE_S = 15.0


def adopted_folders(data: Path) -> list[Path]:
    """The data folders of adopted nodes that go on here."""
    found = sorted((data / FOLDER).glob("[!.]*"))
    return [folder for folder in found if (folder / DATABASE).exists() and read_fence(folder) is None]


class AdoptedKeeper:
    """Keeps them running beside a node, from when they are there."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._keeper: asyncio.Task[None] | None = None
        self._engines: dict[Path, asyncio.Task[None]] = {}
        self._children: dict[Path, asyncio.subprocess.Process] = {}

    def start(self) -> None:
        """Begins."""
        self._keeper = asyncio.create_task(self._look(), name="skerry adopted nodes")

    async def stop(self) -> None:
        """Ends them all, in order."""
        tasks = [task for task in (self._keeper, *self._engines.values()) if task is not None]
        children = [stop(child, _GRACE_S) for child in self._children.values()]
        if self._keeper is not None:
            self._keeper.cancel()
        await asyncio.gather(*children, return_exceptions=True)  # their output is read meanwhile
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(stop(child, _GRACE_S) for child in self._children.values()))

    async def _look(self) -> None:
        while True:
            for folder in adopted_folders(self._config.data):
                if folder not in self._engines:
                    self._show_the_way(folder)
                    log.warning("node %s is adopted: its runs go on here", folder.name)
                    self._engines[folder] = asyncio.create_task(self._keep(folder), name=f"node {folder.name}")
            await asyncio.sleep(_LOOK_S)

    def _show_the_way(self, folder: Path) -> None:
        """Where this node has a server of its own, commands with `--data` of an adopted one find it there."""
        if not self._config.nats.url and not (folder / "nats").exists():
            with contextlib.suppress(OSError):
                (folder / "nats").symlink_to(self._connection.parent, target_is_directory=True)

    async def _keep(self, folder: Path) -> None:
        deaths = 0
        command = [sys.executable, "-m", "skerry.cli", "engine"]
        while read_fence(folder) is None:
            began = time.monotonic()
            try:
                child = await spawn(command, cwd=Path.cwd(), env=self._environment(folder), pass_fds=())
            except OSError as error:
                log.warning("the engine of the adopted node %s cannot be started: %s", folder.name, error)
            else:
                self._children[folder] = child
                await relay(child)
                log.warning("the engine of the adopted node %s ended with %s", folder.name, await child.wait())
            deaths = 0 if time.monotonic() - began > _STEADY_S else min(deaths + 1, len(_BACKOFF_S))
            await asyncio.sleep(_BACKOFF_S[max(deaths - 1, 0)])

    def _environment(self, folder: Path) -> dict[str, str]:
        own = {} if self._config.nats.url else {"SKERRY_NATS_CONNECTION": str(self._connection)}
        return {
            **os.environ,
            **self._config.environment(),
            **own,
            "SKERRY_DATA": str(folder.absolute()),
            "SKERRY_NODE": folder.name,
            "SKERRY_HTTP_PORT": "0",
        }

    @property
    def _connection(self) -> Path:
        return (self._config.nats.connection or self._config.connection_file).absolute()
