"""Makes the golden journal of the current version: python -m tests.journal.make_golden

Run it once per released version of the events or the tables, and commit what it makes. What is committed is never
made anew or edited: it stands for the journals that people have (promise J7).
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import sys
import tempfile
from pathlib import Path

from msgspec.structs import replace

from skerry.core.api import Prune
from skerry.core.codec import sha256
from skerry.core.events import VERSION, NodeStarted, RunCompleted
from skerry.journal import SqliteJournal, export, prune
from skerry.ports import Append, Claim
from skerry.testing.conformance.journal import LARGE, begin, one_of_each, started, step

FOLDER = Path(__file__).parent / "golden" / f"v{VERSION}"
DOCUMENT = b"%PDF-1.7 a document"


class StillClock:
    """Always the same time, always the same dice: the same script makes the same journal."""

    def __init__(self) -> None:
        self._count = 0

    def now_us(self) -> int:
        return 1_700_000_000_000_000

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody sleeps here")

    def entropy(self, count: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(str(self._count).encode()).digest(count)


async def make(folder: Path) -> bytes:
    """Fills a journal with an event of each kind, blobs, claims, a pruned run; returns its export."""
    clock = StillClock()
    at_us = clock.now_us()
    journal = await SqliteJournal.open(folder, node="golden", clock=clock)
    await journal.append(Append("", 1, at_us - 9, [NodeStarted(node="golden", software="0.1.0")]))
    every = replace(begin("golden-1", at_us=at_us - 8, status="done", ended_us=at_us), events=one_of_each())
    await journal.append(replace(every, claims=[Claim("folder", "x", "golden-1")], blobs={sha256(DOCUMENT): DOCUMENT}))
    await journal.append(begin("golden-2", at_us=at_us - 7, wake_us=at_us))
    await journal.append(Append("golden-2", 3, at_us - 6, [step(1, LARGE), step(2)]))
    await journal.append(begin("golden-3", at_us=at_us - 5))
    ended = started("golden-3", status="done", entry_n=2, ended_us=at_us - 4)
    await journal.append(Append("golden-3", 3, at_us - 4, [RunCompleted(result="Posted")], ended))
    await journal.raise_epoch()
    await prune(journal, Prune(before_us=at_us - 1, by="golden", reason="pruned"))
    lines = [line async for line in export(journal)]
    await journal.close()
    return b"".join(lines)


def main() -> None:
    """Writes the files, where there are none."""
    if FOLDER.exists():
        sys.exit(f"{FOLDER} is there already; golden journals are never made anew")
    FOLDER.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        exported = asyncio.run(make(Path(folder)))
        db = sqlite3.connect(Path(folder) / "journal.db")
        db.execute("VACUUM INTO ?", (str(FOLDER / "journal.db"),))
        db.close()
    (FOLDER / "journal.jsonl").write_bytes(exported)


if __name__ == "__main__":
    main()
