"""What all benchmarks share: figures and how they are shown, options, the plain-SQLite floor, the `Turns` of A and B.

The machine may be shared and noisy, so a thing and its floor are measured in turns within one run, and of each the
median counts.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import queue
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

AWAITERS = 64
"""As many things are under way at a time wherever throughput is measured."""
BODY = os.urandom(300)
_INSERT = "INSERT INTO events (run, n, body) VALUES (?, ?, ?)"


class Figure(NamedTuple):
    """One line. `floor` is the same work done plainly; both are 0 where there is nothing to compare with."""

    name: str
    unit: str
    value: float
    floor: float = 0.0
    target: str = ""
    """What issue 2 asks for, in words; for people only."""

    @property
    def ratio(self) -> float:
        """Value to floor."""
        return self.value / self.floor if self.floor else 0.0

    def plain(self) -> dict[str, str | float]:
        """As it stands in the JSON."""
        value, floor, ratio = (_rounded(each) for each in (self.value, self.floor, self.ratio))
        return {"name": self.name, "unit": self.unit, "value": value, "floor": floor, "ratio": ratio}


class Options(NamedTuple):
    """What a benchmark was asked for."""

    json: bool
    quick: bool
    folder: Path | None


def parser(doc: str | None) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--json", action="store_true", help="print one JSON object with the figures last")
    made.add_argument("--quick", action="store_true", help="tiny sizes: says whether it works, not how fast it is")
    made.add_argument("--folder", type=Path, help="on the disk that is to be measured (default: a temporary folder)")
    return made


def options(given: argparse.Namespace) -> Options:
    """These options."""
    return Options(json=given.json, quick=given.quick, folder=given.folder)


def show(title: str, figures: Sequence[Figure], asked: Options, notes: Sequence[str] = ()) -> None:
    """A table for people; with `--json` the object for programs after it."""
    print(f"{title} ({os.cpu_count()} cores, load {os.getloadavg()[0]:.1f})")
    print(f"  {'':<46} {'value':>12} {'unit':<9} {'floor':>12} {'ratio':>7}  target")
    for figure in figures:
        floor = f"{_shown(figure.floor):>12} {figure.ratio:>7.2f}" if figure.floor else " " * 20
        print(f"  {figure.name:<46} {_shown(figure.value):>12} {figure.unit:<9} {floor}  {figure.target}".rstrip())
    for note in notes:
        print(f"  {note}")
    if asked.json:
        print(json.dumps({"figures": [figure.plain() for figure in figures]}))


def _rounded(number: float) -> float:
    return float(f"{number:.5g}")


def _shown(number: float) -> str:
    return f"{number:,.0f}" if number >= 1000 else f"{number:,.3g}"


class Turns:
    """Measurements by name; the median of each is what counts."""

    def __init__(self) -> None:
        self._found: dict[str, list[float]] = {}

    def add(self, name: str, value: float) -> None:
        """One more measurement."""
        self._found.setdefault(name, []).append(value)

    def median(self, name: str) -> float:
        """What counts."""
        return statistics.median(self._found[name])

    def spread(self, *names: str) -> str:
        """The least and the most of each, as a note."""
        each = (f"{name} {_shown(min(self._found[name]))} to {_shown(max(self._found[name]))}" for name in names)
        return f"{len(self._found[names[0]])} turns each: " + ", ".join(each)


class Until:
    """Goes through turns until there have been `least` of them and the time is up."""

    def __init__(self, seconds: float, least: int) -> None:
        self._end = time.perf_counter() + seconds
        self._least = least

    def more(self) -> bool:
        """Whether there is another turn."""
        self._least -= 1
        return self._least >= 0 or time.perf_counter() < self._end


def folder(asked: Options) -> tempfile.TemporaryDirectory[str]:
    """A folder for the length of a benchmark."""
    return tempfile.TemporaryDirectory(prefix="skerry-bench-", dir=asked.folder)


# ---- the floor: plain SQLite at the same durability


class PlainJournal:
    """A thread that commits as many 300-byte rows at once as have gathered: the least that a durable step needs.

    One table with one index, so that a run's rows can be found again (without it, if not `indexed`). Nothing is hashed,
    encoded or checked.
    """

    def __init__(self, path: Path, *, indexed: bool = True) -> None:
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, run INTEGER, n INTEGER, body BLOB)")
        if indexed:
            self.db.execute("CREATE UNIQUE INDEX events_by_run ON events (run, n)")
        self._rows = _rows()

    def close(self) -> None:
        """Lets go of the file."""
        self.db.close()

    def commit_s(self, count: int) -> float:
        """The median time of one commit of one row, in seconds; nothing else runs."""
        times: list[float] = []
        for _ in range(count):
            start = time.perf_counter()
            self.db.execute("BEGIN")
            self.db.execute(_INSERT, next(self._rows))
            self.db.execute("COMMIT")
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    async def group(self, awaiters: int, each: int) -> float:
        """Rows per second of so many awaiters, each of which waits for its row before the next."""
        loop = asyncio.get_running_loop()
        inbox: queue.SimpleQueue[asyncio.Future[None] | None] = queue.SimpleQueue()
        thread = threading.Thread(target=self._write, args=(inbox, loop))

        async def awaiter() -> None:
            for _ in range(each):
                done = loop.create_future()
                inbox.put(done)
                await done

        thread.start()
        start = time.perf_counter()
        await asyncio.gather(*(awaiter() for _ in range(awaiters)))
        took = time.perf_counter() - start
        inbox.put(None)
        thread.join()
        return awaiters * each / took

    def _write(self, inbox: queue.SimpleQueue[asyncio.Future[None] | None], loop: asyncio.AbstractEventLoop) -> None:
        while (first := inbox.get()) is not None:
            gathered = [first]
            while not inbox.empty():
                if (next_one := inbox.get()) is not None:
                    gathered.append(next_one)
            self.db.execute("BEGIN")
            self.db.executemany(_INSERT, list(itertools.islice(self._rows, len(gathered))))
            self.db.execute("COMMIT")
            loop.call_soon_threadsafe(_settle, gathered)


def _rows() -> Iterator[tuple[int, int, bytes]]:
    """Of `AWAITERS` runs of ten rows each in turn, and so on."""
    for block in itertools.count():
        for n in range(10):
            for slot in range(AWAITERS):
                yield block * AWAITERS + slot, n, BODY


def _settle(gathered: list[asyncio.Future[None]]) -> None:
    for done in gathered:
        done.set_result(None)
