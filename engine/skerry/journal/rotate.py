"""Another key for a journal that is sealed, a first one for one that is not, or none any more.

It needs the journal for itself. Each value names its key, so whenever this is interrupted, everything can still be
read, and doing it again ends it. Digests and hashes stay as they are; each body is compared with its digest, and each
blob with its name, before it is written again.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from skerry.core.chain import body_digest
from skerry.errors import JournalCorrupt, NotFound
from skerry.journal.faults import translated
from skerry.journal.lock import FolderLock
from skerry.journal.reader import BUSY_S, DATABASE
from skerry.journal.sealed import Keys, Seal, keys_file, need_key, new_keys, read_keys, write_keys
from skerry.journal.sql import SQL

_AT_ONCE, _BLOBS_AT_ONCE = 500, 16
"""Rows to a transaction."""


class Rotated(NamedTuple):
    """What was sealed anew, and the id of the key; "" for plain text."""

    key: str
    events: int
    blobs: int
    runs: int


def rotate(folder: Path, *, off: bool = False, progress: Callable[[int], object] = lambda _: None) -> Rotated:
    """Seals everything with a new key, and forgets the old ones; with `off`, unseals everything.

    Raises:
        NotFound: there is no journal.
        JournalLocked: an engine, or an uplink, is at it.
        JournalCorrupt: something is not what was written. What was done so far stays, and all keys do.
        JournalError: it cannot be read or written, or a key that is needed is not there.
        Unavailable: cryptography is not installed.
    """
    path = folder / DATABASE
    if not path.exists():
        raise NotFound(f"there is no journal in {folder}", hint="name the data folder with --data")
    with contextlib.ExitStack() as stack:
        # Also from an uplink on its own, which has read the old keys and would hand over what it cannot unseal.
        for place in (folder, folder / "uplink"):
            if place.is_dir():
                stack.callback(FolderLock(place).release)
        with translated("sealing it anew", path):
            db = stack.enter_context(contextlib.closing(_connect(path)))
            return _rotate(db, folder, off, progress)


def _rotate(db: sqlite3.Connection, folder: Path, off: bool, progress: Callable[[int], object]) -> Rotated:
    before = read_keys(folder)
    found = db.execute(SQL["meta"], ("sealed",)).fetchone()
    need_key(Seal(before) if before is not None else None, str(found[0]) if found else "", folder)
    if off and before is None:
        return Rotated("", 0, 0, 0)
    keys = before if off and before is not None else new_keys(before)
    work = _Work(db, Seal(keys), off, progress)
    write_keys(folder, keys)
    if not off:
        db.execute(SQL["put_meta"], ("sealed", keys.current))
    done = Rotated("" if off else keys.current, work.events(), work.blobs(), work.runs())
    # What was overwritten is not in the log any more either, and nothing of it waits on the bus.
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.rmtree(folder / "nats" / "jetstream", ignore_errors=True)
    if off:
        db.execute(SQL["rotate_off"])
        keys_file(folder).unlink()
    else:
        write_keys(folder, Keys(current=keys.current, keys={keys.current: keys.keys[keys.current]}))
    return done


class _Work:
    """One pass over each table."""

    def __init__(self, db: sqlite3.Connection, seal: Seal, off: bool, progress: Callable[[int], object]) -> None:
        self._db = db
        self._seal = seal
        self._off = off
        self._progress = progress
        self._done = 0

    def events(self) -> int:
        """Bodies with their salts."""
        count = 0
        for lines in self._pieces("rotate_events", _AT_ONCE):
            changed: list[tuple[bytes, bytes, int]] = []
            for seq, digest, stored_salt, sealed in lines:
                salt = self._seal.of_salt(stored_salt, sealed) or b""
                body = self._seal.of_body(stored_salt, sealed) or b""
                if body_digest(salt, body) != digest:
                    raise JournalCorrupt(f"event {seq} is not what was written", hint="skerry verify says more")
                sealed = body if self._off else self._seal.seal(salt + body)
                changed.append((salt if self._off else b"", sealed, seq))
            count += self._write("rotate_event", changed)
        return count

    def blobs(self) -> int:
        """Bytes, of which the name says whether they are right."""
        count = 0
        for lines in self._pieces("rotate_blobs", _BLOBS_AT_ONCE):
            changed: list[tuple[bytes, int]] = []
            for rowid, name, size, sealed in lines:
                data = self._seal.of_blob(sealed, size)
                if hashlib.sha256(data).digest() != name:
                    raise JournalCorrupt(f"blob {name.hex()} is not what was written", hint="skerry verify says more")
                changed.append((data if self._off else self._seal.seal(data), rowid))
            count += self._write("rotate_blob", changed)
        return count

    def runs(self) -> int:
        """Notes."""
        count = 0
        for lines in self._pieces("rotate_runs", _AT_ONCE):
            notes = [(key, self._seal.of_note(note)) for key, note in lines]
            changed = [(note if self._off else self._seal.note(note), key) for key, note in notes]
            count += self._write("rotate_run", changed)
        return count

    def _pieces(self, query: str, at_once: int) -> Iterator[list[Any]]:
        after = 0
        while lines := self._db.execute(SQL[query], (after, at_once)).fetchall():
            yield lines
            after = lines[-1][0]

    def _write(self, statement: str, changed: Sequence[tuple[Any, ...]]) -> int:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(SQL[statement], changed)
            self._db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise
        self._done += len(changed)
        self._progress(self._done)
        return len(changed)


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_S)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
        db.execute(f"PRAGMA {pragma}")
    return db
