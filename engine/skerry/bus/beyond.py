"""The `Bus` port on two servers: the node's own, and the hub's for what workers of the size `cloud` do there.

The hub's may be out of reach for days. Nothing here waits for it: what is published there fails at once, and is tried
again by whoever publishes; what is listened to begins when it can be reached. A result that comes on both is one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from skerry.bus.client import Client
from skerry.bus.natsbus import NatsBus
from skerry.bus.target import Target
from skerry.core.wire import WORKER_PING, Queue, blob_subject, lease_subject, result_queue, task_queue
from skerry.errors import SkerryError, Unavailable
from skerry.ports import DeadLetter, Handler, Listener, Message, Responder, Starts, Subscription

log = logging.getLogger("skerry.bus")

_OPEN_S, _AGAIN_S, _CLOSE_S = 5.0, 0.5, 2.0
_CLOUD = task_queue("cloud")
_TASKS, _NEWS = "task.cloud.", "cancel.cloud."
_ALIVE = "worker.cloud."


class _Ended:
    """A subscription here (if there is one) and at the hub; the latter ends when the hub's server hears of it."""

    def __init__(self, near: Subscription | None, far: Subscription, ending: set[asyncio.Future[None]]) -> None:
        self._near = near
        self._far = far
        self._ending = ending

    async def close(self) -> None:
        """Takes nothing more from here."""
        self._ending.add(asyncio.ensure_future(self._far.close()))
        if self._near is not None:
            await self._near.close()


class Beyond:
    """A node's bus whose cloud is at the hub. `near` is the node's own; it is closed with this one."""

    def __init__(self, near: NatsBus, far: Target, node: str, *, domain: str = "") -> None:
        """`domain` is the JetStream domain of the hub, where `far` reaches it through a leaf."""
        self.near = near
        self.far = NatsBus.unopened(far, name=f"skerry engine {node}", domain=domain)
        self.reached: Callable[[], None] = lambda: None
        """Is called whenever the hub's server can be reached again."""
        self._both = {lease_subject(node), blob_subject(node, "get"), blob_subject(node, "put")}
        self._results = result_queue(node)
        self._opening: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Future[None]] = set()

    async def start(self) -> None:
        """Begins to look for the hub's server, when all that is listened to there is named: so nobody waits for it."""
        await self.far.join(self)
        self._opening = asyncio.create_task(self._open(), name="skerry hub's bus")

    def reaches(self, size: str) -> bool:
        """Whether workers of a size can be reached right now, as far as is known."""
        return size != "cloud" or self.far.connected

    async def up(self, client: Client) -> None:
        """The hub's server is there."""
        asyncio.get_running_loop().call_soon(self._reached)

    def down(self) -> None:
        """It is out of reach."""
        log.info("the cloud is out of reach: the hub's server has gone")

    def _reached(self) -> None:
        self.reached()
        ping = asyncio.ensure_future(self._notify_far(Message(WORKER_PING, b"{}")))
        ping.add_done_callback(lambda done: done.exception())

    async def _open(self) -> None:
        while True:
            try:
                return await self.far.open(_OPEN_S)
            except SkerryError as error:  # also credentials that are refused: they may be put right
                log.debug("the cloud is out of reach: %s", error.message)
                await asyncio.sleep(_AGAIN_S)

    # --- the port -----------------------------------------------------------------------------------------------------

    async def publish(self, message: Message) -> None:
        """A task for the cloud at the hub, anything else here."""
        await (self.far if message.subject.startswith(_TASKS) else self.near).publish(message)

    async def ensure(self, queue: Queue) -> None:
        """Makes a queue here. That of the cloud is the hub's to make."""
        if queue != _CLOUD:
            await self.near.ensure(queue)

    async def consume(self, queue: Queue, handler: Handler, *, window: int) -> Subscription:
        """Hands out what comes here; results also from the hub."""
        near = await self.near.consume(queue, handler, window=window)
        if queue != self._results:
            return near
        return _Ended(near, await self.far.consume_later(queue, handler, window=window), self._ending)

    async def dead_letters(self, queue: Queue, *, limit: int = 100) -> list[DeadLetter]:
        """Those here. Of the cloud's, the hub makes results."""
        return [] if queue == _CLOUD else await self.near.dead_letters(queue, limit=limit)

    async def bury(self, letter: DeadLetter) -> None:
        """Removes a dead letter."""
        await self.near.bury(letter)

    async def notify(self, message: Message) -> None:
        """To whoever listens; what is about the cloud at the hub."""
        if message.subject.startswith(_NEWS):
            return await self._notify_far(message)
        if message.subject == WORKER_PING:
            await self._notify_far(message)
        return await self.near.notify(message)

    async def listen(self, subject: str, listener: Listener) -> Subscription:
        """What passes; what workers of the cloud say at the hub."""
        if subject.startswith(_ALIVE):
            return _Ended(None, await self.far.listen(subject, listener), self._ending)
        return await self.near.listen(subject, listener)

    async def request(self, message: Message, *, timeout_s: float) -> bytes:
        """The one answer to a message, from here."""
        return await self.near.request(message, timeout_s=timeout_s)

    async def respond(self, subject: str, responder: Responder) -> Subscription:
        """Answers here; what workers ask also at the hub. What people ask comes another way from there."""
        near = await self.near.respond(subject, responder)
        if subject not in self._both:
            return near
        return _Ended(near, await self.far.respond(subject, responder), self._ending)

    async def starts(self) -> Starts:
        """Where engines of a group claim what they begin: here."""
        return await self.near.starts()

    async def close(self) -> None:
        """Both. A hub's server that is there and does not answer is not waited for."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        ending = {*self._ending, asyncio.ensure_future(self.far.close())}
        _, left = await asyncio.wait(ending, timeout=_CLOSE_S)
        for each in left:
            each.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        await self.near.close()

    async def _notify_far(self, message: Message) -> None:
        with contextlib.suppress(Unavailable):  # nobody is waiting for news of the past
            await self.far.notify(message)
