"""One process of a model, as its worker sees it: from its start to its end, however that comes."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import Callable
from typing import Literal, NamedTuple

import msgspec

from skerry_workers.models import port
from skerry_workers.models.energy import energy_of
from skerry_workers.models.frames import (
    ALIVE_S,
    HEAD_BYTES_MAX,
    LENGTHS,
    PAYLOAD_BYTES_MAX,
    Answered,
    Ask,
    Cancel,
    FromChild,
    Load,
    Message,
    Ready,
    Refused,
    Setup,
    frame,
    from_child,
)
from skerry_workers.models.machine import memory_of
from skerry_workers.models.port import Answer, ModelError, ModelSpec, ModelUnavailable, Question

_LINES_KEPT, _LINE_CHARACTERS_MAX = 40, 500
_VARIABLES = frozenset(
    ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR", "TZ")
)
_PREFIXES = ("CUDA_", "GGML_", "GOMP_", "KMP_", "LLAMA_", "OMP_", "ORT_", "XDG_")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")

_log = logging.getLogger("skerry.worker.model")


class NotTaken(Exception):
    """The process had ended before it was asked."""


class _Asked(NamedTuple):
    """A question that the process has; it holds a slot until the process has done with it."""

    answer: asyncio.Future[Answer]
    taken_back: list[asyncio.TimerHandle]


class ModelProcess:
    """Made by `spawn`; then `load`, once; then `take_slot` and `ask` for each question; at last `close`."""

    def __init__(
        self, spec: ModelSpec, process: Process, connection: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    ) -> None:
        self.phase: Literal["starting", "loading", "ready"] = "starting"
        self.ready: Ready | None = None
        self.ended = False
        self.when_crashed: Callable[[str], None] = lambda reason: None
        self._spec = spec
        self._process = process
        self._reader, self._writer = connection
        self._loaded: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
        self._asked: dict[int, _Asked] = {}
        self._number = 0
        self._free = asyncio.Semaphore(0)
        self._quiet_s = 0.0
        self._killed_for = ""
        self._closing = False
        self._said: deque[str] = deque(maxlen=_LINES_KEPT)
        self._tasks: list[asyncio.Task[None]] = []
        self._silence_s = self._grace_s = 0.0
        self._energy = energy_of(spec, process.pid)

    @classmethod
    async def spawn(cls, spec: ModelSpec, *, silence_s: float, grace_s: float) -> ModelProcess:
        """Starts the process. See `HostLimits` for the times."""
        ours, theirs = socket.socketpair()
        with theirs:
            setup = Setup(socket=theirs.fileno(), parent=os.getpid())
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "skerry_workers.models.child",
                msgspec.json.encode(setup).decode(),
                env=_environment(spec),
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=PIPE,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        made = cls(spec, process, await asyncio.open_connection(sock=ours))
        made._silence_s, made._grace_s = silence_s, grace_s
        made._tasks = [asyncio.create_task(each) for each in (made._read(), made._listen(), made._watch())]
        return made

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def busy(self) -> int:
        """Questions that it has."""
        return len(self._asked)

    async def load(self) -> Ready:
        """Has it load the model. Raises `ModelBroken` or `ModelUnavailable`."""
        self.phase = "loading"
        self._send(Load(spec=self._spec))
        ready: Ready = await asyncio.shield(self._loaded)
        self.ready, self.phase = ready, "ready"
        for _ in range(ready.capabilities.slots):
            self._free.release()
        return ready

    async def take_slot(self) -> None:
        """Waits for a free slot. Raises `NotTaken` when the process ends before there is one. Then `ask` at once."""
        await self._free.acquire()
        if self.ended:
            self._free.release()
            raise NotTaken

    async def ask(self, question: Question) -> Answer:
        """Asks, with the slot that was taken. Cancelling takes the question back. Raises `ModelError`."""
        loop = asyncio.get_running_loop()
        self._number += 1
        number, asked = self._number, _Asked(loop.create_future(), [])
        self._asked[number] = asked
        try:
            self._send(Ask(id=number, question=question))
        except (UnicodeError, TypeError, msgspec.MsgspecError) as error:
            self._settle(number, lambda future: future.set_exception(NotTaken()))
            asked.answer.exception()
            raise ModelError(f"the question cannot be written down: {error}") from None
        energy, joules = self._energy, 0.0
        begun = energy.begin() if energy is not None else 0.0
        try:
            answer = await asked.answer
        except asyncio.CancelledError:
            if number in self._asked:
                self._send(Cancel(id=number))
                reason = f"{self._spec.name} did not stop within {self._grace_s:g} s"
                asked.taken_back.append(loop.call_later(self._grace_s, self._kill, reason))
            raise
        finally:
            if energy is not None:
                joules = energy.end(begun)
        if not joules:
            return answer
        return msgspec.structs.replace(answer, usage=msgspec.structs.replace(answer.usage, energy_j=joules))

    async def kill(self, reason: str) -> None:
        """Ends it at once."""
        self._kill(reason)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Has it end, by force if it does not within the grace time. Once more does no harm."""
        self._closing = True
        self._writer.close()
        try:
            await asyncio.wait_for(self._process.wait(), self._grace_s)
        except TimeoutError:
            self._kill(f"{self._spec.name} did not end within {self._grace_s:g} s")
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _kill(self, reason: str) -> None:
        if self._process.returncode is None and not self._killed_for:
            self._killed_for = reason
            self._process.kill()

    def _send(self, message: Message) -> None:
        if not self._writer.is_closing():
            self._writer.write(frame(message))

    async def _read(self) -> None:
        """All that the process says, until it ends."""
        try:
            while True:
                head, payload = LENGTHS.unpack(await self._reader.readexactly(LENGTHS.size))
                if head > HEAD_BYTES_MAX or payload > PAYLOAD_BYTES_MAX:
                    raise ValueError(f"a frame of {head} and {payload} bytes")
                message = from_child.decode(await self._reader.readexactly(head))
                self._quiet_s = 0.0
                self._take(message, await self._reader.readexactly(payload))
        except (asyncio.IncompleteReadError, OSError):
            pass  # it hung up: it has ended, or will in a moment
        except (ValueError, msgspec.MsgspecError) as error:
            self._kill(f"{self._spec.name} said something that cannot be read: {error}")
        await self._end()

    def _take(self, message: FromChild, payload: bytes) -> None:
        if isinstance(message, Ready) and not self._loaded.done():
            self._loaded.set_result(message)
        elif isinstance(message, Answered):
            answer = msgspec.structs.replace(message.answer, value=msgspec.Raw(payload))
            self._settle(message.id, lambda future: future.set_result(answer))
        elif isinstance(message, Refused):
            error = self._error(message)
            if message.id:
                self._settle(message.id, lambda future: future.set_exception(error))
            elif not self._loaded.done():
                self._closing = True
                self._loaded.set_exception(error)

    def _error(self, refused: Refused) -> ModelError:
        if refused.trace:
            _log.warning("%s: %s\n%s", self._spec.name, refused.text, refused.trace)
        if refused.kind == ModelUnavailable.__name__:
            return ModelUnavailable(refused.text, hint=refused.hint, retry_after_s=refused.retry_after_s)
        known = getattr(port, refused.kind, None) if refused.kind else None
        if isinstance(known, type) and issubclass(known, ModelError):
            return known(refused.text, hint=refused.hint)
        where = f"loading {self._spec.name}{self._room()}" if refused.id == 0 else f"answering {self._spec.name}"
        return ModelError(f"the backend {self._spec.backend} failed in {where}: {refused.text}")

    def _settle(self, number: int, settle: Callable[[asyncio.Future[Answer]], None]) -> None:
        asked = self._asked.pop(number, None)
        if asked is None:
            return
        for timer in asked.taken_back:
            timer.cancel()
        if not asked.answer.done():
            settle(asked.answer)
        self._free.release()

    async def _end(self) -> None:
        """It hung up. Whatever it still had to do will not be done."""
        self._writer.close()
        try:
            await asyncio.wait_for(self._process.wait(), self._grace_s)
        except TimeoutError:
            self._kill(f"{self._spec.name} closed its socket and did not end")
            await self._process.wait()
        self.ended = True
        reason = self._reason()
        if not self._closing or self._killed_for:
            await asyncio.wait([self._tasks[1]], timeout=1.0)  # its last words
            _log.warning("%s; its last words:\n%s", reason, "\n".join(self._said) or "(none)")
            self.when_crashed(reason)
        if not self._loaded.done():
            self._loaded.set_exception(ModelUnavailable(reason))
        _ = self._loaded.exception()  # nobody may be waiting
        for number in list(self._asked):
            self._settle(number, lambda future: future.set_exception(ModelUnavailable(reason)))
        self._free.release()  # the first who waits hears of it, and wakes the next

    def _reason(self) -> str:
        """What it ended of, in words for a person."""
        name, code = self._spec.name, self._process.returncode or 0
        if self._killed_for:
            return self._killed_for
        if self._closing:
            return f"{name} was unloaded"
        if code == -signal.SIGKILL:
            return f"the process of {name} was killed (SIGKILL), most likely for lack of memory"
        when = "" if self._loaded.done() else f" while it was loading{self._room()}"
        if code < 0:
            return f"the process of {name} crashed{when} ({signal.Signals(-code).name})"
        return f"the process of {name} ended by itself{when} (exit code {code})"

    def _room(self) -> str:
        """A library that gets no memory may say anything, or nothing: so its limit is named."""
        return f" within {self._spec.memory_mb} MB" if self._spec.memory_mb else ""

    async def _listen(self) -> None:
        """What it and its libraries print: the last lines are kept for the log."""
        assert self._process.stderr is not None
        rest = b""
        while part := await self._process.stderr.read(1 << 16):
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                self._hear(line)
            rest = rest[-_LINE_CHARACTERS_MAX:]
        self._hear(rest)

    def _hear(self, line: bytes) -> None:
        words = line[:_LINE_CHARACTERS_MAX].decode("utf-8", "replace").rstrip()
        if words:
            self._said.append(words)
            _log.debug("%s: %s", self._spec.name, words)

    async def _watch(self) -> None:
        """Kills it when it is silent for too long, or has more memory than it may.

        Libraries hold the interpreter while they load a model, which has its own limit of time. Silence is counted in
        ticks, not in time: when our own loop was held up, its words are waiting to be read.
        """
        tick_s = min(ALIVE_S, self._silence_s / 4)
        most = self._spec.memory_mb
        while not self.ended:
            await asyncio.wait([self._tasks[0]], timeout=tick_s)
            self._quiet_s += tick_s if self.phase == "ready" else 0.0
            if self._quiet_s > self._silence_s:
                self._kill(f"the process of {self._spec.name} gave no sign of life for {self._silence_s:g} s")
            elif most and memory_of(self.pid) > most:
                self._kill(f"{self._spec.name} took more than its {most} MB of memory")


def _environment(spec: ModelSpec) -> dict[str, str]:
    """What Python and native libraries need, and the key of this one endpoint; nothing else that the worker knows."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _VARIABLES or name.startswith(_PREFIXES) or name.lower() in _PROXIES or name == spec.key_variable
    }
    # Threads of OpenMP that spin while they wait are many times slower as soon as anybody else wants a core.
    waiting = {"OMP_WAIT_POLICY": "passive"}
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    return {**waiting, **kept, "PYTHONPATH": path, "PYTHONUTF8": "1"}
