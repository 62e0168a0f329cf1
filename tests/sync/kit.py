"""Journals that are written on purpose, and the processes around them: a nats-server, a hub, uplinks."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Raw

from skerry.bus.binary import find_binary
from skerry.bus.connection import Connection
from skerry.bus.target import target_of
from skerry.clock import SystemClock
from skerry.core import codec
from skerry.core import events as ev
from skerry.core.ids import RunIds
from skerry.core.projection import RunRow
from skerry.errors import NotFound
from skerry.hub.link import Link, Stored
from skerry.hub.source import Source
from skerry.hub.store import HubStore
from skerry.journal import SqliteJournal
from skerry.ports import Append
from skerry.sync import page as pages
from skerry.sync import wire
from tests.support import wait_until_blocking

ROOT = Path(__file__).resolve().parents[2]


class Writer:
    """A node's journal with runs in it, written without an engine. Of the same seed come the same runs."""

    def __init__(self, folder: Path, *, node: str = "edge1", seed: int = 0) -> None:
        self.folder = folder
        self.node = node
        self.dice = random.Random(seed)
        self._ids = RunIds(node)
        self._clock = SystemClock()
        self.journal: SqliteJournal | None = None

    async def open(self, *, raise_epoch: bool = False) -> Writer:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.journal = await SqliteJournal.open(self.folder, node=self.node, clock=self._clock)
        if raise_epoch:
            await self.journal.raise_epoch()
        return self

    async def close(self) -> None:
        if self.journal is not None:
            await self.journal.close()
            self.journal = None

    async def write(self, runs: int, *, steps: int = 3, blob_bytes: int = 0, workflow: str = "shop") -> None:
        """So many runs that begin, call something, and end."""
        journal, waits = self.journal, list[Any]()
        assert journal is not None
        for _ in range(runs):
            at_us = max(journal.head.at_us, self._clock.now_us())
            run = self._ids.next(at_us // 1000, self.dice.randbytes)
            blobs: dict[str, bytes] = {}
            events: list[ev.Event] = [
                ev.RunStarted(workflow=workflow, version=1, source="test", event="ordered", event_id=run),
                ev.StateEntered(entry=1, state="Begin", value=Raw(b'{"item":"%d"}' % self.dice.randrange(10**9))),
            ]
            for step in range(1, steps + 1):
                value = self._value(blob_bytes)
                if len(value) > codec.INLINE_BYTES_MAX:
                    name = codec.sha256(value)
                    blobs[name] = value
                    done = ev.StepCompleted(step=str(step), kind="call", target="price", blob=name)
                else:
                    done = ev.StepCompleted(step=str(step), kind="call", target="price", value=Raw(value))
                events.append(done)
            events.append(ev.RunCompleted(result="Sold", value=Raw(b"{}")))
            row = RunRow(
                run=run,
                workflow=workflow,
                version=1,
                status="done",
                state="Begin",
                entry_n=2,
                started_us=at_us,
                updated_us=at_us,
                ended_us=at_us,
                note="a secret note",
            )
            waits.append(journal.append(Append(run, 1, at_us, events, row=row, blobs=blobs)))
        await asyncio.gather(*waits)

    def _value(self, blob_bytes: int) -> bytes:
        length = blob_bytes or self.dice.randrange(20, 300)
        return b'"' + self.dice.randbytes(length // 2).hex().encode() + b'"'


class Server:
    """A nats-server on a port that stays, which can be killed and put back."""

    def __init__(self, folder: Path, *, config: str = "", user: str = "", domain: str = "") -> None:
        """`user` ("name:password") is who connects, where `config` makes accounts; `domain` is that of JetStream."""
        self.folder = folder
        self.port = free_port()
        self.url = f"nats://{user}@127.0.0.1:{self.port}" if user else f"nats://127.0.0.1:{self.port}"
        self._config = config
        self._domain = f", domain: {domain}" if domain else ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Server:
        self.folder.mkdir(parents=True, exist_ok=True)
        store = f'jetstream {{ store_dir: "{self.folder}/js", max_file_store: 2GB{self._domain} }}'
        path = self.folder / "nats.conf"
        path.write_text(
            f'server_name: "{self.folder.name}"\nlisten: "127.0.0.1:{self.port}"\n{store}\n{self._config}\n'
        )
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([str(find_binary()), "-c", str(path)], stdout=log, stderr=log)
        wait_until_blocking(lambda: _listens(self.port), 20.0)
        return self

    def kill(self) -> None:
        end(self._process, signal.SIGKILL)

    def pause(self, stopped: bool) -> None:
        """The network is there, and nobody answers: a half-open link."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if stopped else signal.SIGCONT)

    def stop(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGCONT)
        end(self._process, signal.SIGTERM)


_ACCOUNTS = """
    accounts { APP: { jetstream: enabled, users: [ { user: u, password: p } ] }, SYS: { users: [] } }
    system_account: SYS
"""


def leaf_hub(folder: Path) -> tuple[Server, str]:
    """(a hub's server that takes leaf nodes, where it does)."""
    port = free_port()
    listens = f'{_ACCOUNTS}\nleafnodes {{ listen: "127.0.0.1:{port}" }}'
    return Server(folder / "far", config=listens, user="u:p", domain="hub").start(), f"nats-leaf://u:p@127.0.0.1:{port}"


def leaf_servers(folder: Path) -> tuple[Server, Server]:
    """(a hub's server, a node's own one that is a leaf of it), each with a JetStream domain of its own."""
    far, url = leaf_hub(folder)
    remote = f'{{ url: "{url}", account: APP }}'
    reaches = f'{_ACCOUNTS}\nleafnodes {{ reconnect: "1s", remotes: [ {remote} ] }}'
    return far, Server(folder / "near", config=reaches, user="u:p", domain="edge1").start()


class Program:
    """`skerry COMMAND ...`, which can be killed and started again."""

    module = "skerry.cli"

    def __init__(self, folder: Path, *arguments: str, env: dict[str, str] | None = None) -> None:
        self.log = folder / f"{arguments[0]}.log"
        self._arguments = arguments
        self._env = {**os.environ, "SKERRY_LOG_LEVEL": "info", **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Program:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", self.module, *self._arguments]
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._env, stdout=log, stderr=log)
        return self

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def kill(self) -> None:
        end(self._process, signal.SIGKILL)

    def stop(self) -> int:
        return end(self._process, signal.SIGTERM)

    def wait(self, timeout_s: float = 20.0) -> int:
        assert self._process is not None
        return self._process.wait(timeout_s)

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""


def hub_program(folder: Path, server: Server, *more: str) -> Program:
    """A hub in a folder, on a server."""
    return Program(folder, "hub", "--data", str(folder), "--nats", server.url, *more)


def uplink_program(folder: Path, server: Server, **env: str) -> Program:
    """The uplink of a data folder, to a server."""
    return Program(folder, "uplink", "--data", str(folder), env={"SKERRY_HUB_URL": server.url, **env})


def node_program(folder: Path, server: Server, **env: str) -> Program:
    """A whole node (engine, its bus, an uplink) that knows wishes, in a data folder."""
    more = {"SKERRY_HUB_URL": server.url, "SKERRY_MODULES": "tests.cli.wishes", "SKERRY_NODE": "edge1", **env}
    return Program(folder, "engine", "--data", str(folder), env=more)


def call(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Calls a command, and waits for its end."""
    command = [sys.executable, "-m", "skerry.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, check=False)


def end(process: subprocess.Popen[bytes] | None, number: signal.Signals) -> int:
    if process is None:
        return 0
    if process.poll() is None:
        with suppress(ProcessLookupError):
            process.send_signal(number)
    return process.wait(20)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as caller:
        caller.settimeout(0.2)
        return caller.connect_ex(("127.0.0.1", port)) == 0


# --- comparing --------------------------------------------------------------------------------------------------------


def journal_lines(folder: Path) -> list[Sequence[Any]]:
    """All events of a journal: header, salt, body."""
    source, lines = Source(folder), list[Sequence[Any]]()
    try:
        while found := source._events(lines[-1][0] if lines else 0, 2**62):  # pyright: ignore[reportPrivateUsage]
            lines += found
        return lines
    finally:
        source.close()


def hub_lines(folder: Path, node: str) -> list[Sequence[Any]]:
    """All events of a node at the hub, as its chain is."""
    store, lines = HubStore(folder), list[Sequence[Any]]()
    try:
        while found := store.chain(node, after=lines[-1][0] if lines else 0):
            lines += found
        return lines
    finally:
        store.close()


def end_at_hub(folder: Path, node: str) -> int:
    """Up to which event a node's journal is in the hub's store."""
    try:
        store = HubStore(folder)
    except NotFound:
        return 0
    try:
        return store.stands(node)[0].seq
    finally:
        store.close()


def end_of(folder: Path) -> int:
    source = Source(folder)
    try:
        return source.end()
    finally:
        source.close()


def missing_blobs(folder: Path, hub: Path) -> list[str]:
    """Blobs of a journal that the hub does not have."""
    source, store = Source(folder), HubStore(hub)
    try:
        names = [row[0].hex() for row in source._db.execute("SELECT sha256 FROM blobs")]  # pyright: ignore[reportPrivateUsage]
        return [name for name in names if store.blob(name) != source.blob(name)]
    finally:
        source.close()
        store.close()


async def shipped(server: Server, node: str) -> list[tuple[str, int, int]]:
    """What is in the stream of a node, in order: (kind, first, last) of each batch."""
    connection = Connection(target_of(server.url), name="test")
    link = Link(connection)
    await connection.join(link)
    await connection.open(5.0)
    found: list[tuple[str, int, int]] = []
    pieces: list[bytes] = []
    at = 1
    try:
        while read := await link.read(at, count=200, bytes_max=4_000_000):
            for stored in read:
                _sort(stored, node, pieces, found)
            at = read[-1].seq + 1
    finally:
        await connection.close()
    return found


def _sort(stored: Stored, node: str, pieces: list[bytes], found: list[tuple[str, int, int]]) -> None:
    if stored.subject == wire.piece_subject(node):
        pieces.append(stored.data)
    elif stored.subject == wire.cursor_subject(node):
        cursor = wire.decode_cursor(stored.data)
        assert cursor.kind == "rewind" or len(pieces) == cursor.pieces
        if cursor.kind == "page":
            page = pages.read(b"".join(pieces))
            assert (page.first, page.last, page.hash) == (cursor.first, cursor.seq, cursor.digest)
        found.append((cursor.kind, cursor.first, cursor.seq))
        pieces.clear()


def told(program: Program) -> dict[str, Any]:
    """The last JSON line that a program has said."""
    return next(json.loads(line) for line in reversed(program.tail().splitlines()) if line.startswith("{"))
