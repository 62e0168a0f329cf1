"""A fleet: hundreds of nodes hand over to one hub, and things go wrong.

Each node is a real journal with a whole uplink (what `skerry uplink` runs), many of them in one process as tasks, on
one real nats-server with one real hub. What is measured: how soon all are there when all of them come at once; how far
behind the hub is while they write; how long it takes to be up to date after the server, the hub, or a part of the nodes
was gone (kill -9) while the others wrote on; and how much goes through when every node has a backlog. At the end the
hub must have every journal to its last event, with its hash.

    python -m benchmarks.fleet --nodes 300 --processes 3 --every 5 --down 5
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.figures import Figure, Options, folder, options, parser, show
from benchmarks.sync import RUN_EVENTS, Server
from skerry.errors import NotFound
from skerry.hub.source import Source
from skerry.hub.store import HubStore, NodeView

_PATIENCE_S = 180.0
_LOOK_S = 0.1
_TICKS = os.sysconf("SC_CLK_TCK")


class Fleet:
    """All of it, running."""

    def __init__(self, path: Path, nodes: int, processes: int) -> None:
        self.nodes = nodes
        self.folder, self.data = path / "nodes", path / "hub-data"
        self.folder.mkdir()
        self.server = Server(path, "hub", "")
        self._shares = [nodes * n // processes for n in range(processes + 1)]
        self._parts: list[asyncio.subprocess.Process | None] = [None] * processes
        self._hub: subprocess.Popen[bytes] | None = None
        self._store: HubStore | None = None

    # --- what is there ------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """The server and the hub."""
        self.server.start()
        self.start_hub()
        until = time.monotonic() + 30
        while self._store is None and time.monotonic() < until:
            with suppress(NotFound):
                self._store = HubStore(self.data)
            await asyncio.sleep(_LOOK_S)

    def start_hub(self) -> None:
        """The hub's process."""
        command = [sys.executable, "-m", "skerry.cli", "hub", "--data", str(self.data), "--nats", self.server.url]
        environment = {**os.environ, "SKERRY_LOG_LEVEL": "error"}
        self._hub = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)

    def kill_hub(self) -> None:
        """kill -9."""
        assert self._hub is not None
        self._hub.kill()
        self._hub.wait()

    async def start_part(self, part: int) -> None:
        """One process with its share of the nodes; returns when they write."""
        first, count = self._shares[part], self._shares[part + 1] - self._shares[part]
        told = {"folder": str(self.folder), "url": self.server.url, "first": first, "count": count}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "benchmarks.fleet_nodes",
            json.dumps(told),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._parts[part] = process
        await _word(process)

    async def kill_part(self, part: int) -> None:
        """kill -9 of a share of the nodes."""
        process = self._parts[part]
        assert process is not None
        process.kill()
        await process.wait()

    async def tell(self, line: str) -> None:
        """Tells all nodes something, and waits until all have done it."""
        going = [part for part in self._parts if part is not None and part.returncode is None]
        for part in going:
            assert part.stdin is not None
            part.stdin.write(f"{line}\n".encode())
        await asyncio.gather(*(_word(part) for part in going))

    async def stop(self) -> None:
        """All of it."""
        for part in self._parts:
            if part is not None and part.returncode is None:
                part.kill()
                await part.wait()
        if self._store is not None:
            self._store.close()
        self.kill_hub()
        self.server.kill()

    # --- looking ------------------------------------------------------------------------------------------------------

    def seen(self) -> dict[str, NodeView]:
        """The nodes, as the hub sees them."""
        assert self._store is not None
        return {view.node: view for view in self._store.nodes()}

    def ends(self) -> dict[str, int]:
        """How long each journal is."""
        found: dict[str, int] = {}
        for data in sorted(self.folder.iterdir()):
            source = Source(data)
            found[source.node] = source.end()
            source.close()
        return found

    async def up_to(self, ends: dict[str, int]) -> float:
        """When the hub had all of that, on the monotonic clock."""
        until = time.monotonic() + _PATIENCE_S
        while True:
            seen = self.seen()
            now = time.monotonic()
            missing = [node for node, end in ends.items() if node not in seen or seen[node].seq < end]
            if not missing:
                return now
            if now > until:
                raise SystemExit(f"{len(missing)} nodes are not up to date, such as {missing[:3]}")
            await asyncio.sleep(_LOOK_S)

    def differing(self) -> list[str]:
        """Nodes whose journal's end is not what the hub has."""
        wrong: list[str] = []
        assert self._store is not None
        for data in sorted(self.folder.iterdir()):
            source = Source(data)
            place, trouble = self._store.stands(source.node)
            if trouble or (place.seq, place.hash) != (source.end(), source.hash_at(source.end())):
                wrong.append(source.node)
            source.close()
        return wrong

    def cpu_s(self) -> dict[str, float]:
        """Seconds of a processor that each has used."""
        assert self._hub is not None
        nodes = sum(_cpu_s(part.pid) for part in self._parts if part is not None and part.returncode is None)
        return {"hub": _cpu_s(self._hub.pid), "server": _cpu_s(self.server.pid), "nodes": nodes}

    def memory_mb(self) -> tuple[float, float]:
        """Of the hub, and of its server."""
        assert self._hub is not None
        return _megabytes(self._hub.pid), _megabytes(self.server.pid)


