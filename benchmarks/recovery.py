"""Recovery: 10,000 unfinished runs, kill -9 of the process that made them, and how long until all of them are live.

A real node (its own nats-server, no workers) makes the runs: each has made four local steps and is in the middle of a
task for a worker, of a local call, or between two attempts of one. It is killed. Another process starts a node on the
same folder; the clock runs from the start of that process (Python, imports, nats-server and all) until every run is in
memory and under way again, those between two attempts too. Then it is killed as well, and so on.
The floor is a plain SELECT of the same rows and events.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import workflows
from benchmarks.figures import AWAITERS, Figure, Options, Turns, Until, folder, options, parser, show
from skerry.config import Config, Workers
from skerry.core import api
from skerry.node import Node, open_node
from skerry.runtime.limits import EngineLimits

RUNS = 10_000
SECONDS = 24.0
"""How long the turns go on."""
_PATIENCE_S = 60.0


def config(path: Path) -> Config:
    """Of both nodes: there is a size, and no worker that serves it."""
    return Config(
        data=path,
        node="bench",
        modules=(workflows.__name__,),
        workers={"rules": Workers(processes=1)},
        limits=EngineLimits(idle_runs_max=RUNS),
        log_level="warning",
    )


# ---- the processes that are killed


async def make(path: Path, runs: int) -> None:
    """Makes the runs, says so, and waits to be killed."""
    async with open_node(config(path)) as node:
        retry, remote = runs // 10, runs * 45 // 100
        for kind, count in (("local", runs - retry - remote), ("remote", remote), ("retry", retry)):
            await _start(node, kind, count)
        while len(node.engine.runs) < runs or not _all_stand(node):  # noqa: ASYNC110 - nothing tells us of a call's begin
            await asyncio.sleep(0.05)
        _say(runs=runs)
        await asyncio.Event().wait()


async def _start(node: Node, kind: str, count: int) -> None:
    left = iter(range(count))

    async def runner() -> None:
        for x in left:
            await node.verbs.start(api.Start(workflow=workflows.unfinished.name, data={"x": x, "kind": kind}))

    await asyncio.gather(*(runner() for _ in range(AWAITERS)))


def _all_stand(node: Node) -> bool:
    """Whether every run has come to the step that it stays in."""
    return all(
        list(run.pending) == ["1-5"] and (run.pending["1-5"].in_flight or run.pending["1-5"].retry_us)
        for run in node.engine.runs.values()
    )


async def recover(path: Path, runs: int) -> None:
    """Recovers, says when all runs were live, and waits to be killed."""
    before = time.monotonic()
    async with open_node(config(path)) as node:
        taken_up = time.monotonic() - before
        while (live := node.engine.live) < runs:
            if time.monotonic() - before > _PATIENCE_S:
                raise AssertionError(f"only {live} of {runs} runs are live")
            await asyncio.sleep(0.005)
        _say(live_at=time.monotonic(), node_s=taken_up)
        await asyncio.Event().wait()


def _say(**what: float) -> None:
    print(json.dumps(what), flush=True)


# ---- the process that kills


class Child:
    """One of them."""

    def __init__(self, part: str, path: Path, runs: int) -> None:
        command = [sys.executable, "-m", "benchmarks.recovery", "--part", part, "--data", str(path)]
        self.began = time.monotonic()
        self.process = subprocess.Popen([*command, "--runs", str(runs)], stdout=subprocess.PIPE, text=True)

    def said(self) -> dict[str, Any]:
        """What it says when it has done its part."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the process ended with {self.process.wait()}")
        said: dict[str, Any] = json.loads(line)
        return said

    def kill(self) -> None:
        """kill -9."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def plain_s(database: Path) -> float:
    """Seconds of a plain SELECT of the unfinished runs and their events."""
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    before = time.perf_counter()
    db.execute("SELECT * FROM runs WHERE status IN ('running', 'waiting', 'review')").fetchall()
    db.execute(
        "SELECT e.* FROM runs AS r JOIN events AS e ON e.run_key = r.key AND e.n >= r.entry_n"
        " WHERE r.status IN ('running', 'waiting', 'review') ORDER BY r.key, e.n"
    ).fetchall()
    took = time.perf_counter() - before
    db.close()
    return took


def measure(asked: Options, path: Path) -> tuple[list[Figure], list[str]]:
    """Makes, kills, recovers, kills, ..."""
    runs = 100 if asked.quick else RUNS
    turns = Turns()
    maker = Child("make", path, runs)
    maker.said()
    turns.add("make s", time.monotonic() - maker.began)
    maker.kill()
    time.sleep(workflows.RETRY_S)  # so that those between two attempts are due
    until = Until(0.0 if asked.quick else SECONDS, 1 if asked.quick else 3)
    while until.more():
        turns.add("floor s", plain_s(path / "journal.db"))
        child = Child("recover", path, runs)
        said = child.said()
        turns.add("all live s", said["live_at"] - child.began)
        turns.add("node s", said["node_s"])
        child.kill()
    live, floor = turns.median("all live s"), turns.median("floor s")
    return [
        Figure("runs live again, from the process's start", "runs/s", runs / live, runs / floor),
        Figure(f"until all {runs:,} runs are live again", "s", live, floor, "< 5 s"),
        Figure("  of it: the node's own start and recovery", "s", turns.median("node s")),
    ], [turns.spread("all live s", "floor s"), f"making the runs took {turns.median('make s'):.1f} s"]


def main() -> None:
    """The command line."""
    known = parser(__doc__)
    known.add_argument("--part", choices=("make", "recover"), help=argparse.SUPPRESS)
    known.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    known.add_argument("--runs", type=int, help=argparse.SUPPRESS)
    given = known.parse_args()
    if given.part:
        asyncio.run((make if given.part == "make" else recover)(given.data, given.runs))
        return
    asked = options(given)
    with folder(asked) as path:
        figures, notes = measure(asked, Path(path) / "data")
    show("recovery after kill -9", figures, asked, notes)


if __name__ == "__main__":
    main()
