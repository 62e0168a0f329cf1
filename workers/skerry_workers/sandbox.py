"""Calls with limits, from the worker's side: one sandbox process, a fresh runner in it for each call.

sandbox_child.py has the other side and the picture.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from skerry.core.tasks import Limits, Written
from skerry.core.types import Blob
from skerry.core.wire import BLOB_BYTES_MAX, Task
from skerry.errors import RetryableError
from skerry_workers.failures import Refusal
from skerry_workers.sandbox_wire import (
    HEAD_BYTES_MAX,
    LENGTHS,
    OUT_OF_MEMORY,
    PID,
    Answer,
    Document,
    Exit,
    Kill,
    Request,
    Setup,
    frame,
)
from skerry_workers.settings import without_secrets

LIMIT_EXCEEDED, CRASHED = "LimitExceeded", "Crashed"
"""Kinds of failure: beyond its limits; ended without an answer."""
START_S_MAX = 60.0
"""How long the imports may take."""
_EXIT_S_MAX = 5.0
_EXITS_KEPT = 64
_OFFERS_MAX = 3

_log = logging.getLogger("skerry.worker.sandbox")


class Sandboxed(NamedTuple):
    """A call to make: a task with limits, its arguments' JSON, and the documents that it may read."""

    task: Task
    label: str
    limits: Limits
    arguments: bytes
    documents: Sequence[tuple[Blob, bytes]]
    settings: Mapping[str, str] = {}
    written: Written | None = None
    """Where the documents go that it makes; without, they are lost."""

    @property
    def doing(self) -> str:
        """What it does, in words for a person: "reading scan.pdf"."""
        names = [blob.name or f"document {blob.sha256[:12]}" for blob, _ in self.documents]
        if not names:
            return self.label
        return f"reading {names[0]}" + (f" and {len(names) - 1} more" if len(names) > 1 else "")


class Sandbox:
    """Runs calls in processes of their own, at most `count` at a time.

    The sandbox process is started by the first call, or by `warm_up`, and again when it has died.
    """

    def __init__(self, modules: Sequence[str], size: str, count: int) -> None:
        self._modules = tuple(modules)
        self._size = size
        self._free = asyncio.Semaphore(count)
        self._idle = min(count, 2)
        self._starting = asyncio.Lock()
        self._process: _Process | None = None

    async def warm_up(self) -> None:
        """Starts it, so that the first call need not wait for the imports. Raises `RetryableError` if that fails."""
        await self._running()

    async def _running(self) -> _Process:
        async with self._starting:
            if self._process is None or self._process.ended:
                if self._process is not None:
                    _log.warning("the sandbox process has ended and is started again")
                    await self._process.close()
                self._process = await _Process.launch(self._modules, self._size, self._idle)
            return self._process

    async def close(self) -> None:
        """Ends the process and all calls in it."""
        if self._process is not None:
            await self._process.close()

    async def run(self, call: Sandboxed) -> bytes:
        """The JSON of the call's value, unchecked: what answers may have been taken over by a document.

        Raises `Refusal` when it failed by itself, went beyond its limits or crashed. Cancelling kills it.
        """
        async with self._free:
            for _ in range(_OFFERS_MAX):
                try:
                    return await self._offer(await self._running(), call)
                except _NotTaken:
                    continue  # nothing has begun
        raise RetryableError(f"{call.label}: the sandbox did not take it")

    async def _offer(self, process: _Process, call: Sandboxed) -> bytes:
        ours, theirs = socket.socketpair()
        with ours:
            ours.setblocking(False)
            with theirs:
                process.offer(theirs)
            return await _Conversation(process, ours, call).run()


class _NotTaken(Exception):
    """No runner took the call: it, or the whole sandbox, died just then."""


