"""Threads for synchronous tasks. One that does not end in time is left behind, and ends with the process.

`concurrent.futures` would do, but waits at exit for every thread: a task that hangs would keep its worker from ever
leaving.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeAlias, TypeVar

T = TypeVar("T")

_Job: TypeAlias = tuple[asyncio.AbstractEventLoop, "asyncio.Future[object]", Callable[[], object]]


class Threads:
    """At most `count` daemon threads, started as they are needed. To be used from one event loop.

    `on_lost` is told +1 when a call was given up while its thread goes on, and -1 when that thread is free again.
    """

    def __init__(self, count: int, on_lost: Callable[[int], None]) -> None:
        self._count = count
        self._on_lost = on_lost
        self._started = 0
        self._idle = 0
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()

    def submit(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """Runs the function in a thread as soon as one is free.

        Cancelling the future does not stop the function: it goes on, and its value is dropped.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        future.add_done_callback(self._given_up)
        if self._idle <= 0 and self._started < self._count:
            self._started += 1
            threading.Thread(target=self._serve, name=f"task-{self._started}", daemon=True).start()
        else:
            self._idle -= 1
        self._jobs.put((loop, future, function))  # type: ignore[arg-type]
        return future

    def _given_up(self, future: asyncio.Future[T]) -> None:
        if future.cancelled():
            self._on_lost(1)

    def close(self) -> None:
        """Lets idle threads end; busy ones end after their job."""
        for _ in range(self._started):
            self._jobs.put(None)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            loop, future, function = job
            value: object = None
            error: BaseException | None = None
            try:
                value = None if future.cancelled() else function()
            except BaseException as raised:  # SystemExit, too: it is the task's failure, not the worker's end
                error = raised
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(self._settle, future, value, error)
            del job, future, function, value, error

    def _settle(self, future: asyncio.Future[object], value: object, error: BaseException | None) -> None:
        self._idle += 1
        if future.cancelled():
            self._on_lost(-1)
        elif error is None:
            future.set_result(value)
        elif isinstance(error, StopIteration):  # a future takes anything but this
            future.set_exception(RuntimeError(f"StopIteration: {error}"))
        else:
            future.set_exception(error)
