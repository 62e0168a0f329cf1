"""The sandbox process: imports the tasks once, and forks a fresh process for each call.

    worker --(jobs: one end of a new socket per call)--> runner --(that socket)--> worker
      \\--(control: Kill)--> template --(control: Exit)--> worker

The template never sees a document. It keeps a few runners waiting; the next job wakes one of them, which says so (the
template forks another meanwhile, so that nobody waits for a fork), reads the request, gives up its rights, runs the
call, answers and ends. So every call has a process that has seen no other call's data, whose limits count from zero,
and whose death is its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import selectors
import shutil
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import msgspec

from skerry import registry
from skerry.core.codec import encode_json
from skerry.core.tasks import CONTEXT, Limits, TaskContext, Written, read_blob
from skerry.core.types import Blob
from skerry.errors import NotFound
from skerry_workers import confine
from skerry_workers.calls import Call, Calls
from skerry_workers.failures import failed, writable
from skerry_workers.preload import preload
from skerry_workers.sandbox_wire import LENGTHS, OUT_OF_MEMORY, PID, Answer, Document, Exit, Kill, Request, Setup, frame

TRACE_CHARACTERS_MAX = 8000
_blob: msgspec.json.Decoder[Blob] = msgspec.json.Decoder(Blob)
_request: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_BREATH_S = 0.1


def main(setup: Setup) -> None:
    """Serves until the worker closes its end or dies. To be called in the process's main thread."""
    confine.die_with(setup.parent, signal.SIGTERM)
    jobs, control = socket.socket(fileno=setup.jobs), socket.socket(fileno=setup.control)
    loaded = registry.load(setup.modules)
    preload(loaded)
    calls = Calls(loaded, setup.size, setup.modules)
    gc.collect()
    gc.freeze()  # the collector leaves these objects alone, so forks go on sharing their memory
    template = Template(jobs, control, calls, Path(setup.folder), setup.idle)
    try:
        template.serve()
    finally:
        template.close()


class Template:
    """Forks runners, tells the worker how they ended, kills those that it is told to."""

    def __init__(self, jobs: socket.socket, control: socket.socket, calls: Calls, folder: Path, idle: int) -> None:
        self._jobs = jobs
        self._control = control
        self._calls = calls
        self._folder = folder
        self._idle = idle
        self._forked = 0
        self._runners: dict[int, Path] = {}
        self._waiting: set[int] = set()
        self._taken, self._taken_end = os.pipe()
        self._woken, self._woken_end = os.pipe()
        os.set_blocking(self._woken_end, False)
        os.set_blocking(self._woken, False)

    def serve(self) -> None:
        """Until the worker's end of the control socket is closed, or SIGTERM."""
        signal.signal(signal.SIGTERM, _leave)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the worker's to handle
        signal.signal(signal.SIGCHLD, _nothing)  # only so that the wake-up pipe gets its byte
        signal.set_wakeup_fd(self._woken_end, warn_on_full_buffer=False)
        for _ in range(self._idle):
            self._fork()
        self._control.send(b"ready")
        selector = selectors.DefaultSelector()
        for source in (self._taken, self._woken, self._control.fileno()):
            selector.register(source, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if self._taken in ready:
                for (pid,) in PID.iter_unpack(os.read(self._taken, 64 * PID.size)):
                    self._replace(pid)
            if self._woken in ready:
                os.read(self._woken, 1024)
                self._reap()
            if self._control.fileno() in ready:
                try:
                    message = self._control.recv(1024)
                except ConnectionResetError:  # closed with news of ours unread
                    return
                if not message:
                    return
                self._kill(msgspec.json.decode(message, type=Kill).pid)

    def close(self) -> None:
        """Kills every runner and removes what they wrote."""
        for pid in self._runners:
            self._kill(pid)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _kill(self, pid: int) -> None:
        # Only a child that was not reaped yet: so the number cannot have become somebody else's.
        if pid in self._runners:
            for kill in (os.kill, os.killpg):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    kill(pid, signal.SIGKILL)

    def _replace(self, pid: int) -> None:
        """Another runner in the place of one that has taken a job, or died while it waited; once for each."""
        if pid in self._waiting:
            self._waiting.discard(pid)
            self._fork()

    def _fork(self) -> None:
        self._forked += 1
        folder = self._folder / str(self._forked)
        folder.mkdir()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_runner(parent, folder)
        self._runners[pid] = folder
        self._waiting.add(pid)

    def _become_runner(self, parent: int, folder: Path) -> NoReturn:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            confine.die_with(parent, signal.SIGKILL)
            os.setsid()
            os.chdir(folder)
            null = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(null, stream)
            # What can be done before there is a job delays nobody.
            confine.confine(folder)
            _rehearse()
            run(self._next_job(), self._calls.find)
            status = 0
        finally:
            os._exit(status)  # never back into the template's loop, nor through its exit handlers

    def _next_job(self) -> socket.socket:
        me = PID.pack(os.getpid())
        while True:
            message, descriptors, _, _ = socket.recv_fds(self._jobs, 16, 1)
            if not message or not descriptors:  # the worker is gone
                os._exit(0)
            connection = socket.socket(fileno=descriptors[0])
            try:
                connection.sendall(me)
                break
            except OSError:  # the call was given up before we came to it
                connection.close()
        os.write(self._taken_end, me)
        # What is open here a task could use: the control socket to have others killed, for instance.
        for descriptor in (self._taken, self._taken_end, self._woken, self._woken_end):
            os.close(descriptor)
        self._jobs.close()
        self._control.close()
        return connection

    def _reap(self) -> None:
        while self._runners:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self._waiting and status:  # not by a call: what kills it so early may kill the next one, too
                time.sleep(_BREATH_S)
            self._replace(pid)
            folder = self._runners.pop(pid, None)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)  # whatever it may have left running
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
            news = Exit(pid=pid, status=status, cpu_s=used.ru_utime + used.ru_stime, memory_kb=used.ru_maxrss)
            with contextlib.suppress(OSError):  # the worker is gone: the next select says so
                self._control.send(msgspec.json.encode(news))


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def _nothing(number: int, frame: FrameType | None) -> None:
    pass