class _Conversation:
    """One call over its own socket."""

    def __init__(self, process: _Process, connection: socket.socket, call: Sandboxed) -> None:
        self._process = process
        self._connection = connection
        self._call = call
        self._loop = asyncio.get_running_loop()

    async def run(self) -> bytes:
        call = self._call
        try:
            async with asyncio.timeout(START_S_MAX):
                (pid,) = PID.unpack(await self._receive(PID.size))
        except (TimeoutError, EOFError, OSError):
            raise _NotTaken from None
        try:
            async with asyncio.timeout(call.limits.wall_s):
                await self._send()
                return await self._answer()
        except TimeoutError:
            self._process.kill(pid)
            raise self._exceeded(f"{call.limits.wall_s:g} s") from None
        except (EOFError, OSError, msgspec.MsgspecError):
            self._process.kill(pid)
            raise self._died(await self._process.exit_of(pid)) from None
        except BaseException:
            self._process.kill(pid)
            raise

    async def _send(self) -> None:
        call, task = self._call, self._call.task
        request = Request(
            kind=task.kind,
            target=task.target,
            run=task.run,
            step=task.step,
            attempt=task.attempt,
            key=task.key,
            limits=call.limits,
            args_size=len(call.arguments),
            documents=tuple(Document(sha256=blob.sha256, size=len(data)) for blob, data in call.documents),
            settings=without_secrets(call.settings),
        )
        size = len(call.arguments) + sum(len(data) for _, data in call.documents)
        await self._loop.sock_sendall(self._connection, frame(request, size) + call.arguments)
        for _, data in call.documents:
            await self._loop.sock_sendall(self._connection, data)

    async def _answer(self) -> bytes:
        head_size, size = LENGTHS.unpack(await self._receive(LENGTHS.size))
        if size > BLOB_BYTES_MAX:
            raise Refusal(LIMIT_EXCEEDED, f"{self._call.doing} made an answer of over {BLOB_BYTES_MAX >> 20} MB")
        if head_size > HEAD_BYTES_MAX:
            raise EOFError
        answer = msgspec.json.decode(await self._receive(head_size), type=Answer)
        if not answer.kind:
            return await self._value(size, answer.written)
        if answer.kind == OUT_OF_MEMORY:
            raise self._exceeded(f"{self._call.limits.memory_mb} MB of memory")
        if answer.trace:
            _log.warning("%s: %s failed\n%s", self._call.task.id, self._call.label, answer.trace)
        if answer.retryable and answer.retry_after_s:
            raise RetryableError(answer.message, retry_after_s=answer.retry_after_s)
        raise Refusal(answer.kind, answer.message, retryable=answer.retryable)

    async def _value(self, size: int, written: Sequence[int]) -> bytes:
        """The value, and the documents behind it. Their names are made here: whoever answers may lie about them."""
        value_size = size - sum(written)
        if min((value_size, *written)) < 0:
            raise EOFError
        value = bytes(await self._receive(value_size))
        for count in written:
            document = bytes(await self._receive(count))
            if self._call.written is not None:
                self._call.written.write(document)
        return value

    async def _receive(self, count: int) -> bytearray:
        buffer = bytearray(count)
        view, at = memoryview(buffer), 0
        while at < count:
            received = await self._loop.sock_recv_into(self._connection, view[at:])
            if not received:
                raise EOFError
            at += received
        return buffer

    def _exceeded(self, what: str) -> Refusal:
        return Refusal(LIMIT_EXCEEDED, f"{self._call.doing} took more than {what} and was stopped")

    def _died(self, end: Exit | None) -> Refusal:
        """What a runner that ended without an answer died of, in words for a person."""
        doing, limits = self._call.doing, self._call.limits
        if end is None:
            return Refusal(CRASHED, f"{doing} ended its process without an answer")
        if not os.WIFSIGNALED(end.status):
            code = os.waitstatus_to_exitcode(end.status)
            return Refusal(CRASHED, f"{doing} ended its process without an answer (exit code {code})")
        number = os.WTERMSIG(end.status)
        if number in (signal.SIGXCPU, signal.SIGPROF) or (number == signal.SIGKILL and end.cpu_s >= limits.cpu_s):
            return self._exceeded(f"{limits.cpu_s:g} s of processor time")
        if number == signal.SIGKILL:
            return Refusal(CRASHED, f"{doing} was killed by the system, most likely for lack of memory")
        return Refusal(CRASHED, f"{doing} crashed its process ({signal.Signals(number).name})")


