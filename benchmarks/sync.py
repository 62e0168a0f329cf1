"""Handing over: a backlog of a node's journal goes to a hub through a leaf, and what happens after an outage.

Real processes: the hub's nats-server and the node's, with a leaf link between them, a hub, and an uplink. The uplink is
held (SIGSTOP) while the journal grows by a backlog, and let go; the clock runs until the hub's stream has all of it,
and until the hub's store has. The floor: the same events, one a message, by plain nats-py in atomic batches of 500 over
the same leaf.

Then a server is killed, something happens on the node, and the server comes back; the clock runs from the moment in
which it takes connections until what happened is in the hub's store.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nats
from msgspec import Raw

from benchmarks.figures import Figure, Options, Turns, Until, folder, options, parser, show
from skerry.bus.binary import find_binary
from skerry.clock import SystemClock
from skerry.core import events as ev
from skerry.core.ids import RunIds
from skerry.core.projection import RunRow
from skerry.errors import NotFound
from skerry.hub.source import Source
from skerry.hub.store import HubStore
from skerry.hub.uplink import read_told
from skerry.journal import SqliteJournal
from skerry.ports import Append

EVENTS = 10_000
SECONDS = 20.0
RUN_EVENTS = 10
"""Of each run that is made here."""
_BATCH = 500
_ACCOUNTS = """
accounts {
  APP: { jetstream: enabled, users: [ { user: u, password: p } ] }
  SYS: { users: [] }
}
system_account: SYS
"""


def a_run(ids: RunIds, dice: random.Random, after_us: int) -> Append:
    """A whole run, with what a step of some kind would have said."""
    at_us = max(after_us, time.time_ns() // 1000)
    run = ids.next(at_us // 1000, dice.randbytes)
    value = Raw(json.dumps({"text": dice.randbytes(90).hex()}).encode())
    steps = [ev.StepCompleted(step=str(n), kind="call", target="price", value=value) for n in range(RUN_EVENTS - 3)]
    told: list[ev.Event] = [
        ev.RunStarted(workflow="bench", version=1, event_id=run),
        ev.StateEntered(entry=1, state="Begin", value=value),
        *steps,
        ev.RunCompleted(result="Done", value=value),
    ]
    row = RunRow(run=run, workflow="bench", version=1, status="done", entry_n=2, started_us=at_us, ended_us=at_us)
    return Append(run, 1, at_us, told, row=row)


class Server:
    """A nats-server in a folder, on a port that stays."""

    def __init__(self, folder: Path, name: str, more: str) -> None:
        self.port = _free_port()
        self.url = f"nats://u:p@127.0.0.1:{self.port}"
        self._config = folder / f"{name}.conf"
        store = f'jetstream {{ store_dir: "{folder / name}", domain: {name}, max_file_store: 4GB }}'
        listen = f'server_name: "{name}"\nlisten: "127.0.0.1:{self.port}"'
        self._config.write_text(f"{listen}\n{store}\n{_ACCOUNTS}\n{more}\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it takes connections."""
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen([str(find_binary()), "-c", str(self._config)], stdout=quiet, stderr=quiet)
        while True:
            with socket.socket() as caller:
                if caller.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.001)  # nothing tells us of the moment, which is where the clock of `resume` begins

    @property
    def pid(self) -> int:
        """The process that runs now."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()


class Place:
    """All of it, running."""

    def __init__(self, path: Path) -> None:
        leaf = _free_port()
        self.data, self.hub = path / "node", path / "hub-data"
        self.far = Server(path, "hub", f'leafnodes {{ listen: "127.0.0.1:{leaf}" }}')
        remote = f'{{ url: "nats-leaf://u:p@127.0.0.1:{leaf}", account: APP }}'
        self.near = Server(path, "edge", f'leafnodes {{ reconnect: "500ms", remotes: [ {remote} ] }}')
        self.children: list[subprocess.Popen[bytes]] = []
        self._dice = random.Random(7)
        self._ids = RunIds("bench")

    async def start(self) -> None:
        """Everything, until the first events are at the hub."""
        self.far.start()
        self.near.start()
        await self.happen(RUN_EVENTS)
        self._child("hub", "--data", str(self.hub), "--nats", self.far.url)
        environment = {"SKERRY_HUB_URL": self.near.url, "SKERRY_HUB_DOMAIN": "hub"}
        self.uplink = self._child("uplink", "--data", str(self.data), **environment)
        await self.there(60.0)

    def _child(self, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        full = [sys.executable, "-m", "skerry.cli", *command]
        env = {**os.environ, **environment, "SKERRY_LOG_LEVEL": "error"}
        self.children.append(subprocess.Popen(full, env=env, stdout=subprocess.DEVNULL))
        return self.children[-1]

    def stop(self) -> None:
        """All of it."""
        for child in self.children:
            child.kill()
            child.wait()
        self.far.kill()
        self.near.kill()

    async def happen(self, events: int) -> int:
        """The journal grows by so many events; its last one."""
        journal = await SqliteJournal.open(self.data, node="bench", clock=SystemClock())
        runs = range(events // RUN_EVENTS)
        await asyncio.gather(*[journal.append(a_run(self._ids, self._dice, journal.head.at_us)) for _ in runs])
        end = journal.head.seq
        await journal.close()
        return end

    async def there(self, patience_s: float = 30.0) -> tuple[float, float]:
        """When all of the journal was (in the stream, in the store), on the monotonic clock."""
        source, until = Source(self.data), time.monotonic() + patience_s
        end = source.end()
        source.close()
        streamed = 0.0
        while time.monotonic() < until:
            told = read_told(self.data)
            if not streamed and told is not None and told.seq >= end:
                streamed = time.monotonic()
            if self._applied() >= end:
                now = time.monotonic()
                return min(streamed or now, now), now
            await asyncio.sleep(0.002)
        raise SystemExit(f"not all of it came: {self._applied()} of {end}")

    def _applied(self) -> int:
        try:
            store = HubStore(self.hub)
        except NotFound:
            return 0
        try:
            return store.stands("bench")[0].seq
        finally:
            store.close()


async def ship(place: Place, events: int) -> tuple[float, float]:
    """Seconds until a backlog is (in the stream, in the store)."""
    place.uplink.send_signal(signal.SIGSTOP)
    await place.happen(events)
    began = time.monotonic()
    place.uplink.send_signal(signal.SIGCONT)
    streamed, applied = await place.there()
    return streamed - began, applied - began


async def plain(place: Place, events: int) -> float:
    """Seconds of the same events by plain nats-py in atomic batches, through the same leaf."""
    source = Source(place.data)
    lines: list[Sequence[Any]] = []
    while len(lines) < events:
        after = lines[-1][0] if lines else 0
        # The rows as an uplink reads them; it has no need of a public word for that.
        lines += source._events(after, 2**62)  # pyright: ignore[reportPrivateUsage]
    source.close()
    encoded = [
        json.dumps([*line[:7], line[7].hex(), line[8].hex(), line[9].hex(), line[10].decode()]).encode()
        for line in lines
    ]
    far, near = await nats.connect(place.far.url), await nats.connect(place.near.url)
    name = f"PLAIN_{uuid.uuid4().hex[:8]}"
    config = {"name": name, "subjects": [f"{name}.>"], "storage": "file", "allow_atomic": True}
    await far.request(f"$JS.API.STREAM.CREATE.{name}", json.dumps(config).encode())
    await asyncio.sleep(0.5)  # until the leaf knows of the subject
    began = time.monotonic()
    for at in range(0, events, _BATCH):
        batch = encoded[at : at + _BATCH]
        id = uuid.uuid4().hex
        for number, data in enumerate(batch[:-1], 1):
            fields = {"Nats-Batch-Id": id, "Nats-Batch-Sequence": str(number)}
            await near.publish(f"{name}.e", data, headers=fields)
        fields = {"Nats-Batch-Id": id, "Nats-Batch-Sequence": str(len(batch)), "Nats-Batch-Commit": "1"}
        answer = json.loads((await near.request(f"{name}.e", batch[-1], timeout=30, headers=fields)).data)
        assert "error" not in answer, answer
    took = time.monotonic() - began
    await far.request(f"$JS.API.STREAM.DELETE.{name}", b"")
    await near.close()
    await far.close()
    return took


async def resume(place: Place, server: Server) -> float:
    """Seconds from a server's return until what happened meanwhile is at the hub."""
    server.kill()
    await place.happen(RUN_EVENTS)
    await asyncio.sleep(1.0)
    server.start()
    began = time.monotonic()
    _, applied = await place.there()
    return applied - began


