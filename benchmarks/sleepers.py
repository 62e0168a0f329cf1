"""100,000 sleeping runs in one engine: the memory they take, how fast they are started, and how fast they wake.

The engine runs in a process of its own, as a node does without a bus. It starts the runs in the ordinary way, 64 at a
time, each on disk before it counts. A part of them sleeps to the same moment a little later; they wake all at once,
long after they have left the engine's memory, and the time until the last one has ended is taken.
The floor of both rates is a plain sqlite3 thread that commits rows of 300 bytes for 64 awaiters (a start is three
events and the run's row, a wake-up two and the row); that of the memory is the same process before the first run.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import workflows
from benchmarks.figures import AWAITERS, Figure, Options, PlainJournal, Turns, folder, options, parser, show
from skerry.clock import SystemClock
from skerry.core import api
from skerry.journal import SqliteJournal
from skerry.node import tune_interpreter
from skerry.registry import load
from skerry.runtime.engine import Engine
from skerry.runtime.timers import Timers
from skerry.runtime.verbs import Verbs

RUNS = 100_000
WAKING = 5_000
AFTER = 2_000
"""So many are started after those that wake: more than stay in memory."""
_PARTS = 10
_LONG_S = 7 * 86_400.0
_PATIENCE_S = 60.0


def resident_mb() -> float:
    """The resident memory of this process, in MB (10^6 bytes)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise AssertionError("no VmRSS here: this benchmark needs Linux")


async def start(verbs: Verbs, runs: int, until_s: float) -> float:
    """Starts so many; returns runs per second."""
    left = iter(range(runs))
    request = api.Start(workflow=workflows.sleeper.name, data={"until_s": until_s})

    async def runner() -> None:
        for _ in left:
            await verbs.start(request)

    before = time.perf_counter()
    await asyncio.gather(*(runner() for _ in range(AWAITERS)))
    return runs / (time.perf_counter() - before)


async def wake(journal: SqliteJournal, moment_s: float, waking: int) -> float:
    """Waits for those that wake; returns runs per second, from the moment until the last one has ended."""
    while True:
        ended = len(await journal.rows(status=("done",), limit=waking))
        now = time.time()
        if ended == waking:
            return waking / (now - moment_s)
        if now - moment_s > _PATIENCE_S:
            raise AssertionError(f"only {ended} of {waking} runs have woken up")
        await asyncio.sleep(max(0.02, moment_s - now))


async def sleepers(path: Path, runs: int, waking: int) -> None:
    """What the measured process does; says what it found."""
    clock = SystemClock()
    journal = await SqliteJournal.open(path / "data", node="bench", clock=clock)
    engine = Engine(journal, None, clock, load([workflows]))
    tune_interpreter()  # as every engine's process does
    await engine.recover()
    timers = asyncio.create_task(Timers(engine).run())
    verbs = Verbs(engine)
    plain = PlainJournal(path / "plain.db")
    turns = Turns()
    gc.collect()
    empty_mb = resident_mb()
    later = time.time() + _LONG_S
    rates: list[float] = []
    for _ in range(_PARTS):
        turns.add("floor", await plain.group(AWAITERS, max(1, runs // 2000)))
        rates.append(await start(verbs, (runs - waking - min(AFTER, runs // 2)) // _PARTS, later))
    turns.add("floor", await plain.group(AWAITERS, max(1, runs // 2000)))
    moment_s = time.time() + 1.5 * (waking + AFTER) / min(rates) + 0.5
    await start(verbs, waking, moment_s)
    await start(verbs, min(AFTER, runs // 2), later)
    asleep_mb, in_memory = resident_mb(), len(engine.runs)
    late_s = time.time() - moment_s
    woken = await wake(journal, moment_s, waking)
    for rate in rates:
        turns.add("start", rate)
    found = {"start": turns.median("start"), "floor": turns.median("floor"), "woken": woken, "late_s": late_s}
    found |= {"asleep_mb": asleep_mb, "woken_mb": resident_mb(), "empty_mb": empty_mb, "in_memory": in_memory}
    timers.cancel()
    await engine.drain(0)
    await journal.close()
    plain.close()
    print(json.dumps(found))


def measure(asked: Options, path: Path) -> tuple[list[Figure], list[str]]:
    """Runs the process."""
    runs, waking = (2_000, 200) if asked.quick else (RUNS, WAKING)
    command = [sys.executable, "-m", "benchmarks.sleepers", "--data", str(path)]
    done = subprocess.run(
        [*command, "--runs", str(runs), "--waking", str(waking)], stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    notes = [f"{found['in_memory']:,.0f} runs were in memory, the others only in the journal"]
    if found["late_s"] > 0:
        notes.append(f"starting took longer than planned: the wake-up began {found['late_s']:.1f} s late")
    return [
        Figure("runs started, each on disk", "runs/s", found["start"], found["floor"]),
        Figure(f"runs woken of {waking:,} due at once", "runs/s", found["woken"], found["floor"]),
        Figure(f"resident, {runs:,} runs asleep", "MB", found["asleep_mb"], found["empty_mb"], "< 300 MB"),
        Figure(f"resident, after {waking:,} of them woke", "MB", found["woken_mb"], found["empty_mb"]),
    ], notes


def main() -> None:
    """The command line."""
    known = parser(__doc__)
    known.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    known.add_argument("--runs", type=int, help=argparse.SUPPRESS)
    known.add_argument("--waking", type=int, help=argparse.SUPPRESS)
    given = known.parse_args()
    if given.data:
        asyncio.run(sleepers(given.data, given.runs, given.waking))
        return
    asked = options(given)
    with folder(asked) as path:
        figures, notes = measure(asked, Path(path))
    show("sleeping runs", figures, asked, notes)


if __name__ == "__main__":
    main()
