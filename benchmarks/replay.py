"""Replay: whole runs read from the journal, checked, decoded, and driven again through their code.

The floor reads the same rows with plain sqlite3 and decodes each body's JSON with msgspec, and does nothing with it.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path

import msgspec

from benchmarks import workflows
from benchmarks.figures import AWAITERS, Figure, Options, Turns, Until, folder, options, parser, show
from benchmarks.steps import throughput
from skerry.clock import SystemClock
from skerry.core.replay import replay
from skerry.journal import JournalReader, SqliteJournal
from skerry.journal.reader import History
from skerry.registry import Registry, load
from skerry.runtime.engine import Engine
from skerry.runtime.verbs import Verbs

SECONDS = 20.0
"""How long the turns go on."""


async def seed(path: Path, runs: int) -> None:
    """Has the engine make finished runs of ten local steps each."""
    clock = SystemClock()
    journal = await SqliteJournal.open(path, node="bench", clock=clock)
    engine = Engine(journal, None, clock, load([workflows]))
    await engine.recover()
    await throughput(Verbs(engine), engine, workflows.local.name, runs)
    await engine.drain(1.0)
    await journal.close()


def replay_one(registry: Registry, history: History) -> int:
    """Replays one run; returns how many events it has."""
    row = history.row
    found = replay(registry.workflow(row.workflow), row, history.events)
    if history.damage is not None or not found.agrees:
        raise AssertionError(f"run {row.run} does not agree: {history.damage or found.problem}")
    return found.events


async def rate(journal: JournalReader, registry: Registry) -> float:
    """Events per second over all runs of the journal, as `skerry replay --all` reads them."""
    before = time.perf_counter()
    count = sum([replay_one(registry, history) async for history in journal.histories()])
    return count / (time.perf_counter() - before)


async def one_by_one_rate(journal: JournalReader, registry: Registry) -> float:
    """The same with a query to each run."""
    before = time.perf_counter()
    rows = await journal.rows(limit=100_000)
    count = sum([replay_one(registry, await journal.history(row)) for row in rows])
    return count / (time.perf_counter() - before)


def plain_rate(database: Path, runs: list[str]) -> float:
    """The same events, read and decoded plainly."""
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    query = (
        "SELECT seq, epoch, n, at_us, kind, version, digest, previous, salt, body FROM events"
        " WHERE run_key = (SELECT key FROM runs WHERE run = ?) ORDER BY n"
    )
    decode = msgspec.json.decode
    count = 0
    before = time.perf_counter()
    for run in runs:
        for line in db.execute(query, (run,)):
            decode(line[-1])
            count += 1
    took = time.perf_counter() - before
    db.close()
    return count / took


async def measure(asked: Options, path: Path) -> tuple[list[Figure], list[str]]:
    """Everything, in turns."""
    await seed(path, AWAITERS if asked.quick else 1500)
    registry = load([workflows])
    turns = Turns()
    until = Until(0.0 if asked.quick else SECONDS, 1 if asked.quick else 5)
    async with await JournalReader.open(path) as journal:
        runs = [row.run for row in await journal.rows(limit=100_000)]
        while until.more():
            turns.add("floor/s", plain_rate(path / "journal.db", runs))
            turns.add("events/s", await rate(journal, registry))
            turns.add("one by one/s", await one_by_one_rate(journal, registry))
    floor = turns.median("floor/s")
    return [
        Figure("replay of runs of 13 events", "events/s", turns.median("events/s"), floor, ">= 50,000"),
        Figure("  with a query to each run", "events/s", turns.median("one by one/s"), floor),
    ], [turns.spread("events/s", "one by one/s", "floor/s")]


def main() -> None:
    """The command line."""
    asked = options(parser(__doc__).parse_args())
    with folder(asked) as path:
        figures, notes = asyncio.run(measure(asked, Path(path)))
    show("replay", figures, asked, notes)


if __name__ == "__main__":
    main()
