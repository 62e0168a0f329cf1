"""The worker processes of one machine: started, watched, and started again when they die."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from pathlib import Path

from skerry.bus.process import spawn, stop
from skerry.config import Config
from skerry.errors import SkerryError, Unavailable

log = logging.getLogger("skerry.pool")

_BACKOFF_S = (0.2, 1.0, 5.0, 15.0)
_STEADY_S = 20.0
"""A worker that lived this long counts as healthy: the back-off starts anew."""
_DEATHS_MAX = 10
"""So many deaths in a row, each soon after the start, and the pool gives up."""


class WorkerPool:
    """Keeps the configured number of worker processes alive. They die with us."""

    def __init__(self, config: Config, *, stop_grace_s: float = 15.0) -> None:
        self._config = config
        self._grace_s = stop_grace_s
        self._keepers: list[asyncio.Task[None]] = []
        self._children: dict[str, asyncio.subprocess.Process] = {}
        self._gave_up: asyncio.Future[SkerryError] = asyncio.get_running_loop().create_future()

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by worker name."""
        return {name: child.pid for name, child in self._children.items() if child.returncode is None}

    async def start(self) -> None:
        """Starts them all; does not wait until they are ready."""
        for size, pool in self._config.workers.items():
            for number in range(1, pool.processes + 1):
                name = f"{size}-{number}"
                self._keepers.append(asyncio.create_task(self._keep(name, self._command(size, name, pool.slots))))

    async def gave_up(self) -> SkerryError:
        """Returns when a worker will not stay alive, with the reason."""
        return await asyncio.shield(self._gave_up)

    async def stop(self) -> None:
        """SIGTERM to all at once, SIGKILL to who is still there after the grace."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*(stop(child, self._grace_s) for child in self._children.values()))

    async def _keep(self, name: str, command: list[str]) -> None:
        loop, deaths = asyncio.get_running_loop(), 0
        while True:
            began = loop.time()
            child = await spawn(command, cwd=Path.cwd(), env=self._environment(), pass_fds=())
            self._children[name] = child
            tail = await _relay(child)
            code = await child.wait()
            deaths = 1 if loop.time() - began > _STEADY_S else deaths + 1
            log.warning("worker %s ended with %s%s", name, code, f": {tail}" if tail else "")
            if deaths >= _DEATHS_MAX:
                error = Unavailable(f"worker {name} does not stay alive: {tail or f'exit code {code}'}")
                if not self._gave_up.done():
                    self._gave_up.set_result(error)
                return
            await asyncio.sleep(_BACKOFF_S[min(deaths, len(_BACKOFF_S)) - 1])

    def _command(self, size: str, name: str, slots: int) -> list[str]:
        # The settings go by the environment: a command line is for everybody to read, and they may hold secrets.
        return [sys.executable, "-m", "skerry.cli", "worker", "--size", size, "--name", name, "--slots", str(slots)]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self._config.environment()}


async def _relay(child: asyncio.subprocess.Process) -> str:
    """Passes on what a worker prints; returns its last line."""
    tail = ""
    assert child.stdout is not None
    with contextlib.suppress(ValueError):  # a line longer than the buffer: the rest is passed over
        async for line in child.stdout:
            tail = line.decode(errors="replace").rstrip()
            sys.stderr.write(f"{tail}\n")
    return tail
