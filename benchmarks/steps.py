"""Local steps in one process: ten to a run, each on disk before the next begins.

64 runs at a time, beside a plain sqlite3 thread that commits rows of 300 bytes to an indexed table for 64 awaiters, as
many at once as have gathered; and one run at a time, beside one plain commit. Both journals are WAL with
`synchronous=FULL`.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from pathlib import Path

from benchmarks import workflows
from benchmarks.figures import AWAITERS, Figure, Options, PlainJournal, Turns, Until, folder, options, parser, show
from skerry.clock import SystemClock
from skerry.core import api
from skerry.journal import SqliteJournal
from skerry.node import tune_interpreter
from skerry.registry import load
from skerry.runtime.engine import Engine
from skerry.runtime.verbs import Verbs

SECONDS = 24.0
"""How long the turns go on."""


async def one_run(verbs: Verbs, engine: Engine, workflow: str, x: int) -> None:
    """Starts a run and waits for its end."""
    started = await verbs.start(api.Start(workflow=workflow, data={"x": x}))
    if started.runs[0] in engine.runs:
        with engine.news(started.runs[0], end=True) as ended:
            await ended


async def throughput(verbs: Verbs, engine: Engine, workflow: str, runs: int) -> float:
    """Steps per second, 64 runs at a time."""
    left = iter(range(runs))

    async def runner() -> None:
        for x in left:
            await one_run(verbs, engine, workflow, x)

    before = time.perf_counter()
    await asyncio.gather(*(runner() for _ in range(AWAITERS)))
    return runs * workflows.STEPS / (time.perf_counter() - before)


async def step_s(verbs: Verbs, engine: Engine, runs: int) -> float:
    """The median time from one step's begin to the next one's, one run at a time, in seconds."""
    taken: list[float] = []
    workflows.MARK.set()
    for x in range(runs):
        workflows.BEGUN.clear()
        await one_run(verbs, engine, workflows.local.name, x)
        begun = workflows.BEGUN
        taken += [after - before for before, after in itertools.pairwise(begun)]
    workflows.MARK.clear()
    return statistics.median(taken)


async def measure(asked: Options, path: Path) -> tuple[list[Figure], list[str]]:
    """Everything, in turns."""
    runs, ones = (64, 3) if asked.quick else (640, 30)
    tune_interpreter()  # as an engine's process does; the floor has the same
    clock = SystemClock()
    plain, bare = PlainJournal(path / "plain.db"), PlainJournal(path / "bare.db", indexed=False)
    journal = await SqliteJournal.open(path / "data", node="bench", clock=clock)
    engine = Engine(journal, None, clock, load([workflows]))
    await engine.recover()
    verbs = Verbs(engine)
    turns = Turns()
    until = Until(0.0 if asked.quick else SECONDS, 1 if asked.quick else 5)
    try:
        await throughput(verbs, engine, workflows.local.name, AWAITERS)  # once, to warm up
        while until.more():
            turns.add("floor/s", await plain.group(AWAITERS, runs * workflows.STEPS * 2 // AWAITERS))
            turns.add("bare/s", await bare.group(AWAITERS, runs * workflows.STEPS * 2 // AWAITERS))
            turns.add("steps/s", await throughput(verbs, engine, workflows.local.name, runs))
            turns.add("commit us", plain.commit_s(ones * workflows.STEPS) * 1e6)
            turns.add("step us", await step_s(verbs, engine, ones) * 1e6)
    finally:
        await engine.drain(1.0)
        await journal.close()
        plain.close()
        bare.close()
    median = turns.median
    return [
        Figure(
            f"local steps, {AWAITERS} runs at a time",
            "steps/s",
            median("steps/s"),
            median("floor/s"),
            ">= 10,000 and ratio >= 0.25",
        ),
        Figure("  beside a floor whose table has no index", "steps/s", median("steps/s"), median("bare/s")),
        Figure("local step, one run at a time, p50", "us", median("step us"), median("commit us"), "ratio <= 2.5"),
    ], [turns.spread("steps/s", "floor/s", "bare/s", "step us", "commit us")]


def main() -> None:
    """The command line."""
    asked = options(parser(__doc__).parse_args())
    with folder(asked) as path:
        figures, notes = asyncio.run(measure(asked, Path(path)))
    show("local steps", figures, asked, notes)


if __name__ == "__main__":
    main()
