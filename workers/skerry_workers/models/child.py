"""The process of a model: loads one backend, and answers questions from a socket until the socket ends.

The main thread reads; up to `slots` threads answer; one says every second that the process lives, which it cannot while
native code holds the interpreter. Whatever libraries print goes to standard error, which the worker reads.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn, cast

import msgspec

from skerry.core.structs import NOTHING
from skerry.errors import SkerryError
from skerry_workers import confine
from skerry_workers.models.frames import (
    ALIVE_S,
    LENGTHS,
    Alive,
    Answered,
    Ask,
    Cancel,
    Load,
    Message,
    Ready,
    Refused,
    Setup,
    frame,
    to_child,
)
from skerry_workers.models.port import Backend, ModelBroken, ModelError, ModelSpec, ModelUnavailable, Question

NICENESS = 5
"""So much less urgent than its worker: the machine stays usable, and the engine's timers on time."""
_OOM_SCORE = 600
"""When the machine runs out of memory, the kernel takes the model, and not the journal's process."""
_LEAVE_S_MAX = 3.0
_TRACE_CHARACTERS_MAX = 4000

_log = logging.getLogger("skerry.model")


def load(spec: ModelSpec) -> Backend:
    """The backend that a spec names, with its model. Raises `ModelError`."""
    name = f"skerry_workers.models.{spec.backend}"
    try:
        module = importlib.import_module(name)
        return cast(Backend, module.load(spec))
    except ModuleNotFoundError as error:
        raise ModelBroken(
            f"the backend {spec.backend} is not installed: there is no module {error.name}",
            hint=f"pip install 'skerry[{spec.backend}]'",
        ) from None


class Child:
    """The two directions of the socket, and what is being answered."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._stops: dict[int, threading.Event] = {}
        self._closing = threading.Event()

    def run(self) -> None:
        """Until the worker hangs up."""
        threading.Thread(target=self._beat, name="alive", daemon=True).start()
        first = self._receive()
        if not isinstance(first, Load):
            return
        backend = self._load(first.spec)
        if backend is None:
            return
        pool = ThreadPoolExecutor(max_workers=backend.capabilities.slots, thread_name_prefix="answer")
        while (message := self._receive()) is not None:
            if isinstance(message, Ask):
                stop = self._stops[message.id] = threading.Event()
                pool.submit(self._answer, backend, message.id, message.question, stop)
            elif isinstance(message, Cancel) and message.id in self._stops:
                self._stops[message.id].set()
        self._leave(backend, pool)

    def _leave(self, backend: Backend, pool: ThreadPoolExecutor) -> None:
        watch = threading.Timer(_LEAVE_S_MAX, os._exit, (0,))  # native code may never come back
        watch.daemon = True
        watch.start()
        self._closing.set()
        for stop in list(self._stops.values()):
            stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
        backend.close()

    def _load(self, spec: ModelSpec) -> Backend | None:
        began = time.monotonic()
        try:
            limit_memory(spec.memory_mb)
            backend = load(spec)
        except MemoryError as error:
            limit_memory(0)  # what was wrong is still to be said
            more = f"{spec.memory_mb} MB are not enough to load {spec.name}"
            self._send(_refused(0, ModelBroken(more, hint="raise `memory_mb`, or take a smaller model"), error))
        except Exception as error:
            limit_memory(0)
            self._send(_refused(0, error))
        else:
            took = time.monotonic() - began
            self._send(Ready(capabilities=backend.capabilities, digest=backend.digest, loading_s=took))
            return backend
        return None

    def _answer(self, backend: Backend, number: int, question: Question, stop: threading.Event) -> None:
        try:
            answer = backend.answer(question, stop)
            bare = msgspec.structs.replace(answer, value=NOTHING)
            reply = frame(Answered(id=number, answer=bare), answer.value)
        except MemoryError as error:
            reply = frame(_refused(number, ModelUnavailable("out of memory while answering"), error))
        except Exception as error:
            reply = frame(_refused(number, error))
        finally:
            self._stops.pop(number, None)
        self._send_bytes(reply)

    def _beat(self) -> None:
        while not self._closing.wait(ALIVE_S):
            self._send(Alive())

    def _send(self, message: Message) -> None:
        self._send_bytes(frame(message))

    def _send_bytes(self, data: bytes) -> None:
        with self._sending, contextlib.suppress(OSError):  # the worker is gone: the main thread hears of it
            self._connection.sendall(data)

    def _receive(self) -> Load | Ask | Cancel | None:
        lengths = self._exactly(LENGTHS.size)
        if lengths is None:
            return None
        head, payload = LENGTHS.unpack(lengths)
        body = self._exactly(head)
        self._exactly(payload)
        return None if body is None else to_child.decode(body)

    def _exactly(self, count: int) -> bytes | None:
        parts = bytearray()
        while len(parts) < count:
            try:
                part = self._connection.recv(min(count - len(parts), 1 << 20))
            except OSError:
                return None
            if not part:
                return None
            parts += part
        return bytes(parts)


def _refused(number: int, error: Exception, cause: Exception | None = None) -> Refused:
    """An error in words for the worker. What is no `ModelError` is a defect, or a library's, and has its trace."""
    known = isinstance(error, ModelError)
    shown = cause or error
    trace = "" if known and cause is None else "".join(traceback.format_exception(shown))[-_TRACE_CHARACTERS_MAX:]
    return Refused(
        id=number,
        kind=type(error).__name__ if known else "",
        text=error.message if isinstance(error, SkerryError) else f"{type(error).__name__}: {error}",
        hint=error.hint if isinstance(error, SkerryError) else "",
        retry_after_s=error.retry_after_s if isinstance(error, ModelUnavailable) else 0.0,
        trace=trace,
    )


def limit_memory(megabytes: int) -> None:
    """No more than this for what the process allocates; a file that is only mapped is not counted. 0: no limit."""
    most = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (megabytes << 20 if megabytes else most, most))


def _settle(setup: Setup) -> None:
    """A process that is in nobody's way: dies with its worker, yields to it, prints where it does no harm."""
    confine.die_with(setup.parent, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's ^C is for the worker, which drains
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE))


def main(argument: str) -> NoReturn:
    """Runs until the worker hangs up, and leaves without what native libraries do at an exit."""
    setup = msgspec.json.decode(argument, type=Setup)
    _settle(setup)
    logging.basicConfig(level="INFO", stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    Child(socket.socket(fileno=setup.socket)).run()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
