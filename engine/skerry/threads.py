"""Threads for tasks that are plain functions, in the engine and in workers. One that hangs ends with the process.

`concurrent.futures` would do, but waits at exit for every thread: a task that hangs would keep its process from ever
leaving.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")

_Job: TypeAlias = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", "asyncio.Future[None]", Callable[[], Any]]


class Threads:
    """At most `count` daemon threads, started as they are needed. To be used from one event loop."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._started = 0
        self._busy = 0
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()

    def submit(self, function: Callable[[], T]) -> tuple[asyncio.Future[T], asyncio.Future[None]]:
        """Runs the function in a thread as soon as one is free; returns its outcome to come, and its end.

        Cancelling the outcome does not stop a function that runs: it goes on, and its value is dropped. Its end comes
        when it no longer runs, and never will.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        over: asyncio.Future[None] = loop.create_future()
        self._busy += 1
        if self._busy > self._started and self._started < self._count:
            self._started += 1
            threading.Thread(target=self._serve, name=f"skerry-task-{self._started}", daemon=True).start()
        self._jobs.put((loop, future, over, function))
        return future, over

    def close(self) -> None:
        """Lets idle threads end; busy ones end after their function, or with the process."""
        for _ in range(self._started):
            self._jobs.put(None)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            loop, future, over, function = job
            value: Any = None
            error: BaseException | None = None
            try:
                value = None if future.cancelled() else function()
            except BaseException as raised:  # SystemExit, too: it is the task's failure, not the process's end
                error = raised
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(self._settle, future, over, value, error)
            del job, future, over, function, value, error

    def _settle(
        self, future: asyncio.Future[Any], over: asyncio.Future[None], value: Any, error: BaseException | None
    ) -> None:
        self._busy -= 1
        if not over.done():
            over.set_result(None)
        if future.cancelled():
            return
        if error is None:
            future.set_result(value)
        elif isinstance(error, StopIteration):  # a future takes anything but this
            future.set_exception(RuntimeError(f"StopIteration: {error}"))
        else:
            future.set_exception(error)