# --- in the runner ---------------------------------------------------------------------------------------------------


def run(
    connection: socket.socket, find: Callable[[str, str], Call], limit: Callable[[Limits], None] = confine.limit
) -> None:
    """One call: reads the request, runs it within its limits, answers."""
    head, payload = _receive(connection)
    request = _request.decode(head)
    arguments, *documents = _cut(payload, [request.args_size, *(each.size for each in request.documents)])
    by_hash = {each.sha256: data for each, data in zip(request.documents, documents, strict=True)}
    del payload, documents
    no_memory = frame(Answer(kind=OUT_OF_MEMORY), 0)  # made now: later there may be no room for it
    try:
        call = find(request.kind, request.target)
        limit(request.limits)
        written = Written()
        value = _invoke(call, arguments, request, by_hash, written)
        sizes = tuple(len(data) for data in written.values())
        answer = frame(Answer(written=sizes), len(value) + sum(sizes))
        value = b"".join((value, *written.values())) if written else value
    except MemoryError:
        answer, value = no_memory, b""
    except BaseException as error:  # SystemExit, too: whatever the task raises is its failure
        answer, value = _failure(error), b""
    connection.sendall(answer)
    connection.sendall(value)


def _rehearse() -> None:
    """Walks the way of a call once: a fork copies each page of memory when it is first touched, 1 ms in all."""
    document = msgspec.json.encode(Blob(sha256="", size=0))
    request = Request(
        kind="call",
        target="",
        run="",
        step="",
        attempt=0,
        key="",
        limits=Limits(),
        args_size=len(document),
        documents=(Document(sha256="", size=0),),
    )
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(frame(request, len(document)) + document)
        call = Call(
            label="",
            is_async=False,
            limits=None,
            decode=_blob.decode,
            invoke=read_blob,
            encode=encode_json,
            check=msgspec.json.decode,
            model={},
        )

        def find(kind: str, target: str) -> Call:
            return call

        run(theirs, find, confine.rehearse)


def _invoke(call: Call, arguments: bytes, request: Request, documents: dict[str, bytes], written: Written) -> bytes:
    def read(blob: Blob) -> bytes:
        if blob.sha256 not in documents:
            raise NotFound(f"{blob.name or blob.sha256} is not among the documents that this task was given")
        return documents[blob.sha256]

    CONTEXT.set(
        lambda: TaskContext(
            run=request.run,
            step=request.step,
            attempt=request.attempt,
            key=request.key,
            read=read,
            write=written.write,
            settings=request.settings,
        )
    )
    value: Any = call.invoke(call.decode(arguments))
    return call.encode(asyncio.run(value) if call.is_async else value)


def _failure(error: BaseException) -> bytes:
    outcome = failed(error)
    assert outcome.failure is not None
    answer = Answer(
        kind=outcome.failure.kind,
        message=outcome.failure.message,
        retryable=outcome.failure.retryable,
        retry_after_s=outcome.retry_after_s,
        trace=writable("".join(traceback.format_exception(error))[-TRACE_CHARACTERS_MAX:]),
    )
    return frame(answer, 0)


def _receive(connection: socket.socket) -> tuple[bytes, memoryview]:
    head_size, payload_size = LENGTHS.unpack(_exactly(connection, LENGTHS.size))
    return bytes(_exactly(connection, head_size)), _exactly(connection, payload_size)


def _exactly(connection: socket.socket, count: int) -> memoryview:
    buffer = memoryview(bytearray(count))
    at = 0
    while at < count:
        received = connection.recv_into(buffer[at:])
        if not received:
            os._exit(0)  # the worker gave the call up
        at += received
    return buffer


def _cut(payload: memoryview, sizes: list[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield bytes(payload[at : at + size])
        at += size


if __name__ == "__main__":
    main(msgspec.json.decode(sys.argv[1], type=Setup))
