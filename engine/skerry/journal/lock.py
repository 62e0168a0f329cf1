"""One writing process per data folder: an advisory lock that the system drops when the process dies."""

from __future__ import annotations

import fcntl
import os
import shlex
import socket
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from skerry.core.structs import Frozen
from skerry.errors import JournalLocked

NAME = "journal.lock"
_PATIENCE_S = 0.5
"""A holder writes its name right after it has locked; so long we wait for that, in seconds."""


class Holder(Frozen):
    """Who writes in a data folder. `since` is local time with its offset (ISO 8601)."""

    pid: int
    host: str
    command: str
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} (`{self.command}`), since {self.since}"


class FolderLock:
    """The lock of a data folder; held until `release`, or until this process is gone, however it goes."""

    def __init__(self, folder: Path) -> None:
        """Takes the lock at once.

        Raises:
            JournalLocked: another process holds it; says who.
            OSError: the lock file cannot be made.
        """
        self._path = folder / NAME
        # Never inherited by a program that we start (Python opens files close-on-exec), so the lock dies with us.
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._acquire(folder)
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, msgspec.json.encode(_me()) + b"\n", 0)
        except BaseException:
            os.close(self._file)
            raise

    def _acquire(self, folder: Path) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                who = holder(folder)
                if who is None and time.monotonic() < deadline:
                    time.sleep(0.01)  # somebody is only looking (`holder`), or has just let go
                    continue
                raise JournalLocked(
                    f"another process writes in {folder}: {who or 'it has not said who it is'}",
                    hint=f"stop it (`kill {who.pid}` on {who.host})" if who else "try again in a moment",
                ) from error

    def release(self) -> None:
        """Lets the next one in. The file stays: removing it would let two in."""
        if self._file >= 0:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = -1


def holder(folder: Path) -> Holder | None:
    """Who writes in this folder right now; None when nobody does."""
    try:
        file = os.open(folder / NAME, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(file)
    finally:
        os.close(file)
    return None


def _read(file: int) -> Holder:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return msgspec.json.decode(os.pread(file, 65536, 0), type=Holder)
        except msgspec.MsgspecError:
            if time.monotonic() > deadline:
                return Holder(pid=0, host="an unknown host", command="unknown", since="an unknown time")
            time.sleep(0.01)  # whoever has just taken the lock is about to write who it is


def _me() -> Holder:
    since = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
    return Holder(pid=os.getpid(), host=socket.gethostname(), command=shlex.join(sys.orig_argv)[:500], since=since)