class _Process:
    """The sandbox process: what it was started with, and news of its runners."""

    def __init__(
        self, process: subprocess.Popen[bytes], jobs: socket.socket, control: socket.socket, folder: str
    ) -> None:
        self._process = process
        self._jobs = jobs
        self._control = control
        self._folder = folder
        self._exits: dict[int, asyncio.Future[Exit]] = {}
        self._reader: asyncio.Task[None] | None = None
        self.ended = False

    @classmethod
    async def launch(cls, modules: tuple[str, ...], size: str, idle: int) -> _Process:
        """Starts it and waits for its imports."""
        # Sequenced packets: a message arrives whole or not at all, whoever of the runners receives it.
        jobs, their_jobs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        control, their_control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        folder = tempfile.mkdtemp(prefix="skerry-sandbox-")
        setup = Setup(
            jobs=their_jobs.fileno(),
            control=their_control.fileno(),
            parent=os.getpid(),
            folder=folder,
            idle=idle,
            size=size,
            modules=modules,
        )
        with their_jobs, their_control:
            child = _spawn(setup)
        for ours in (jobs, control):
            ours.setblocking(False)
        process = cls(child, jobs, control, folder)
        try:
            async with asyncio.timeout(START_S_MAX):
                ready = await asyncio.get_running_loop().sock_recv(control, 16)
        except (OSError, TimeoutError):
            ready = b""
        except BaseException:
            await process.close()
            raise
        if not ready:
            await process.close()
            raise RetryableError(f"the sandbox does not start (exit code {child.returncode}); its log says why")
        process._reader = asyncio.create_task(process._read())
        return process

    def offer(self, connection: socket.socket) -> None:
        """Hands the other end of a call's socket to the next runner."""
        try:
            socket.send_fds(self._jobs, [b"job"], [connection.fileno()])
        except OSError:
            self.ended = True
            raise _NotTaken from None

    def kill(self, pid: int) -> None:
        """Has a runner killed; nothing happens if it has ended."""
        try:
            self._control.send(msgspec.json.encode(Kill(pid=pid)))
        except OSError as error:
            _log.debug("cannot have runner %s killed: %s", pid, error)

    async def exit_of(self, pid: int) -> Exit | None:
        """How a runner ended; None when that is not known in time."""
        try:
            return await asyncio.wait_for(self._exit(pid), _EXIT_S_MAX)
        except TimeoutError:
            return None

    def _exit(self, pid: int) -> asyncio.Future[Exit]:
        """News and question come in any order; who is not asked for is forgotten after a while."""
        if pid not in self._exits:
            self._exits[pid] = asyncio.get_running_loop().create_future()
            if len(self._exits) > _EXITS_KEPT:
                del self._exits[next(iter(self._exits))]
        return self._exits[pid]

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while news := await loop.sock_recv(self._control, 4096):
                end = msgspec.json.decode(news, type=Exit)
                future = self._exit(end.pid)
                if future.done():  # a later runner with the same number
                    del self._exits[end.pid]
                    future = self._exit(end.pid)
                future.set_result(end)
        except OSError as error:
            _log.warning("the sandbox process is lost: %s", error)
        finally:
            self.ended = True

    async def close(self) -> None:
        """Ends it: it kills its runners and removes their files itself, and is killed if that takes long."""
        self.ended = True
        if self._reader is not None:
            self._reader.cancel()
        self._jobs.close()
        self._control.close()
        try:
            await asyncio.to_thread(self._process.wait, _EXIT_S_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _spawn(setup: Setup) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "skerry_workers.sandbox_child", msgspec.json.encode(setup).decode()],
        env=_environment(setup.folder),
        cwd=setup.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=(setup.jobs, setup.control),
        start_new_session=True,
    )


def _environment(folder: str) -> dict[str, str]:
    """What Python needs to find the same modules; nothing of what else the worker knows."""
    kept = {name: os.environ[name] for name in ("PATH", "TZ", "LANG", "LC_ALL") if name in os.environ}
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    return {**kept, "HOME": folder, "PYTHONPATH": path, "PYTHONUTF8": "1"}
