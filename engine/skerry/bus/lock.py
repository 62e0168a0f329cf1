"""One nats-server per store folder: nats-server itself takes no lock, and two of them silently lose messages."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import time
from pathlib import Path

from skerry.errors import Unavailable

_POLL_S = 0.05


class StoreLock:
    """`flock` on a file. The descriptor is handed to the server, so the lock lives as long as parent *or* child."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1

    @property
    def fd(self) -> int:
        """The open descriptor, for `pass_fds`; -1 when the lock is not held."""
        return self._fd

    async def acquire(self, patience_s: float) -> None:
        """Takes the lock, waiting up to `patience_s` for a dying orphan. Raises `Unavailable`, naming the holder."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    text = os.pread(fd, 4096, 0)
                    os.close(fd)
                    raise _held(self._path, text) from None
            except BaseException:
                os.close(fd)
                raise
            await asyncio.sleep(_POLL_S)
        self._fd = fd
        self.note(server_pid=0)

    def note(self, *, server_pid: int) -> None:
        """Writes into the file who holds it, for the message that the next one gets."""
        text = json.dumps({"pid": os.getpid(), "command": _command(os.getpid()), "server_pid": server_pid}).encode()
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, text, 0)

    def release(self) -> None:
        """Lets go. The file stays: removing it would let two processes lock two files of one name."""
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = -1


def _held(path: Path, text: bytes) -> Unavailable:
    pid, command, server_pid = 0, "", 0
    with contextlib.suppress(ValueError, KeyError, TypeError):
        holder = json.loads(text)
        pid, command, server_pid = int(holder["pid"]), str(holder["command"]), int(holder["server_pid"])
    if pid and _alive(pid):
        who, hint = f"process {pid} ({command})", "stop that process, or use another data folder"
    elif server_pid and _alive(server_pid):
        who = f"nats-server {server_pid}, which process {pid} ({command}) left behind"
        hint = f"stop it: kill {server_pid}"
    else:
        who, hint = "another process", f"find it with: fuser {path}"
    return Unavailable(f"the bus in {path.parent} is in use by {who}", hint=hint)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _command(pid: int) -> str:
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return "?"
    return raw.replace(b"\0", b" ").decode(errors="replace").strip()[:200]
