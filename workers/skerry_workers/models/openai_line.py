"""A connection whose waits are patient: they end at once on a byte, and look up every `TICK_S` whether anybody still
wants the answer. No HTTP client that is worth a dependency can be interrupted from another thread.
"""

from __future__ import annotations

import errno
import io
import math
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, TypeVar

from skerry_workers.models.port import Stopped

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

T = TypeVar("T")

TICK_S: Final = 0.05
IDLE_S_MAX: Final = 20.0
"""A connection that was left alone for longer is not used again: servers and routers forget them."""


class Patience:
    """How long to wait for an endpoint: until `stop` is set, for `limit_s` in all, and `silence_s` between two bytes.

    A limit of 0 is none.
    """

    def __init__(self, stop: threading.Event, limit_s: float = 0.0, silence_s: float = 0.0) -> None:
        self.stop = stop
        self.limit_s = limit_s or math.inf
        self.silence_s = silence_s or math.inf
        self._began = self._heard = time.monotonic()

    @property
    def left_s(self) -> float:
        """What is left of the limit; infinite without one."""
        return self._began + self.limit_s - time.monotonic()

    def shorter(self, limit_s: float) -> Patience:
        """For a part of the work: at most so long, and never longer than what is left."""
        return Patience(self.stop, max(min(limit_s or math.inf, self.left_s), TICK_S), self.silence_s)

    def heard(self) -> None:
        """A byte came or went."""
        self._heard = time.monotonic()

    def check(self) -> None:
        """Raises `Stopped`, or `TimeoutError` when it is at an end."""
        if self.stop.is_set():
            raise Stopped("the question was taken back")
        now = time.monotonic()
        if now - self._began >= self.limit_s:
            raise TimeoutError(f"no whole answer within {self.limit_s:.3g} s")
        if now - self._heard >= self.silence_s:
            raise TimeoutError(f"silent for {self.silence_s:.3g} s")


class Line(io.RawIOBase):
    """A connection as a raw stream whose waits are patient. Not closed by whoever reads from it."""

    def __init__(self, sock: socket.socket, patience: Patience) -> None:
        super().__init__()
        self._sock = sock
        self.patience = patience
        self.idle_since = 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        return self.patiently(lambda: self._sock.recv_into(memoryview(buffer)))

    def send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._sent(rest) :]

    def _sent(self, data: memoryview) -> int:
        return self.patiently(lambda: self._sock.send(data))

    def patiently(self, act: Callable[[], T]) -> T:
        """Does it again and again until it was possible; each try waits for a tick at most."""
        while True:
            self.patience.check()
            try:
                done = act()
            except TimeoutError:
                continue
            self.patience.heard()
            return done

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What `HTTPResponse` asks of its socket."""
        return io.BufferedReader(_Borrowed(self))

    def usable(self) -> bool:
        """Whether it can be used again: not old, and nothing came after the last answer (an end would be something)."""
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return time.monotonic() - self.idle_since < IDLE_S_MAX and not poll.poll(0)

    def close(self) -> None:
        if not self.closed:
            self._sock.close()
        super().close()


class _Borrowed(io.RawIOBase):
    """The line without its end: a response closes what it reads from, and the line lives on."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        return self._line.readinto(buffer)


def resolve(host: str, port: int, patience: Patience) -> list[Any]:
    """The addresses of a host, as `getaddrinfo` gives them, which itself can neither be interrupted nor given a limit:
    without a network it tries for a long time. Raises `OSError`, `TimeoutError`, `Stopped`.
    """
    found: Future[list[Any]] = Future()

    def look_up() -> None:
        try:
            found.set_result(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except OSError as error:
            found.set_exception(error)
        except UnicodeError as error:  # no name that could be looked up
            found.set_exception(OSError(str(error)))

    threading.Thread(target=look_up, name="resolve", daemon=True).start()
    while True:
        patience.check()
        try:
            return found.result(TICK_S)
        except TimeoutError:
            if found.done():
                raise


def connect(sock: socket.socket, address: Any, patience: Patience) -> None:
    """Connects, to an address as `getaddrinfo` gives them. Raises `OSError`, `TimeoutError`, `Stopped`."""
    sock.setblocking(False)
    code = sock.connect_ex(address)
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    while code == errno.EINPROGRESS:
        patience.check()
        if poll.poll(TICK_S * 1000):
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))