async def measure(asked: Options, path: Path) -> tuple[list[Figure], list[str]]:
    """In turns."""
    events = 500 if asked.quick else EVENTS
    turns, place = Turns(), Place(path)
    try:
        await place.start()
        until = Until(0.0 if asked.quick else SECONDS, 1 if asked.quick else 3)
        while until.more():
            streamed, applied = await ship(place, events)
            turns.add("stream /s", events / streamed)
            turns.add("store /s", events / applied)
            turns.add("plain /s", events / await plain(place, events))
            turns.add("hub's server s", await resume(place, place.far))
            turns.add("node's server s", await resume(place, place.near))
        held = [child.pid for child in place.children]
        memory = [_megabytes(pid) for pid in held]
    finally:
        place.stop()
    floor = turns.median("plain /s")
    return [
        Figure(f"{events:,} events to the hub's stream", "events/s", turns.median("stream /s"), floor, ">= 10,000"),
        Figure("  and into the hub's store", "events/s", turns.median("store /s"), floor, ">= 10,000"),
        Figure("from the return of the hub's server", "s", turns.median("hub's server s"), 0.0, "< 1 s"),
        Figure("from the return of the node's server", "s", turns.median("node's server s"), 0.0, "< 1 s"),
        Figure("most memory of the hub", "MB", memory[0]),
        Figure("most memory of the uplink", "MB", memory[1]),
    ], [turns.spread("stream /s", "plain /s"), turns.spread("hub's server s", "node's server s")]


def _megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0.0
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def main() -> None:
    """The command line."""
    asked = options(parser(__doc__).parse_args())
    with folder(asked) as path:
        figures, notes = asyncio.run(measure(asked, Path(path)))
    show("handing over to a hub, through a leaf", figures, asked, notes)


if __name__ == "__main__":
    main()
