"""How fast the journal takes and gives events, beside plain `sqlite3` doing the least that durability needs.

    python -m benchmarks.journal_append [--json] [--folder DIR]

The floor is a thread that writes 300-byte rows to one table with `synchronous=FULL`, as many to a commit as have
gathered, for 64 awaiters. Both are measured in turns, and the best turn of each counts: on a shared machine, what is
slower than that was somebody else's work.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import queue
import sqlite3
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Raw

from skerry.core.events import Event, RunStarted, StateEntered, StepCompleted, StepScheduled
from skerry.core.projection import RunRow
from skerry.journal import SqliteJournal, verify
from skerry.ports import Append

AWAITERS = 64
EVENTS_PER_RUN = 20  # a start, ten steps with what is noted about them, an end
BODY = os.urandom(300)
VALUE = Raw(b'{"text":"' + b"x" * 170 + b'"}')  # makes a body of 300 bytes


class Figure(NamedTuple):
    """One line of the table. `floor` and `ratio` are 0 where there is nothing to compare with."""

    name: str
    unit: str
    value: float
    floor: float = 0.0
    ratio: float = 0.0


class WallClock:
    """The `Clock` port."""

    def now_us(self) -> int:
        """Microseconds since 1970."""
        return time.time_ns() // 1000

    async def sleep(self, seconds: float) -> None:
        """Sleeps."""
        await asyncio.sleep(seconds)

    def entropy(self, count: int) -> bytes:
        """Random bytes."""
        return os.urandom(count)


def plain(path: Path) -> sqlite3.Connection:
    """A new database with one table, at the same durability."""
    for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        name.unlink(missing_ok=True)
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, body BLOB)")
    return db


def plain_commit_us(path: Path, count: int) -> float:
    """The median time of one plain commit of one row, in microseconds."""
    db = plain(path)
    times: list[float] = []
    for _ in range(count):
        start = time.perf_counter()
        db.execute("BEGIN")
        db.execute("INSERT INTO events (body) VALUES (?)", (BODY,))
        db.execute("COMMIT")
        times.append(time.perf_counter() - start)
    db.close()
    return statistics.median(times) * 1e6


async def plain_group(path: Path, each: int) -> float:
    """Rows per second of the plain group commit."""
    db = plain(path)
    loop = asyncio.get_running_loop()
    inbox: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]] | None] = queue.SimpleQueue()

    def settle(futures: list[asyncio.Future[None]]) -> None:
        for future in futures:
            future.set_result(None)

    def write() -> None:
        while (first := inbox.get()) is not None:
            jobs = [first]
            while not inbox.empty():
                if (job := inbox.get()) is not None:
                    jobs.append(job)
            db.execute("BEGIN")
            db.executemany("INSERT INTO events (body) VALUES (?)", [(body,) for body, _ in jobs])
            db.execute("COMMIT")
            loop.call_soon_threadsafe(settle, [future for _, future in jobs])

    async def awaiter() -> None:
        for _ in range(each):
            future = loop.create_future()
            inbox.put((BODY, future))
            await future

    thread = threading.Thread(target=write)
    thread.start()
    start = time.perf_counter()
    await asyncio.gather(*(awaiter() for _ in range(AWAITERS)))
    took = time.perf_counter() - start
    inbox.put(None)
    thread.join()
    db.close()
    return AWAITERS * each / took


def event(number: int) -> StepCompleted:
    """An event with a body of about 300 bytes."""
    return StepCompleted(step=str(number), kind="call", target="price", args="0123456789abcdef", by="w", value=VALUE)


async def journal_group(journal: SqliteJournal, each: int, *, rows: bool) -> float:
    """Events per second of `append`, 64 runs at a time, one event each time; with `rows`, the run's row as well."""

    async def run(number: int) -> None:
        for _ in range(each // EVENTS_PER_RUN):
            row = RunRow(run=f"bench-{journal.head.seq}-{number}", workflow="invoice", version=1, status="waiting")
            await journal.append(Append(row.run, 1, 0, [RunStarted(workflow="invoice", version=1)], row))
            for n in range(2, EVENTS_PER_RUN + 1):
                await journal.append(Append(row.run, n, 0, [event(n)], row if rows else None))

    start = time.perf_counter()
    await asyncio.gather(*(run(number) for number in range(AWAITERS)))
    return AWAITERS * each / (time.perf_counter() - start)


async def journal_commit_us(journal: SqliteJournal, count: int) -> float:
    """The median time of one append that is awaited before the next, in microseconds."""
    row = RunRow(run=f"one-{journal.head.seq}", workflow="invoice", version=1, status="waiting")
    await journal.append(Append(row.run, 1, 0, [RunStarted(workflow="invoice", version=1)], row))
    times: list[float] = []
    for n in range(2, count + 2):
        start = time.perf_counter()
        await journal.append(Append(row.run, n, 0, [event(n)]))
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6


async def hop_us(journal: SqliteJournal, count: int) -> float:
    """The median time of one hop to aiosqlite's thread and back, in microseconds."""
    times: list[float] = []
    for _ in range(count):
        start = time.perf_counter()
        await journal._writes.rollback()  # does nothing outside a transaction
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6


async def reading(journal: SqliteJournal, runs: int) -> list[Figure]:
    """Replay's and recovery's part: a long history, and many unfinished runs with four events each."""
    row = RunRow(run="long", workflow="invoice", version=1, status="waiting")
    await journal.append(Append("long", 1, 0, [event(n) for n in range(50_000)], row))
    start = time.perf_counter()
    events = await journal.events("long")
    rate = len(events) / (time.perf_counter() - start)
    waiting: list[Any] = []
    for number in range(runs):
        row = RunRow(run=f"live-{number}", workflow="invoice", version=1, entry_n=2)
        begin: list[Event] = [
            RunStarted(workflow="invoice", version=1),
            StateEntered(entry=1, state="Extract", value=VALUE),
        ]
        steps = [event(1), event(2), StepScheduled(step="3", kind="call", target="price", value=VALUE)]
        waiting.append(journal.append(Append(row.run, 1, 0, [*begin, *steps], row)))
    await asyncio.gather(*waiting)
    start = time.perf_counter()
    found = 0
    async for _ in journal.unfinished():
        found += 1
    took = time.perf_counter() - start
    if found != runs:
        raise AssertionError(f"{found} of {runs} unfinished runs were found")
    return [
        Figure("events(): read, checked, decoded", "events/s", rate),
        Figure(f"unfinished(): {runs:,} runs of 4 events", "s", took),
    ]


async def measure(folder: Path, turns: int, each: int) -> list[Figure]:
    """All figures."""
    floors: list[float] = []
    plains: list[float] = []
    groups: list[float] = []
    with_rows: list[float] = []
    ones: list[float] = []
    journal = await SqliteJournal.open(folder / "data", node="bench", clock=WallClock())
    try:
        for _ in range(turns):
            floors.append(await plain_group(folder / "plain.db", each))
            groups.append(await journal_group(journal, each, rows=False))
            with_rows.append(await journal_group(journal, each, rows=True))
            plains.append(plain_commit_us(folder / "plain.db", 1000))
            ones.append(await journal_commit_us(journal, 1000))
        hop = await hop_us(journal, 2000)
        read = await reading(journal, 10_000)
    finally:
        await journal.close()
    report = verify(folder / "data")
    if not report.ok:
        raise AssertionError(report)
    read.append(Figure("verify: all of it", "events/s", report.events / report.seconds))
    floor, group, rows = max(floors), max(groups), max(with_rows)
    commit, one = min(plains), min(ones)
    return [
        Figure(f"append, {AWAITERS} runs at a time", "events/s", group, floor, group / floor),
        Figure("... and the run's row each time", "events/s", rows, floor, rows / floor),
        Figure("append, one at a time, p50", "us", one, commit, one / commit),
        Figure("one hop to aiosqlite's thread, p50", "us", hop),
        *read,
    ]


def main() -> None:
    """Prints the table, or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object last")
    parser.add_argument("--folder", type=Path, help="on the disk that is to be measured (default: a temporary folder)")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--each", type=int, default=300, help="events per awaiter and turn")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        figures = asyncio.run(measure(Path(folder), asked.turns, asked.each))
    for figure in figures:
        compared = f"{figure.floor:>12,.0f} {figure.ratio:>7.2f}" if figure.floor else ""
        print(f"{figure.name:<42} {figure.value:>12,.2f} {figure.unit:<9}{compared}")
    if asked.json:
        print(json.dumps({"figures": [figure._asdict() for figure in figures]}))


if __name__ == "__main__":
    main()
