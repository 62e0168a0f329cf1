"""Tasks on their way to the bus: a bounded window per size, the rest by priority and age.

Nothing in here is the truth: which tasks have been sent and not heard of follows from the journal, so the outbox can
be lost at any moment. It sends until the bus has stored a task, and again when nobody has spoken of it for long.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from skerry.core.ids import TaskId
from skerry.errors import SkerryError
from skerry.ports import Clock

log = logging.getLogger("skerry.outbox")

Send = Callable[[TaskId], Awaitable[bool]]
"""Publishes a task; false when it is no longer wanted. Raises `Busy` or `Unavailable`."""

_BACKOFF_S = (0.05, 0.2, 1.0, 3.0)
_LOOK_S, _LOOK_MAX_S = 1.0, 60.0
"""How soon it is looked again whether a size that had no room has some: ever more rarely."""
_SHARE = 0.2
"""How much the newest interval counts in the pace of a size."""


class _Lane:
    """The tasks of one size."""

    def __init__(self, size: str) -> None:
        self.size = size
        self.pace_s = 0.0
        """Seconds from one result to the next, while there was work; 0 while that is not known."""
        self.last_us = 0
        """When the last result came, or the first task after a time without any."""
        self.looking = False
        """Whether somebody looks again because there was no room."""
        self.waiting: list[tuple[int, int, TaskId]] = []
        self.on_bus: dict[TaskId, int] = {}
        """When each was last heard of, in microseconds."""


class Outbox:
    """Sends tasks, never more than `window` of one size at a time."""

    def __init__(
        self, send: Send, clock: Clock, *, window: int, room: Callable[[str], int | None] = lambda size: None
    ) -> None:
        """`room` is how many tasks of a size may be on the bus at this moment, where that is less than `window`."""
        self._send = send
        self._clock = clock
        self._window = window
        self._room = room
        self._lanes: dict[str, _Lane] = {}
        self._age = itertools.count()
        self._sending: set[asyncio.Task[None]] = set()
        self._closed = False

    def load(self) -> dict[str, tuple[int, int]]:
        """(on the bus, waiting) by size."""
        return {size: (len(lane.on_bus), len(lane.waiting)) for size, lane in self._lanes.items()}

    def offer(self, size: str, task: TaskId, priority: int) -> None:
        """Takes a task in: higher priority first, then the older one."""
        lane = self._lanes.setdefault(size, _Lane(size))
        if task not in lane.on_bus:
            if not lane.on_bus and not lane.waiting:
                lane.last_us = self._clock.now_us()
            heapq.heappush(lane.waiting, (-priority, next(self._age), task))
            self._pump(lane)

    def heard(self, size: str, task: TaskId) -> None:
        """A worker has spoken of a task."""
        lane = self._lanes.get(size)
        if lane is not None and task in lane.on_bus:
            lane.on_bus[task] = self._clock.now_us()

    def doubt(self, size: str, task: TaskId) -> None:
        """Something came for a task that was no result, and may have kept the real one away: it is sent again soon."""
        lane = self._lanes.get(size)
        if lane is not None and task in lane.on_bus:
            lane.on_bus[task] = 0

    def settle(self, size: str, task: TaskId, *, answered: bool = False) -> None:
        """A task is done with: there is room for another one. `answered`: a worker has done it."""
        lane = self._lanes.get(size)
        if lane is not None and lane.on_bus.pop(task, None) is not None:
            if answered:
                now_us = self._clock.now_us()
                took_s = max(0, now_us - lane.last_us) / 1e6
                lane.pace_s += (_SHARE if lane.pace_s else 1.0) * (took_s - lane.pace_s)
                lane.last_us = now_us
            self._pump(lane)

    def look(self, size: str) -> None:
        """There may be room for more tasks of a size than there was."""
        lane = self._lanes.get(size)
        if lane is not None:
            self._pump(lane)

    def wait_s(self, size: str) -> float:
        """How many seconds a task would take from now to its result, at the pace of late; 0 while none is known."""
        lane = self._lanes.get(size)
        return 0.0 if lane is None else (len(lane.on_bus) + len(lane.waiting) + 1) * lane.pace_s

    def resend(self, silent_s: float) -> int:
        """Sends all those again of which nobody has spoken for so long; returns how many."""
        before = self._clock.now_us() - int(silent_s * 1e6)
        count = 0
        for lane in self._lanes.values():
            for task in [t for t, heard_us in lane.on_bus.items() if heard_us < before]:
                lane.on_bus[task] = self._clock.now_us()
                self._start(lane, task)
                count += 1
        return count

    async def close(self) -> None:
        """Sends nothing more."""
        self._closed = True
        for task in tuple(self._sending):
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    def _pump(self, lane: _Lane) -> None:
        room = self._room(lane.size)
        window = self._window if room is None else min(room, self._window)
        if lane.waiting and len(lane.on_bus) >= window and room is not None and not (lane.looking or self._closed):
            lane.looking = True
            self._spawn(self._look_again(lane))
        while lane.waiting and len(lane.on_bus) < window and not self._closed:
            _, _, task = heapq.heappop(lane.waiting)
            if task not in lane.on_bus:
                lane.on_bus[task] = self._clock.now_us()
                self._start(lane, task)

    async def _look_again(self, lane: _Lane) -> None:
        wait_s = _LOOK_S
        while lane.waiting and self._room(lane.size) is not None:
            await self._clock.sleep(wait_s)
            wait_s = min(2 * wait_s, _LOOK_MAX_S)
            self._pump(lane)
        lane.looking = False
        self._pump(lane)

    def _start(self, lane: _Lane, task: TaskId) -> None:
        self._spawn(self._deliver(lane, task))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        sending = asyncio.get_running_loop().create_task(work)
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)

    async def _deliver(self, lane: _Lane, task: TaskId) -> None:
        for attempt in itertools.count():
            if task not in lane.on_bus:
                return
            try:
                wanted = await self._send(task)
            except SkerryError as error:
                if attempt == len(_BACKOFF_S):
                    log.warning("task %s is not on the bus yet: %s", task, error)
                await self._clock.sleep(_BACKOFF_S[min(attempt, len(_BACKOFF_S) - 1)])
                continue
            if not wanted:
                lane.on_bus.pop(task, None)
                self._pump(lane)
            return
