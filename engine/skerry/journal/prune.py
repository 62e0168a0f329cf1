"""Removes the bodies of runs that ended long ago (promise J4). Headers, rows and claims stay, and an event says so."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path

from skerry.core.api import Prune, Pruned
from skerry.core.events import BodiesRemoved
from skerry.journal.reader import BUSY_S, read_only_uri
from skerry.journal.references import reachable, references
from skerry.journal.sealed import unsealing
from skerry.journal.sql import SQL
from skerry.journal.sqlite import SqliteJournal
from skerry.ports import Append

_AT_ONCE = 50
"""Runs (and blobs) to a commit, so that others' appends in between do not wait long."""

_PAGES_AT_ONCE = 2000

_BLOB_KEPT_US = 2 * 3600 * 1_000_000
"""A blob that was handed in so lately stays: whoever did may only now publish the event that refers to it. The time of
one that is handed in again is renewed within an hour (see `insert_blob`)."""


async def prune(journal: SqliteJournal, asked: Prune) -> Pruned:
    """Removes bodies and salts of runs that ended before `asked.before_us`, then blobs that nothing refers to any more.

    For each run an event of the node says who removed how many and why, in the same commit. What was removed is
    overwritten in the database before this returns, unless somebody reads at an older moment just then: when the log
    is next copied into the database, at the latest when the journal is closed. The file shrinks by the pages that are
    free; small bodies leave gaps in theirs, which only `VACUUM` closes.

    Raises:
        JournalError: the journal cannot be written; what was not announced was not removed.
    """
    runs = await journal.prunable(asked.before_us, asked.limit)
    removed = 0
    for start in range(0, len(runs), _AT_ONCE):
        done = [_remove(journal, asked, *run) for run in runs[start : start + _AT_ONCE]]
        await asyncio.gather(*done)
        removed += sum(count for _, _, count in runs[start : start + _AT_ONCE])
    young_us = max(journal.clock.now_us(), journal.head.at_us) - _BLOB_KEPT_US
    # Without runs too: blobs that were too young the last time.
    blobs = await _remove_blobs(journal, min(asked.before_us, young_us)) if len(runs) < asked.limit else 0
    for _ in range(await journal.free_pages() // _PAGES_AT_ONCE + 1 if runs or blobs else 0):
        await journal.change(afterwards=SQL["prune_free_pages"])
    return Pruned(runs=len(runs), events=removed, blobs=blobs)


def _remove(journal: SqliteJournal, asked: Prune, key: int, run: str, count: int) -> asyncio.Future[None]:
    at_us = max(journal.clock.now_us(), journal.head.at_us)
    said = BodiesRemoved(of=run, events=count, by=asked.by, reason=asked.reason)
    batch = Append("", journal.last_n("") + 1, at_us, [said])
    return journal.append(batch, also=[(SQL["prune_events"], (key,)), (SQL["prune_run"], (at_us, key))])


async def _remove_blobs(journal: SqliteJournal, before_us: int) -> int:
    unused, seq, rowid = await asyncio.to_thread(_unused, journal.path, before_us)
    before = await journal.blob_count()
    for start in range(0, len(unused), _AT_ONCE):
        await journal.change(
            [
                (SQL["prune_blob"], {"sha256": bytes.fromhex(name), "name": name.encode(), "seq": seq, "rowid": rowid})
                for name in unused[start : start + _AT_ONCE]
            ]
        )
    return before - await journal.blob_count()


def _unused(path: Path, before_us: int) -> tuple[list[str], int, int]:
    """Blobs that were last handed in before `before_us` and that nothing refers to; and how far that was read.

    What is appended while this reads may refer to one of them all the same: `prune_blob` looks at that.
    """
    with contextlib.closing(sqlite3.connect(read_only_uri(path), uri=True, isolation_level=None, timeout=BUSY_S)) as db:
        unsealing(db, path.parent)

        def read(name: str) -> bytes | None:
            found = db.execute(SQL["blob"], (bytes.fromhex(name),)).fetchone()
            return found[0] if found else None

        rowid = db.execute(SQL["prune_last_blob"]).fetchone()[0]
        candidates = {found.hex() for (found,) in db.execute(SQL["prune_old_blobs"], (before_us,))}
        roots: set[str] = set()
        seq = 0
        while pieces := db.execute(SQL["prune_bodies"], (seq,)).fetchall():
            for _, body in pieces:
                roots |= references(body)
            seq = pieces[-1][0]
        return sorted(candidates - reachable(roots, read)), seq, rowid
