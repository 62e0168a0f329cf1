"""The worker: takes tasks of one size from the bus, as many at a time as it has slots, and returns results."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib import metadata
from typing import TypeVar

import msgspec

from skerry.core import wire
from skerry.core.ids import TaskId, check_token
from skerry.errors import DataError, SkerryError, Unavailable
from skerry.ports import Bus, Delivery, Message, Subscription
from skerry.registry import Registry
from skerry.settings import Model, Workers
from skerry.threads import Threads
from skerry_workers import settings
from skerry_workers.attempt import GRACE_S, Attempt, Kit, Tracer
from skerry_workers.blobs import Blobs
from skerry_workers.calls import Calls
from skerry_workers.micro import Counts, MicroService
from skerry_workers.sandbox import Sandbox
from skerry_workers.serving import OpenHost, Serving, open_host

T = TypeVar("T")

ALIVE_EVERY_S = 2.0
SETTLED_KEPT = 4096
"""How many finished tasks a worker remembers, for when the bus hands one out again because an ack was lost."""
_RETRY_S_MAX = 5.0

_GETTING_READY = ("starting", "loading", "warming")

_log = logging.getLogger("skerry.worker")


class Worker:
    """Serves the tasks of one size until it is drained.

    Args:
        bus: where tasks come from.
        registry: the tasks and prompts it knows.
        size: the size it serves.
        name: what it is called, one token of a subject; from host and process id unless given.
        slots: how many tasks it works on at a time.
        modules: the names of the modules that `registry` was loaded from; the sandbox loads them again.
        beat_every_s: how often the bus and the engine hear that a task is still worked on; a third of the queue's
            lease unless given.
        alive_every_s: how often everybody hears that the worker is alive.
        tracer: what tells of tasks, where telemetry is on.
        models: those of the settings; it serves the ones of its size.
        limits: what they may use, and where it answers over HTTP.
        opens: makes the process of a model.
    """

    def __init__(
        self,
        bus: Bus,
        registry: Registry,
        size: str,
        *,
        name: str = "",
        slots: int = 4,
        modules: Sequence[str] = (),
        beat_every_s: float = 0.0,
        alive_every_s: float = ALIVE_EVERY_S,
        tracer: Tracer | None = None,
        models: Mapping[str, Model] | None = None,
        limits: Workers | None = None,
        opens: OpenHost = open_host,
    ) -> None:
        if slots < 1:
            raise DataError(f"a worker has at least one slot, not {slots}")
        self.name = check_token("worker name", name or default_name())
        self.size = size
        self._bus = bus
        self._limits = limits or Workers()
        self._serving = Serving(size, self.name, models or {}, self._limits, opens)
        self._slots = slots = self._serving.slots(slots)
        self._queue = wire.task_queue(size)
        self._beat_every_s = beat_every_s or self._queue.lease_s / 3
        self._alive_every_s = alive_every_s
        self._calls = Calls(registry, size, modules, self._serving.serves)
        self._sandbox = Sandbox(modules, size, min(slots, max(2, os.cpu_count() or 1)))
        self._threads = Threads(slots)
        self._kit = Kit(
            bus=bus,
            name=self.name,
            size=size,
            calls=self._calls,
            blobs=Blobs(bus),
            threads=self._threads,
            sandbox=self._sandbox,
            settings=settings.from_environment(),
            on_lost=self._on_lost,
            tracer=tracer,
            asker=self._serving.asker,
        )
        self._state: wire.WorkerState = "starting"
        self._reason = ""
        self._started_us = time.time_ns() // 1000
        self._worked_s = 0.0
        self._lost = 0
        self._done = 0
        self._failed = 0
        self._last_failure = ""
        self._attempts: dict[TaskId, Attempt] = {}
        self._settled: OrderedDict[TaskId, None] = OrderedDict()
        self._tasks: Subscription | None = None
        self._others: list[Subscription] = []
        self._background: set[asyncio.Task[None]] = set()
        self._change = asyncio.Event()
        self._resize = asyncio.Event()
        self._leave = asyncio.Event()
        self._window = 0

    # --- from start to end -------------------------------------------------------------------------------------------

    async def run(self) -> bool:
        """Serves until `drain` has ended, or it is broken: False then, and another process should take its place."""
        try:
            await self._start()
            async with asyncio.TaskGroup() as group:
                beats = [group.create_task(self._beat()), group.create_task(self._say_alive())]
                others = [group.create_task(self._keep_window()), group.create_task(self._serving.keep())]
                await self._leave.wait()
                for task in (*beats, *others):
                    task.cancel()
        finally:
            await self._close()
        return self._state != "broken"

    async def drain(self, within_s: float) -> None:
        """Takes nothing more, waits for what is under way, gives back what is not done after `within_s` seconds."""
        if self._state == "draining":
            return
        if self._state != "broken":
            self._state = "draining"
        _log.info("%s: draining, %d under way, at most %g s", self.name, len(self._attempts), within_s)
        self._alive()
        await self._take(0)
        if not await self._idle(within_s):
            _log.warning("%s: giving %d tasks back, they took too long", self.name, len(self._attempts))
            for attempt in list(self._attempts.values()):
                attempt.stop("drain")
            await self._idle(2 * GRACE_S)
        self._leave.set()

    async def _start(self) -> None:
        if self._calls.any_limited:
            await self._sandbox.warm_up()
        await self._serving.listen(self._limits.http_port, self.status, self._lively)
        beginnings: list[Callable[[], Awaitable[Subscription]]] = [
            lambda: self._bus.listen(f"cancel.{self.size}.>", self._on_cancel),
            lambda: self._bus.listen(wire.WORKER_PING, lambda _: self._alive()),
        ]
        await self._patiently(lambda: self._bus.ensure(self._queue))
        for begin in beginnings:
            subscription = await self._patiently(begin)
            self._others += [subscription] if subscription is not None else []
        self._others += await self._patiently(lambda: MicroService(self.status, self._counts).start(self._bus)) or []
        await self._warm()
        if self._state in _GETTING_READY:  # it may have been told to leave already
            self._state = "ready"
            await self._take(self._slots)
            _log.info("%s: ready, size %s, %d slots", self.name, self.size, self._slots)

    async def _warm(self) -> None:
        """Loads the models that are to be warm, and has each answer something. What is broken is said, and refuses."""
        leaving = asyncio.create_task(self._leave.wait())
        steps: tuple[tuple[wire.WorkerState, Callable[[], Awaitable[None]]], ...] = (
            ("loading", self._serving.load),
            ("warming", self._serving.warm),
        )
        for state, act in steps:
            if self._state not in _GETTING_READY or not self._serving.to_warm:
                break
            self._state = state
            self._alive()
            acting = asyncio.ensure_future(act())
            await asyncio.wait((acting, leaving), return_when=asyncio.FIRST_COMPLETED)
            acting.cancel()
            await asyncio.gather(acting, return_exceptions=True)
        leaving.cancel()

    async def _patiently(self, action: Callable[[], Awaitable[T]]) -> T | None:
        """Does it as soon as the bus lets us; None when the worker is to leave before that."""
        delay_s = 0.1
        while self._state in (*_GETTING_READY, "ready"):
            try:
                return await action()
            except Unavailable as error:
                _log.warning("%s: waiting for the bus: %s", self.name, error)
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, _RETRY_S_MAX)
        return None

    async def _close(self) -> None:
        for subscription in self._others:
            await subscription.close()
        for task in list(self._background):
            task.cancel()
        self._threads.close()
        await self._serving.close()
        await self._sandbox.close()
        _log.info("%s: left, %d done, %d failed", self.name, self._done, self._failed)

    async def _idle(self, within_s: float) -> bool:
        """Whether nothing was under way any more within so many seconds."""
        try:
            async with asyncio.timeout(within_s):
                while self._attempts:
                    self._change.clear()
                    await self._change.wait()
        except TimeoutError:
            return False
        return True

    # --- tasks -------------------------------------------------------------------------------------------------------

    async def _take(self, window: int) -> None:
        """Pulls at most so many tasks at a time from now on."""
        if self._tasks is not None:
            await self._tasks.close()
        self._window = window
        self._tasks = None
        if window:
            tasks = await self._patiently(lambda: self._bus.consume(self._queue, self._handle, window=window))
            if tasks is not None and self._state != "ready":  # told to leave while we were at it
                await tasks.close()
            else:
                self._tasks = tasks

    async def _handle(self, delivery: Delivery) -> None:
        try:
            task = self._decode(delivery.message)
        except DataError as error:
            _log.warning("%s: a message that is no task: %s", delivery.message.subject, error)
            await delivery.reject(str(error))
            return
        if self._state != "ready":
            await delivery.release()
        elif delivery.deliveries > 1 and task.id in self._settled:
            # Our ack was lost. A first delivery is another matter: the engine has sent it again because the bus has
            # lost the result.
            await delivery.ack()
        elif (earlier := self._attempts.get(task.id)) is not None:
            # We have it still: the bus lost sight of us for longer than a lease.
            await earlier.also(delivery)
        else:
            await self._work(Attempt(self._kit, task, delivery))

    def _decode(self, message: Message) -> wire.Task:
        """The task of a message. Raises `DataError` when it is none, or not the one that its subject names."""
        try:
            task = wire.decode_task.decode(message.data)
        except msgspec.MsgspecError as error:
            raise DataError(f"it does not fit: {error}") from None
        if message.subject != wire.task_subject(self.size, task.id) or task.size != self.size:
            raise DataError(f"it is task {task.id} of size {task.size}, which does not fit its subject")
        return task

    async def _work(self, attempt: Attempt) -> None:
        id = attempt.id
        self._attempts[id] = attempt
        began = time.monotonic()
        try:
            ending = await attempt.run()
        finally:
            self._worked_s += time.monotonic() - began
            del self._attempts[id]
            self._change.set()
        if ending == "released":
            return
        self._done += ending == "done"
        if ending == "failed":
            self._failed += 1
            self._last_failure = attempt.failure
        self._settled[id] = None
        if len(self._settled) > SETTLED_KEPT:
            self._settled.popitem(last=False)

    def _on_cancel(self, message: Message) -> None:
        try:
            attempt = self._attempts.get(wire.task_of(message.subject))
        except DataError as error:
            _log.warning("a cancel that names no task: %s", error)
            return
        if attempt is not None:
            attempt.stop("cancel")

    # --- what goes on meanwhile --------------------------------------------------------------------------------------

    async def _beat(self) -> None:
        """Every task in work, every third of a lease: however long it runs, nobody else gets it."""
        while True:
            await asyncio.sleep(self._beat_every_s)
            for attempt in self._attempts.values():
                self._spawn(attempt)

    def _spawn(self, attempt: Attempt) -> None:
        beat = asyncio.create_task(attempt.beat(self._beat_every_s))
        self._background.add(beat)
        beat.add_done_callback(self._background.discard)

    async def _say_alive(self) -> None:
        while True:
            self._alive()
            await asyncio.sleep(self._alive_every_s)

    def _alive(self) -> None:
        subject = wire.worker_subject(self.size, self.name, "alive")
        notice = asyncio.create_task(self._notify(Message(subject, wire.encode(self.status()))))
        self._background.add(notice)
        notice.add_done_callback(self._background.discard)

    async def _notify(self, message: Message) -> None:
        try:
            await self._bus.notify(message)
        except SkerryError as error:
            _log.debug("%s: nobody hears that it is alive: %s", self.name, error)

    def status(self) -> wire.WorkerStatus:
        """What it is doing."""
        broken = self._serving.broken if self._state == "ready" else ""
        return wire.WorkerStatus(
            name=self.name,
            size=self.size,
            state="broken" if broken else self._state,
            slots=self._slots,
            busy=len(self._attempts),
            lost=self._lost,
            done=self._done,
            failed=self._failed,
            pid=os.getpid(),
            host=socket.gethostname(),
            version=metadata.version("skerry"),
            tasks=self._calls.tasks,
            prompts=self._calls.prompts,
            reason=self._reason or broken,
            started_us=self._started_us,
            models=self._serving.statuses(),
        )

    def _counts(self) -> Counts:
        return Counts(
            requests=self._done + self._failed,
            errors=self._failed,
            seconds=self._worked_s,
            last_error=self._last_failure,
        )

    def _lively(self) -> bool:
        """Whether it is connected, has somewhere to take tasks from, and does so."""
        return self._state == "ready" and (self._tasks is not None or self._window == 0)

    # --- lost slots --------------------------------------------------------------------------------------------------

    def _on_lost(self, change: int) -> None:
        """A call goes on although it was told to end: its slot is gone for as long as that lasts."""
        self._lost += change
        if change > 0:
            _log.warning(
                "%s: a task does not end when told to; %d of %d slots lost", self.name, self._lost, self._slots
            )
        self._change.set()
        self._resize.set()

    async def _keep_window(self) -> None:
        """Pulls as many tasks at a time as there are slots left; without one, the worker is broken and leaves."""
        while True:
            await self._resize.wait()
            self._resize.clear()
            window = max(0, self._slots - self._lost)
            if self._state != "ready" or window == self._window:
                continue
            if window:
                await self._take(window)
                continue
            self._state, self._reason = "broken", "every slot is held by a task that does not end"
            _log.error("%s: broken: %s; another process must take its place", self.name, self._reason)
            await self.drain(0.0)


def default_name() -> str:
    """Host and process id, as one token of a subject."""
    host = re.sub(r"[^A-Za-z0-9_-]", "-", socket.gethostname())[:80] or "worker"
    return f"{host}-{os.getpid()}"
