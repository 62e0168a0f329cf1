"""Some of the nodes of `benchmarks.fleet`: each a journal and a whole uplink, as tasks of one process.

It is told on stdin, a line at a time, and answers each with a line: `write S` (each node ends a run every S seconds, or
none: 0), `backlog N` (each node has N more runs, at once), `end`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import resource
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.sync import a_run
from skerry.clock import SystemClock
from skerry.config import Config, Hub
from skerry.core.ids import RunIds
from skerry.hub.process import run_uplink
from skerry.journal import SqliteJournal

_TICK_S = 0.05
_GROUP = 50
"""So many appends of one node are under way at a time."""


class Node:
    """A journal that somebody writes."""

    def __init__(self, name: str, journal: SqliteJournal) -> None:
        self._journal = journal
        self._ids = RunIds(name)
        self._dice = random.Random(name)
        self.next_s = self._dice.random()
        """When it ends its next run, in units of the time between two."""

    async def write(self, runs: int) -> None:
        """So many runs, from beginning to end."""
        for begun in range(0, runs, _GROUP):
            most = min(_GROUP, runs - begun)
            appends = [
                self._journal.append(a_run(self._ids, self._dice, self._journal.head.at_us)) for _ in range(most)
            ]
            await asyncio.gather(*appends)


class Writers:
    """Lets nodes write, evenly over time."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.every_s = 0.0
        self._nodes = nodes
        self._going: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """For ever."""
        passed = 0.0
        while True:
            await asyncio.sleep(_TICK_S)
            if not self.every_s:
                continue
            passed += _TICK_S / self.every_s
            for node in self._nodes:
                if node.next_s <= passed:
                    node.next_s = max(node.next_s + 1.0, passed)
                    task = asyncio.create_task(node.write(1))
                    self._going.add(task)
                    task.add_done_callback(self._going.discard)


async def serve(folder: Path, url: str, first: int, count: int) -> None:
    """Runs so many nodes until it is told to end."""
    async with AsyncExitStack() as stack:
        nodes: list[Node] = []
        stopping = asyncio.Event()
        uplinks: list[asyncio.Task[None]] = []
        for number in range(first, first + count):
            name, data = f"n{number:05}", folder / f"n{number:05}"
            data.mkdir(exist_ok=True)
            journal = await SqliteJournal.open(data, node=name, clock=SystemClock())
            stack.push_async_callback(journal.close)
            nodes.append(Node(name, journal))
            await nodes[-1].write(1)
        for number in range(first, first + count):
            config = Config(data=folder / f"n{number:05}", hub=Hub(url=url))
            uplinks.append(asyncio.create_task(run_uplink(config, stopping)))
        writers = Writers(nodes)
        writing = asyncio.create_task(writers.run())
        _say("up")
        await _told(nodes, writers)
        stopping.set()
        writing.cancel()
        await asyncio.gather(writing, *uplinks, return_exceptions=True)


async def _told(nodes: Sequence[Node], writers: Writers) -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := (await lines.readline()).decode().split():
        if line[0] == "end":
            return
        if line[0] == "write":
            writers.every_s = float(line[1])
        elif line[0] == "backlog":
            for node in nodes:
                await node.write(int(line[1]))
        _say(line[0])


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main() -> None:
    """`python -m benchmarks.fleet_nodes '{"folder": ..., "url": ..., "first": 0, "count": 100}'`."""
    logging.disable(logging.WARNING)  # of outages, which are wanted here
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    told = json.loads(sys.argv[1])
    asyncio.run(serve(Path(told["folder"]), told["url"], told["first"], told["count"]))


if __name__ == "__main__":
    main()
