"""Local calls: tasks without a size run in the engine's own process. Their outcome is recorded, nothing else."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from skerry.core import events as ev
from skerry.core.commands import Call
from skerry.core.execution import Execution
from skerry.core.ids import TaskId
from skerry.core.pending import Transition
from skerry.core.tasks import CONTEXT, TaskContext, TaskFunction, Written
from skerry.core.types import Blob, blobs_in
from skerry.errors import DataError, Denied, NotFound, RetryableError, TerminalError
from skerry.ports import Append
from skerry.threads import Threads

if TYPE_CHECKING:
    from skerry.runtime.engine import Engine

log = logging.getLogger("skerry.calls")

_WORDS_MAX = 8192
"""Characters of an error's text that are recorded."""
_NO_BLOBS: Mapping[str, bytes] = {}


class LocalCalls:
    """Runs them: async functions in the event loop, others in a few threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads: Threads | None = None
        self._running: dict[tuple[str, str, int], asyncio.Task[Any]] = {}
        """By task id."""
        self._lingering: dict[tuple[str, str], asyncio.Future[None]] = {}
        """Functions that still run in a thread, by run and step: a timeout ends the attempt, but not the function."""

    async def run(self, run: Execution, step: str, current: asyncio.Task[Any]) -> Transition | None:
        """Calls the function of a step, in the asyncio task `current`.

        Returns what follows from it; None when nobody waits for it any more.
        """
        engine = self._engine
        pending = run.pending.get(step)
        if pending is None or not isinstance(pending.command, Call):
            return None
        call, attempt, name = pending.command, pending.attempt, run.row.run
        function = call.task
        task = (name, step, attempt)
        failure: ev.Failure | None = None
        raw, value, retry_after_s = b"", None, 0.0
        written: dict[str, bytes] = {}
        self._running[task] = current
        try:
            if engine.tools is not None:
                await engine.tools.check(run, pending)
            arguments = call.arguments()
            blobs = await self._fetch(arguments) if function.takes_blobs else _NO_BLOBS
            CONTEXT.set(partial(_context, task, blobs, written, engine.settings))
            if function.is_async and function.timeout is None:
                value = await function.function(**arguments)
            else:
                value = await self._invoke(function, arguments, (name, step))
            raw, value = function.outcome.cross(value)
            if written:
                at_us = max(engine.journal.head.at_us, engine.now_us())
                await engine.journal.append(Append("", 0, at_us, (), blobs=written))
        except asyncio.CancelledError as error:
            if engine.draining:
                raise
            if run.pending.get(step) is not pending:
                return None  # by us: nobody wants the outcome any more
            failure = failure_of(error)  # by something in the task itself
        except (Exception, SystemExit) as error:  # a task that says `sys.exit()` ends itself, not the engine
            failure = failure_of(error)
            retry_after_s = (error.retry_after_s or 0.0) if isinstance(error, RetryableError) else 0.0
            if not isinstance(error, RetryableError | TerminalError | DataError):
                log.info("task %s of run %s failed", function.name, name, exc_info=error)
        finally:
            del self._running[task]
        if run.pending.get(step) is not pending or pending.attempt != attempt:
            return None  # cancelled or timed out meanwhile
        now = engine.now_us()
        if failure is None:
            return engine.drive(run.returned, step, raw, value, now)
        return engine.drive(run.fail, step, failure, now, retry_after_s=retry_after_s)

    async def _fetch(self, arguments: Mapping[str, Any]) -> Mapping[str, bytes]:
        return {blob.sha256: await self._engine.journal.blob(blob.sha256) for blob in blobs_in(arguments)}

    async def _invoke(self, function: TaskFunction[..., Any], arguments: dict[str, Any], where: tuple[str, str]) -> Any:
        """A function that is not async, or has a timeout."""
        async with asyncio.timeout(function.timeout.total_seconds() if function.timeout is not None else None):
            if function.is_async:
                return await function.function(**arguments)
            if self._threads is None:
                self._threads = Threads(self._engine.limits.local_threads_max)
            while (lingering := self._lingering.get(where)) is not None and not lingering.done():
                await asyncio.shield(lingering)  # the attempt before: there is one copy at a time
            context = contextvars.copy_context()
            outcome, over = self._threads.submit(lambda: context.run(function.function, **arguments))
            self._lingering[where] = over
            over.add_done_callback(partial(self._no_longer, where))
            return await outcome

    def _no_longer(self, where: tuple[str, str], over: asyncio.Future[None]) -> None:
        if self._lingering.get(where) is over:
            del self._lingering[where]

    def cancel(self, task: TaskId) -> None:
        """Nobody wants the outcome any more."""
        running = self._running.get(task)
        if running is not None:
            running.cancel()

    def close(self) -> None:
        """Starts no more threads; those that run are left to end by themselves."""
        if self._threads is not None:
            self._threads.close()


def failure_of(error: BaseException) -> ev.Failure:
    """What is recorded of an exception. Everything may be tried again but what cannot get better."""
    hopeless = isinstance(error, TerminalError | DataError | NotFound | Denied)
    kind = "TimedOut" if isinstance(error, TimeoutError) else type(error).__name__
    return ev.Failure(kind=kind, message=(str(error) or kind)[:_WORDS_MAX], retryable=not hopeless)


def _read(blobs: Mapping[str, bytes], blob: Blob) -> bytes:
    if blob.sha256 not in blobs:
        raise NotFound(f"the task was not given the document {blob.name or blob.sha256}")
    return blobs[blob.sha256]


def _context(
    task: tuple[str, str, int], blobs: Mapping[str, bytes], written: dict[str, bytes], settings: Mapping[str, str]
) -> TaskContext:
    run, step, attempt = task
    return TaskContext(
        run=run,
        step=step,
        attempt=attempt,
        key=f"{run}/{step}",
        read=partial(_read, blobs),
        write=partial(Written.write, written),
        settings=settings,
    )
