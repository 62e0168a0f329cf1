"""The worker processes of one machine: started, watched, and started again when they die."""

from __future__ import annotations

import asyncio
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
_CANNOT = 2
"""The exit code with which a worker says that it cannot work as it was told to."""
_REFUSALS_MAX = 4
"""So often in a row, and the pool gives up."""
_HAND_BACK_S = 5.0
"""What a worker may need to give its tasks back after its drain."""
_LINE_MAX, _TAIL_MAX = 65536, 2000


class WorkerPool:
    """Keeps the configured number of worker processes alive. They die with us."""

    def __init__(self, config: Config, *, drain_s: float = 10.0) -> None:
        """`drain_s` is how long a worker may finish what it has in hand when it is stopped; then it hands it back."""
        self._config = config
        self._drain_s = drain_s
        self._stopping = False
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
                port = pool.http_port + number - 1 if pool.http_port else 0
                self._keepers.append(asyncio.create_task(self._keep(name, self._command(size, name, pool.slots, port))))

    async def gave_up(self) -> SkerryError:
        """Returns when a worker will not stay alive, with the reason."""
        return await asyncio.shield(self._gave_up)

    async def stop(self) -> None:
        """SIGTERM to all at once, SIGKILL to who has neither finished nor handed back when it should have."""
        self._stopping = True
        # Their keepers go on meanwhile: a worker whose output nobody reads would be stuck.
        await self._stop_children()
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await self._stop_children()  # one may just have been started again

    async def _stop_children(self) -> None:
        grace_s = self._drain_s + _HAND_BACK_S
        await asyncio.gather(*(stop(child, grace_s) for child in self._children.values()))

    async def _keep(self, name: str, command: list[str]) -> None:
        loop, deaths, refusals = asyncio.get_running_loop(), 0, 0
        while True:
            began = loop.time()
            try:
                child = await spawn(command, cwd=Path.cwd(), env=self._environment(), pass_fds=())
            except OSError as error:  # no memory or no process is left; that may pass
                deaths += 1
                log.warning("worker %s cannot be started: %s", name, error)
                if deaths >= _REFUSALS_MAX:
                    return self._give_up(Unavailable(f"worker {name} cannot be started: {error}"))
                await asyncio.sleep(_BACKOFF_S[min(deaths, len(_BACKOFF_S)) - 1])
                continue
            self._children[name] = child
            tail = await _relay(child)
            code = await child.wait()
            if self._stopping:
                return
            steady = loop.time() - began > _STEADY_S
            deaths = 1 if steady else deaths + 1
            # One that says that it cannot work is given up. One that was killed, by a task or from outside, never is.
            refusals = refusals + 1 if code == _CANNOT and not steady else 0
            log.warning("worker %s ended with %s%s", name, code, f": {tail}" if tail else "")
            if refusals >= _REFUSALS_MAX:
                return self._give_up(Unavailable(f"worker {name} does not stay alive: {tail or f'exit code {code}'}"))
            await asyncio.sleep(_BACKOFF_S[min(deaths, len(_BACKOFF_S)) - 1])

    def _give_up(self, error: SkerryError) -> None:
        if not self._gave_up.done():
            self._gave_up.set_result(error)

    def _command(self, size: str, name: str, slots: int, port: int) -> list[str]:
        # The settings go by the environment: a command line is for everybody to read, and they may hold secrets.
        how = ["--size", size, "--name", name, "--slots", str(slots), "--drain", str(self._drain_s)]
        how += ["--http-port", str(port)] if port else []
        return [sys.executable, "-m", "skerry.cli", "worker", *how]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self._config.environment()}


async def _relay(child: asyncio.subprocess.Process) -> str:
    """Passes on what a worker prints, to the end; returns its last line."""
    tail, rest = b"", b""
    assert child.stdout is not None
    while piece := await child.stdout.read(_LINE_MAX):
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > _LINE_MAX:  # a line without end is cut: whoever prints it must never wait for us
            lines, rest = [*lines, rest], b""
        for line in lines:
            tail = line
            sys.stderr.write(f"{line.decode(errors='replace').rstrip()}\n")
    return (rest or tail).decode(errors="replace").rstrip()[-_TAIL_MAX:]
