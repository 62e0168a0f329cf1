"""What waits for the collector: a folder of batches, bounded in bytes. The oldest go first when it is full, counted.

A batch is a file, one request's body (OTLP as JSON, gzip). Its name says when it was made, by whom, what is in it and
up to which event of the journal it reaches. Any process of a data folder may add some; one at a time hands them over.
"""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from skerry.core.structs import Frozen
from skerry.telemetry.otlp import Signal

_LEVEL = 1
"""Of gzip: a tenth of the size, for the least of processor time."""
_NAME = re.compile(r"(\d{16})-(.+)\.(\d+)\.(\d+)\.(traces|metrics)\.json\.gz")
_SENDER = "sender.lock"
_TALLY = ".tally.json"


class Batch(NamedTuple):
    """One file. `items` is how many spans or data points it holds, `upto` the last event it tells of (0: no matter)."""

    path: Path
    at_us: int
    owner: str
    signal: Signal
    items: int
    upto: int
    size: int


class Tally(Frozen, omit_defaults=True):
    """What became of it all, since this folder was made: `dropped` for want of room, `refused` by the collector."""

    sent: dict[str, int] = {}
    dropped: dict[str, int] = {}
    refused: dict[str, int] = {}
    sent_us: int = 0
    error: str = ""
    """Why nothing goes out at the moment."""
    error_us: int = 0


class Spool:
    """The folder, as one process uses it. To be used from several threads."""

    def __init__(self, folder: Path, owner: str, bytes_max: int) -> None:
        """`owner` is a name of one token. The folder is made, readable for its owner alone. Raises `OSError`."""
        self.folder = folder
        self.owner = re.sub(r"[^A-Za-z0-9_-]", "_", owner)[:80]
        self._bytes_max = bytes_max
        self._last_us = 0
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self._tally = read_tally(folder / f"{self.owner}{_TALLY}")
        for left in folder.glob(f"{self.owner}.*.part"):  # begun when this process last died
            left.unlink(missing_ok=True)

    @property
    def tally(self) -> Tally:
        """Our own part of it."""
        return self._tally

    def put(self, signal: Signal, body: bytes, count: int, *, upto: int = 0) -> None:
        """Adds a batch, in order; on disk when it returns. Raises `OSError`."""
        self._last_us = at_us = max(time.time_ns() // 1000, self._last_us + 1)
        path = self.folder / f"{at_us:016d}-{self.owner}.{count}.{upto}.{signal}.json.gz"
        part = self.folder / f"{self.owner}.{signal}.part"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(gzip.compress(body + b"\n", _LEVEL, mtime=0))  # files are read line by line, put together
            file.flush()
            os.fsync(descriptor)
        part.rename(path)
        self._make_room()

    def _make_room(self) -> None:
        waiting = list(batches(self.folder))
        room = self._bytes_max - sum(batch.size for batch in waiting)
        for batch in waiting[:-1]:  # the newest stays, however long it is
            if room >= 0:
                return
            with contextlib.suppress(FileNotFoundError):  # it was just handed over
                batch.path.unlink()
                self._add("dropped", batch.signal, batch.items)
            room += batch.size

    def done(self, batch: Batch, *, refused: int = 0, why: str = "") -> None:
        """A batch was handed over; `refused` of what is in it was not taken, and will not be."""
        with contextlib.suppress(FileNotFoundError):
            batch.path.unlink()
        if refused:
            self._add("refused", batch.signal, refused)
        if refused < batch.items:
            self._add("sent", batch.signal, batch.items - refused)
        self._note(msgspec.structs.replace(self._tally, sent_us=time.time_ns() // 1000, error=why, error_us=_now(why)))

    def lost(self, what: str, count: int) -> None:
        """Something could not be told at all."""
        self._add("dropped", what, count)
        self._note(self._tally)

    def stuck(self, why: str) -> None:
        """Nothing goes out: why."""
        if why != self._tally.error:
            self._note(msgspec.structs.replace(self._tally, error=why, error_us=_now(why)))

    def _add(self, column: str, signal: str, count: int) -> None:
        counted = dict(getattr(self._tally, column))
        counted[signal] = counted.get(signal, 0) + count
        self._note(msgspec.structs.replace(self._tally, **{column: counted}))

    def _note(self, tally: Tally) -> None:
        self._tally = tally
        replace(self.folder / f"{self.owner}{_TALLY}", msgspec.json.encode(tally))


def batches(folder: Path) -> Iterator[Batch]:
    """What waits in a folder, oldest first."""
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return
    for name in names:
        found = _NAME.fullmatch(name)
        if found is None:
            continue
        path = folder / name
        with contextlib.suppress(FileNotFoundError):
            at_us, owner, count, upto, signal = found.groups()
            kind: Signal = "traces" if signal == "traces" else "metrics"
            yield Batch(path, int(at_us), owner, kind, int(count), int(upto), path.stat().st_size)


def tallies(folder: Path) -> list[Tally]:
    """Of all processes that use a folder."""
    return [read_tally(path) for path in sorted(folder.glob(f"*{_TALLY}"))]


def read_tally(path: Path) -> Tally:
    """One of them; an empty one where there is none that can be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Tally)
    except (OSError, msgspec.MsgspecError):
        return Tally()


class SenderLock:
    """Whoever holds it hands over what waits in a folder, in order. The system drops it when the process dies."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / _SENDER, os.O_RDWR | os.O_CREAT, 0o600)
        self._held = False

    def take(self) -> bool:
        """Whether it is ours."""
        if not self._held:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            self._held = True
        return True

    def close(self) -> None:
        """Lets the next one."""
        os.close(self._file)


def replace(path: Path, data: bytes) -> None:
    """Puts a small file in the place of an old one, whole or not at all. Raises `OSError`."""
    part = path.with_name(f"{path.name}.part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
    part.rename(path)


def _now(why: str) -> int:
    return time.time_ns() // 1000 if why else 0