async def steady(fleet: Fleet, seconds: float) -> tuple[list[float], dict[str, float]]:
    """How far behind the hub was with the last event of what it took in, each time; and who used how much processor."""
    lags: dict[tuple[str, int], float] = {}
    before, began = fleet.cpu_s(), time.monotonic()
    known = {(view.node, view.seq) for view in fleet.seen().values()}
    while time.monotonic() < began + seconds:
        await asyncio.sleep(0.5)
        for view in fleet.seen().values():
            lags[view.node, view.seq] = (view.applied_us - view.at_us) / 1e6
    took, after = time.monotonic() - began, fleet.cpu_s()
    return [s for place, s in lags.items() if place not in known], {n: (after[n] - before[n]) / took for n in after}


async def outage(fleet: Fleet, down_s: float, gone: str) -> float:
    """Seconds from the return of what was gone until the hub has what had happened until then."""
    if gone == "server":
        fleet.server.kill()
    elif gone == "hub":
        fleet.kill_hub()
    else:
        await fleet.kill_part(0)
    await asyncio.sleep(down_s)
    ends = fleet.ends()
    began = time.monotonic()
    if gone == "server":
        fleet.server.start()
    elif gone == "hub":
        fleet.start_hub()
    else:
        await fleet.start_part(0)
    return await fleet.up_to(ends) - began


async def flood(fleet: Fleet, runs: int) -> tuple[float, dict[str, float]]:
    """Events per second into the hub's store when every node has a backlog; and who used how much processor."""
    fleet.server.kill()
    before = fleet.ends()
    await fleet.tell(f"backlog {runs}")
    ends = fleet.ends()
    fleet.server.start()
    used, began = fleet.cpu_s(), time.monotonic()
    took, after = await fleet.up_to(ends) - began, fleet.cpu_s()
    events = sum(ends.values()) - sum(before.values())
    return events / took, {name: (after[name] - used[name]) / took for name in after}


async def measure(
    asked: Options, path: Path, nodes: int, processes: int, every_s: float, down_s: float
) -> list[Figure]:
    """One after the other."""
    fleet = Fleet(path, nodes, processes)
    try:
        await fleet.start()
        began = time.monotonic()
        await asyncio.gather(*(fleet.start_part(part) for part in range(processes)))
        joined = await fleet.up_to(fleet.ends()) - began
        await fleet.tell(f"write {every_s}")
        lags, shares = await steady(fleet, 3.0 if asked.quick else 20.0)
        back = {gone: await outage(fleet, down_s, gone) for gone in ("server", "hub", "nodes")}
        await fleet.tell("write 0")
        await fleet.up_to(fleet.ends())
        through, flooded = await flood(fleet, 2 if asked.quick else 50)
        memory, wrong = fleet.memory_mb(), fleet.differing()
        began = time.monotonic()
        fleet.seen()
        looked = time.monotonic() - began
    finally:
        await fleet.stop()
    if wrong:
        raise SystemExit(f"the hub has another journal than these nodes: {wrong[:5]}")
    return [
        Figure(f"{nodes} nodes, all with a backlog: into the store", "events/s", through),
        *(Figure(f"  processor of the {name}", "cores", flooded[name]) for name in ("hub", "server", "nodes")),
        Figure(f"{nodes} nodes come at once: all are there", "s", joined),
        Figure(f"they write a run each {every_s:g} s", "events/s", nodes * RUN_EVENTS / every_s),
        Figure("  the hub is behind: median", "s", statistics.median(lags)),
        Figure("  the hub is behind: of 100, the last but one", "s", _percentile(lags, 0.99)),
        *(Figure(f"  processor of the {name}", "cores", shares[name]) for name in ("hub", "server", "nodes")),
        *(Figure(f"up to date after {down_s:g} s without {_GONE[gone]}", "s", back[gone]) for gone in back),
        Figure("memory of the hub", "MB", memory[0]),
        Figure("memory of the server", "MB", memory[1]),
        Figure("`hub nodes` reads its store in", "s", looked),
    ]


_GONE = {"server": "the hub's server", "hub": "the hub", "nodes": "a share of the nodes"}


async def _word(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    if not await asyncio.wait_for(process.stdout.readline(), _PATIENCE_S):
        raise SystemExit("a process with nodes has ended")


def _percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) / 1024


def main() -> None:
    """The command line."""
    more = parser(__doc__)
    more.add_argument("--nodes", type=int, default=300, help="how many (300)")
    more.add_argument("--processes", type=int, default=3, help="in so many processes (3)")
    more.add_argument("--every", type=float, default=5.0, help="seconds between two runs of a node (5)")
    more.add_argument("--down", type=float, default=5.0, help="seconds of each outage (5)")
    given = more.parse_args()
    asked = options(given)
    nodes, down_s = (12, 0.5) if asked.quick else (given.nodes, given.down)
    with folder(asked) as path:
        every_s = 1.0 if asked.quick else given.every
        figures = asyncio.run(measure(asked, Path(path), nodes, given.processes, every_s, down_s))
    show("a fleet at one hub", figures, asked)


if __name__ == "__main__":
    main()
