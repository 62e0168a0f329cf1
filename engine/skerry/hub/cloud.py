"""The hub's part of the size `cloud`: the queues in which nodes leave tasks, and workers results.

Workers at the hub are workers as anywhere: `skerry worker --size cloud --nats ...`. A node takes its results itself.
What it cannot do is to bury a task that no worker ever finished, as the queue is everybody's: the hub makes a result
of it.
"""

from __future__ import annotations

import asyncio
import logging

from skerry.bus import NatsBus
from skerry.core.events import Failure
from skerry.core.wire import Result, encode, headers, result_queue, result_subject, task_of, task_queue, traceparent
from skerry.errors import DataError, SkerryError
from skerry.ports import DeadLetter, Message

log = logging.getLogger("skerry.hub")

_QUEUE = task_queue("cloud")
_SWEEP_S = 10.0


class CloudDesk:
    """Makes the queues, and looks for dead letters."""

    def __init__(self, bus: NatsBus, *, sweep_s: float = _SWEEP_S) -> None:
        self._bus = bus
        self._sweep_s = sweep_s

    async def start(self) -> None:
        """Makes the queues. Raises `Unavailable`, `Conflict`."""
        await self._bus.ensure(_QUEUE)
        await self._bus.ensure(result_queue("hub"))  # its stream is for all nodes

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(self._sweep_s)
            try:
                for letter in await self._bus.dead_letters(_QUEUE):
                    await self._return(letter)
            except SkerryError as error:
                log.info("dead letters of the cloud cannot be read: %s", error.message)

    async def _return(self, letter: DeadLetter) -> None:
        try:
            task = task_of(letter.subject)
        except DataError as error:
            log.warning("a dead letter of the cloud is for nobody: %s", error.message)
        else:
            told = f"no worker finished the task in {letter.deliveries} tries: {letter.reason}"
            failure = Failure(kind="WorkerLost", message=told, retryable=True)
            result = Result(
                run=task.run, step=task.step, attempt=task.attempt, size="cloud", worker="", failure=failure
            )
            trace = traceparent(task.run, f"{task.step}/{task.attempt}")
            attributes = headers(id=str(task), source="skerry/hub", type="skerry.result", trace=trace)
            await self._bus.publish(Message(result_subject(task), encode(result), attributes))
        await self._bus.bury(letter)
