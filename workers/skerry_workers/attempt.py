"""One task on its way through a worker: run it, publish the result, then let the bus forget the task.

In this order, because the bus holds the truth for us: a task that is acked before its result is stored would be lost
with this process; one whose result is stored twice is fenced by its attempt number.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

import msgspec
from msgspec import Raw

from skerry.core import wire
from skerry.core.events import Failure
from skerry.core.ids import node_of
from skerry.core.structs import NOTHING
from skerry.core.tasks import CONTEXT, Prompt, TaskContext, Written
from skerry.core.types import Blob, blobs_in
from skerry.errors import Busy, DataError, NotFound, SkerryError, Unavailable
from skerry.ports import Bus, Delivery, Message
from skerry.threads import Threads
from skerry_workers.asking import Asker
from skerry_workers.blobs import Blobs
from skerry_workers.calls import Call, Calls
from skerry_workers.failures import Outcome, Refusal, failed
from skerry_workers.sandbox import Sandbox, Sandboxed

GRACE_S = 1.0
"""How long an asynchronous task may take to clean up once it was cancelled."""
_BACK_OFF_S, _BACK_OFF_S_MAX = 0.05, 5.0
_LINE_CHARACTERS = 200

Why: TypeAlias = Literal["", "timeout", "cancel", "lease", "drain"]
"""Why a task was stopped: its time was up, the engine said so (by itself, or when asked), or the worker leaves."""
Ending: TypeAlias = Literal["done", "failed", "dropped", "released"]

T = TypeVar("T")
_log = logging.getLogger("skerry.worker")
_wanted: msgspec.json.Decoder[wire.Wanted] = msgspec.json.Decoder(wire.Wanted)


class Tracer(Protocol):
    """What tells of tasks, where telemetry is on: see `skerry_workers.tracing`."""

    def begin(self, task: wire.Task, headers: Mapping[str, str]) -> Any:
        """A task comes to this worker."""
        ...

    def ended(self, began: Any, task: wire.Task, outcome: Outcome | None, why: str) -> Outcome | None:
        """What came of it, which may have something added; None: it was stopped."""
        ...


class Kit(NamedTuple):
    """What a worker lends to each of its attempts.

    `on_lost` is told +1 when a call was given up that goes on all the same, and -1 when that has ended.
    `asker` asks the models, where the worker has any.
    """

    bus: Bus
    name: str
    size: str
    calls: Calls
    blobs: Blobs
    threads: Threads
    sandbox: Sandbox
    settings: Mapping[str, str]
    on_lost: Callable[[int], None]
    tracer: Tracer | None = None
    asker: Asker | None = None


class Attempt:
    """One task in work."""

    def __init__(self, kit: Kit, task: wire.Task, delivery: Delivery) -> None:
        self.task = task
        self.id = task.id
        self._kit = kit
        self._node = node_of(task.run)
        self._deliveries = [delivery]
        self._loop = asyncio.get_running_loop()
        self._work: asyncio.Task[Outcome] | None = None
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._stopped = asyncio.Event()
        self._why: Why = ""
        self._settled = asyncio.Event()
        self.failure = ""
        """What went wrong, in a line, once it has failed."""

    async def also(self, delivery: Delivery) -> None:
        """The bus has handed the same task out again: it is settled together with the first one. Waits for that."""
        self._deliveries.append(delivery)
        await self._settled.wait()

    def stop(self, why: Why) -> None:
        """Ends the work; only the first reason counts."""
        if self._why:
            return
        self._why = why
        self._stopped.set()
        if self._work is not None and not self._work.done():
            self._work.cancel()
            self._loop.call_later(GRACE_S, self._finish)

    async def beat(self, within_s: float) -> None:
        """Tells the bus that the work goes on, and asks the engine whether it is still wanted.

        No answer is no reason to stop: the engine may be down, and the result will be waiting for it.
        """
        try:
            async with asyncio.timeout(within_s):
                for delivery in self._deliveries:
                    await delivery.working()
                lease = wire.Lease(run=self.task.run, step=self.task.step, attempt=self.task.attempt)
                question = Message(wire.lease_subject(self._node), wire.encode(lease))
                answer = await self._kit.bus.request(question, timeout_s=within_s)
            if not _wanted.decode(answer).wanted:
                self.stop("lease")
        except (TimeoutError, Unavailable, Busy):
            _log.debug("%s: nobody says whether it is still wanted; going on", self.id)
        except msgspec.MsgspecError as error:
            _log.warning("%s: the answer to the lease question makes no sense: %s", self.id, error)

    async def run(self) -> Ending:
        """From the task to its result on the bus, and the task settled."""
        try:
            return await self._run()
        finally:
            self._settled.set()

    async def _run(self) -> Ending:
        outcome = await (self._outcome() if self._kit.tracer is None else self._told(self._kit.tracer))
        stored = outcome is not None and await self._publish(outcome)
        if not stored and self._why == "drain":
            for delivery in self._deliveries:
                await delivery.release()
            return "released"
        for delivery in self._deliveries:
            await delivery.ack()
        if not stored or outcome is None:
            _log.info("%s: stopped, it is no longer wanted (%s)", self.id, self._why)
            return "dropped"
        if outcome.failure is None:
            return "done"
        self.failure = f"{outcome.failure.kind}: {outcome.failure.message}"[:_LINE_CHARACTERS]
        return "failed"

    async def _told(self, tracer: Tracer) -> Outcome | None:
        """The same, and somebody tells of it."""
        began = tracer.begin(self.task, self._deliveries[0].message.headers)
        outcome: Outcome | None = None
        try:
            outcome = await self._outcome()
        finally:
            outcome = tracer.ended(began, self.task, outcome, self._why)
        return outcome

    # --- the work ----------------------------------------------------------------------------------------------------

    async def _outcome(self) -> Outcome | None:
        """What came of it; None when it was stopped because nobody waits for it (here)."""
        seconds = self._seconds_left()
        if seconds is not None and seconds <= 0:
            return _timed_out("its deadline had gone when it came to a worker", retryable=False)
        work = self._work = asyncio.create_task(self._execute())
        work.add_done_callback(self._finish)
        timer = None if seconds is None else self._loop.call_later(seconds, self.stop, "timeout")
        try:
            await self._over
        finally:
            if timer is not None:
                timer.cancel()
            if not work.done():
                self._lose(work)
        if self._why != "timeout":
            return None if self._why else work.result()
        self._why = ""  # that was about the work; from here on it is about the result
        self._stopped.clear()
        left = self._deadline_left()
        if left is not None and left <= 0:
            return _timed_out("its deadline came before its end", retryable=False)
        return _timed_out(f"it took more than {self.task.timeout_s:g} s", retryable=True)

    def _finish(self, _: object = None) -> None:
        if not self._over.done():
            self._over.set_result(None)

    def _lose(self, work: asyncio.Task[Outcome]) -> None:
        work.cancel()
        self._kit.on_lost(1)
        work.add_done_callback(lambda _: self._kit.on_lost(-1))

    def _deadline_left(self) -> float | None:
        return self.task.deadline_us / 1e6 - time.time() if self.task.deadline_us else None

    def _seconds_left(self) -> float | None:
        left = self._deadline_left()
        if self.task.timeout_s <= 0:
            return left
        return self.task.timeout_s if left is None else min(left, self.task.timeout_s)

    async def _execute(self) -> Outcome:
        began = time.perf_counter()
        try:
            call = self._kit.calls.find(self.task.kind, self.task.target)
            if call.asks is not None:
                return await self._answer(call, call.asks)
            value = await self._value(call)
            if len(value) > wire.BLOB_BYTES_MAX:
                raise DataError(f"{call.label} returned more than {wire.BLOB_BYTES_MAX >> 20} MB")
        except Refusal as refusal:
            _log.warning("%s: %s", self.id, refusal)
            return failed(refusal)
        except BaseException as error:  # SystemExit, too: whatever a task raises is its failure, not the worker's
            if self._why and isinstance(error, asyncio.CancelledError):
                raise
            expected = isinstance(error, SkerryError)  # a task says so itself: where it did is of no interest
            _log.warning("%s: %s failed: %s", self.id, self.task.target, error, exc_info=None if expected else error)
            return failed(error)
        model = {**call.model, "seconds": round(time.perf_counter() - began, 6)} if call.model else {}
        return Outcome(value=value, model=model)

    async def _answer(self, call: Call, prompt: Prompt) -> Outcome:
        """Of a model. What the prompt's author has written for it runs beside, as a task does."""
        _, about, documents = await self._arguments(call)
        context = self._context(documents, Written())

        def aside(function: Callable[[], T]) -> Awaitable[T]:
            return self._aside(lambda: _with_context(function, context))

        assert self._kit.asker is not None, "a call that asks a model is found where there are models"
        outcome = await self._kit.asker.outcome(self.task, prompt, about, aside, self._seconds_left())
        if outcome.failure is not None:
            _log.warning("%s: %s: %s", self.id, self.task.target, outcome.failure.message)
        return outcome

    async def _arguments(self, call: Call) -> tuple[bytes, Any, list[tuple[Blob, bytes]]]:
        """The arguments as JSON, as values, and the documents among them."""
        task, blobs = self.task, self._kit.blobs
        raw = bytes(task.args)
        if task.args_blob:
            raw = await self._patiently(lambda: blobs.get(self._node, task.args_blob, "the arguments"))
        arguments = call.decode(raw)
        wanted = list(blobs_in(arguments))
        return raw, arguments, await self._patiently(lambda: blobs.get_all(self._node, wanted)) if wanted else []

    async def _value(self, call: Call) -> bytes:
        task = self.task
        raw, arguments, documents = await self._arguments(call)
        written = Written()
        if call.limits is not None:
            value = await self._kit.sandbox.run(
                Sandboxed(task, call.label, call.limits, raw, documents, self._kit.settings, written)
            )
            call.check(value)
        elif call.is_async:
            context = self._context(documents, written)
            CONTEXT.set(lambda: context)  # of this asyncio task only
            value = call.encode(await call.invoke(arguments))
        else:
            context = self._context(documents, written)
            value = await self._aside(lambda: _with_context(lambda: call.encode(call.invoke(arguments)), context))
        for document in written.values():
            await self._patiently(partial(self._kit.blobs.put, self._node, document))
        return value

    async def _aside(self, function: Callable[[], T]) -> T:
        """In a thread of the worker's."""
        if self._kit.tracer is not None:  # what the function does under OpenTelemetry belongs to our span
            function = partial(contextvars.copy_context().run, function)
        outcome, over = self._kit.threads.submit(function)
        outcome.add_done_callback(partial(self._left_behind, over))
        return await outcome

    def _left_behind(self, over: asyncio.Future[None], outcome: asyncio.Future[Any]) -> None:
        """A call that was given up holds its slot until its thread is free again."""
        if outcome.cancelled():
            self._kit.on_lost(1)
            over.add_done_callback(lambda _: self._kit.on_lost(-1))

    def _context(self, documents: Sequence[tuple[Blob, bytes]], written: Written) -> TaskContext:
        by_hash = {blob.sha256: data for blob, data in documents}

        def read(blob: Blob) -> bytes:
            if blob.sha256 not in by_hash:
                raise NotFound(f"{blob.name or blob.sha256} is not among the documents that this task was given")
            return by_hash[blob.sha256]

        task = self.task
        return TaskContext(
            run=task.run,
            step=task.step,
            attempt=task.attempt,
            key=task.key,
            read=read,
            write=written.write,
            settings=self._kit.settings,
        )

    # --- the result --------------------------------------------------------------------------------------------------

    async def _publish(self, outcome: Outcome) -> bool:
        """Has the result stored, however long that takes. False when it was stopped while nobody took it."""
        try:
            try:
                message = await self._patiently(lambda: self._message(outcome))
            except Refusal as refusal:  # the engine will not have the blob
                message = await self._message(failed(refusal))
            await self._patiently(lambda: self._kit.bus.publish(message))
        except _Stopped:
            return False
        return True

    async def _message(self, outcome: Outcome) -> Message:
        task, value, value_blob = self.task, outcome.value, ""
        if len(value) > wire.MESSAGE_VALUE_BYTES_MAX:
            value, value_blob = b"", await self._kit.blobs.put(self._node, value)
        times = self._deliveries[0].deliveries
        again = {"deliveries": times} if outcome.model and times > 1 else {}
        result = wire.Result(
            run=task.run,
            step=task.step,
            attempt=task.attempt,
            size=self._kit.size,
            worker=self._kit.name,
            value=Raw(value) if value else NOTHING,  # an empty one is no JSON; only a missing one is left out
            value_blob=value_blob,
            failure=outcome.failure,
            retry_after_s=outcome.retry_after_s,
            model={**outcome.model, **again},
            fields=outcome.fields,
        )
        trace = self._deliveries[0].message.headers.get("traceparent", "")
        headers = wire.headers(
            id=str(self.id),
            source=f"skerry/worker/{self._kit.size}/{self._kit.name}",
            type="skerry.result",
            trace=trace or wire.traceparent(task.run, f"{task.step}/{task.attempt}"),
        )
        return Message(wire.result_subject(self.id), wire.encode(result), headers)

    async def _patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Again and again while bus or engine are away. Raises `_Stopped` once the task was stopped."""
        delay_s = _BACK_OFF_S
        while True:
            try:
                return await attempt()
            except (Busy, Unavailable) as error:
                if self._why:
                    raise _Stopped from None
                _log.info("%s: waiting for the bus or the engine: %s", self.id, error)
            try:
                async with asyncio.timeout(delay_s):
                    await self._stopped.wait()
            except TimeoutError:
                delay_s = min(delay_s * 2, _BACK_OFF_S_MAX)


class _Stopped(Exception):
    """Nobody waits for it any more."""


def _with_context(function: Callable[[], T], context: TaskContext) -> T:
    token = CONTEXT.set(lambda: context)
    try:
        return function()
    finally:
        CONTEXT.reset(token)


def _timed_out(message: str, *, retryable: bool) -> Outcome:
    return Outcome(failure=Failure(kind="TimedOut", message=message, retryable=retryable))
