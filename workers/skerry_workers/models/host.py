"""The worker's side of a model process: starts it, asks it, and outlives whatever it does.

A process that crashes, hangs, eats too much memory or does not stop when told to is killed and costs the questions that
it was answering; the next question starts another one, after a while that grows with each crash.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Literal, TypeAlias

import msgspec

from skerry.core.structs import Frozen
from skerry_workers.models.frames import Ready
from skerry_workers.models.port import (
    PROBE,
    Answer,
    Capabilities,
    ModelBroken,
    ModelSpec,
    ModelUnavailable,
    Question,
)
from skerry_workers.models.process import ModelProcess, NotTaken

State: TypeAlias = Literal["stopped", "starting", "loading", "ready", "broken"]
"""stopped: nothing runs (not yet, unloaded, or crashed); the next question starts it."""


class HostLimits(Frozen):
    """How long (in seconds) and how often a host puts up with what.

    `load_s`: for the whole start. `silence_s`: without a sign of life; native code that holds the interpreter gives
    none. `grace_s`: to stop after a question was taken back, and to end after `close`. `crashes_max` crashes within
    `crashes_s` are enough: the model counts as broken until that time has passed. After a crash it is started again
    `pause_s` later, twice as long with each further one, `pause_s_max` at most.
    """

    load_s: float = 300.0
    silence_s: float = 60.0
    grace_s: float = 10.0
    crashes_max: int = 5
    crashes_s: float = 600.0
    pause_s: float = 0.5
    pause_s_max: float = 60.0


class ModelHost:
    """One model in a process of its own. The first question, or `start`, starts it. For one event loop."""

    def __init__(self, spec: ModelSpec, limits: HostLimits | None = None) -> None:
        self.spec = spec
        self.limits = limits or HostLimits()
        self.reason = ""
        """Why it is stopped or broken, after a crash."""
        self._process: ModelProcess | None = None
        self._launching: asyncio.Task[ModelProcess] | None = None
        self._crashes: deque[float] = deque(maxlen=self.limits.crashes_max)
        self._broken: ModelBroken | None = None
        self._closed = False
        self._waiting = 0

    @property
    def state(self) -> State:
        """What it is doing."""
        process = self._process
        if process is not None and not process.ended:
            return process.phase
        if self._launching is not None and not self._launching.done():
            return "starting"
        return "broken" if self._broken is not None or self._pause() is None else "stopped"

    @property
    def ready(self) -> Ready | None:
        """Capabilities, digest and loading time of the model that is loaded; None while there is none."""
        return None if self._process is None or self._process.ended else self._process.ready

    @property
    def capabilities(self) -> Capabilities:
        """Of the model that is loaded; with one slot and nothing else while there is none."""
        return self.ready.capabilities if self.ready is not None else Capabilities()

    @property
    def digest(self) -> str:
        """Of the model that is loaded; empty while there is none."""
        return self.ready.digest if self.ready is not None else ""

    @property
    def pid(self) -> int | None:
        """The process's id; None while there is none."""
        return None if self._process is None or self._process.ended else self._process.pid

    @property
    def busy(self) -> int:
        """Questions that are being answered, taken-back ones that have not yet stopped included."""
        return 0 if self._process is None else self._process.busy

    @property
    def waiting(self) -> int:
        """Questions that wait for a slot or for the model to load."""
        return self._waiting

    async def start(self) -> Ready:
        """Loads the model unless it is, even one that was broken. Raises `ModelBroken` or `ModelUnavailable`."""
        self._broken = None
        self._crashes.clear()
        ready = (await self._running()).ready
        assert ready is not None
        return ready

    async def answer(self, question: Question) -> Answer:
        """Asks, when a slot is free. Raises `ModelError`. Cancelling takes the question back.

        The answer's usage has the time of waiting for the slot, and of loading if the question had to wait for that.
        """
        try:
            async with asyncio.timeout(question.timeout_s or None):
                return await self._answer(question)
        except TimeoutError:
            raise ModelUnavailable(f"{self.spec.name} had no answer within {question.timeout_s:g} s") from None

    async def _answer(self, question: Question) -> Answer:
        now = asyncio.get_running_loop().time
        waited = loaded = 0.0
        while True:
            began = now()
            self._waiting += 1
            try:
                process = await self._running()
                loaded, began = loaded + now() - began, now()
                await process.take_slot()
                waited += now() - began
            except NotTaken:
                continue  # the process ended while we waited; another takes the question
            finally:
                self._waiting -= 1
            answer = await process.ask(question)
            usage = msgspec.structs.replace(answer.usage, waiting_s=answer.usage.waiting_s + waited, loading_s=loaded)
            return msgspec.structs.replace(answer, usage=usage)

    async def probe(self, timeout_s: float = 30.0) -> None:
        """Has it write one token, through everything that a question goes through. Raises `ModelError`."""
        await self.answer(msgspec.structs.replace(PROBE, timeout_s=timeout_s))

    async def unload(self) -> None:
        """Ends the process; the next question starts it again. What is being answered is `ModelUnavailable`."""
        if self._launching is not None:
            self._launching.cancel()
            await asyncio.gather(self._launching, return_exceptions=True)
        if self._process is not None:
            await self._process.close()

    async def close(self) -> None:
        """Ends the process for good. Once more does no harm."""
        self._closed = True
        await self.unload()

    async def _running(self) -> ModelProcess:
        """The process, ready. Whoever waits for it may give up: it is loaded all the same."""
        if self._process is not None and not self._process.ended and self._process.phase == "ready":
            return self._process
        if self._launching is None or self._launching.done():
            self._check()
            self._launching = asyncio.create_task(self._launch(), name=f"load {self.spec.name}")
            self._launching.add_done_callback(
                lambda task: task.cancelled() or task.exception()
            )  # told to whoever waits
        try:
            return await asyncio.shield(self._launching)
        except asyncio.CancelledError:
            if self._launching.cancelled():  # not us: it was unloaded
                raise ModelUnavailable(f"{self.spec.name} was unloaded") from None
            raise

    def _check(self) -> None:
        """Raises when it must not be started now."""
        if self._closed:
            raise ModelUnavailable(f"{self.spec.name} is closed")
        if self._broken is not None:
            raise ModelBroken(self._broken.message, hint=self._broken.hint)
        pause = self._pause()
        if pause is None:
            raise ModelBroken(
                f"{self.spec.name} has crashed {len(self._crashes)} times, at last: {self.reason}",
                hint="the worker's log has what the process said; more memory or another variant may help",
            )
        if pause > 0:
            raise ModelUnavailable(f"{self.reason}; it is started again in {pause:.1f} s", retry_after_s=pause)

    def _pause(self) -> float | None:
        """Seconds until it may be started again; None: it has crashed too often."""
        now = asyncio.get_running_loop().time()
        while self._crashes and now - self._crashes[0] > self.limits.crashes_s:
            self._crashes.popleft()
        if not self._crashes:
            return 0.0
        if len(self._crashes) >= self.limits.crashes_max:
            return None
        pause: float = self.limits.pause_s * 2 ** (len(self._crashes) - 1)
        return max(0.0, self._crashes[-1] + min(pause, self.limits.pause_s_max) - now)

    async def _launch(self) -> ModelProcess:
        limits = self.limits
        process = await ModelProcess.spawn(self.spec, silence_s=limits.silence_s, grace_s=limits.grace_s)
        process.when_crashed = self._crashed
        self._process = process
        try:
            async with asyncio.timeout(limits.load_s):
                await process.load()
        except TimeoutError:
            await process.kill(f"{self.spec.name} was not loaded within {limits.load_s:g} s")
            raise ModelUnavailable(self.reason) from None
        except ModelBroken as error:
            self._broken, self.reason = error, error.message
            await process.close()
            raise
        except BaseException:
            await process.close()
            raise
        return process

    def _crashed(self, reason: str) -> None:
        self.reason = reason
        self._crashes.append(asyncio.get_running_loop().time())
