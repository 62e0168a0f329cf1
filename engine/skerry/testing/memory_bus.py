"""The `Bus` port in memory: for tests and the simulator, with JetStream's meanings.

Each `MemoryBus` is one connection to a `MemoryBroker`, as one process has one. Time comes from a `Clock`, if the broker
is given one; otherwise from the event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine

from skerry.bus import headers
from skerry.bus.core import checked_filter
from skerry.bus.publisher import check_size, subject_bytes
from skerry.core.wire import MESSAGE_BYTES_MAX, Queue
from skerry.errors import Unavailable
from skerry.ports import DeadLetter, Handler, Listener, Message, Responder, Subscription
from skerry.testing.memory_broker import Consumer, MemoryBroker, Stored, Timer, matches

logger = logging.getLogger("skerry.testing")

_FAILED_DELAY_S = 0.5


class MemoryDelivery:
    """See `skerry.ports.Delivery`."""

    def __init__(self, broker: MemoryBroker, consumer: Consumer, taker: MemoryConsumption, stored: Stored) -> None:
        self._broker = broker
        self._consumer = consumer
        self._taker = taker
        self._stored = stored
        self.message = stored.message
        self.deliveries = stored.deliveries
        self.settled = False
        self.returned = False
        self.expires: Timer | None = None

    async def ack(self) -> None:
        """Also a late one counts, as at JetStream."""
        if self._settle():
            self._broker.remove(self._consumer, self._stored)
            self._taker.settled(self)

    async def working(self) -> None:
        """Another lease, if it is still ours."""
        if not self.settled and self._ours:
            self._broker.lease(self._consumer, self._stored)
            self._taker.expire_later(self)

    async def release(self, delay_s: float = 0.0) -> None:
        """Back into the queue, if it is still ours."""
        if self._settle():
            ours = self._ours
            self._taker.settled(self)
            if ours:
                self._broker.back(self._consumer, self._stored, delay_s)

    async def reject(self, reason: str) -> None:
        """Out of the queue, with a note."""
        if self._settle():
            self._broker.reject(self._consumer, self._stored, reason)
            self._taker.settled(self)

    @property
    def _ours(self) -> bool:
        return self._stored.lease is not None and self._stored.deliveries == self.deliveries

    def _settle(self) -> bool:
        first = not self.settled and self._taker.alive
        self.settled = True
        return first


class MemoryConsumption:
    """One `consume`: its handlers, and its window."""

    def __init__(self, broker: MemoryBroker, consumer: Consumer, handler: Handler, window: int) -> None:
        assert window > 0, "a window has room for at least one message"
        self.alive = True
        self._broker = broker
        self._consumer = consumer
        self._handler = handler
        self._window = window
        self._open: set[MemoryDelivery] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        consumer.takers.append(self)
        broker.hand_out(consumer)

    @property
    def room(self) -> bool:
        """Whether it takes one more."""
        return not self._closed and len(self._open) < self._window

    def take(self, stored: Stored) -> None:
        """Starts the handler."""
        delivery = MemoryDelivery(self._broker, self._consumer, self, stored)
        self._open.add(delivery)
        self.expire_later(delivery)
        task = asyncio.create_task(self._handle(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle(self, delivery: MemoryDelivery) -> None:
        try:
            await self._handler(delivery)
        except asyncio.CancelledError:
            await delivery.release()
            raise
        except Exception:
            logger.exception("the handler of %s failed; it is tried again", delivery.message.subject)
            await delivery.release(_FAILED_DELAY_S)
        finally:
            delivery.returned = True

    def expire_later(self, delivery: MemoryDelivery) -> None:
        """A handler that returned without settling loses its place with the lease."""
        if delivery.expires is not None:
            delivery.expires.cancel()
        delivery.expires = Timer(self._broker.clock, self._consumer.queue.lease_s, lambda: self._expired(delivery))

    def _expired(self, delivery: MemoryDelivery) -> None:
        if delivery.returned:
            self.settled(delivery)

    def settled(self, delivery: MemoryDelivery) -> None:
        """Its place is free."""
        if delivery.expires is not None:
            delivery.expires.cancel()
        self._open.discard(delivery)
        self._broker.hand_out(self._consumer)

    async def close(self) -> None:
        """Takes nothing more."""
        self._closed = True
        if self in self._consumer.takers:
            self._consumer.takers.remove(self)

    async def end(self) -> None:
        """Handlers that still run are cancelled, and their messages handed back."""
        await self.close()
        await _cancel(self._tasks)

    def kill(self) -> None:
        """As if the process had died: nothing is settled, nothing handed back."""
        self.alive = False
        self._closed = True
        if self in self._consumer.takers:
            self._consumer.takers.remove(self)
        for task in list(self._tasks):
            task.cancel()


class _Going:
    """A subscription that is an entry in a list."""

    def __init__(self, remove: Callable[[], None]) -> None:
        self._remove: Callable[[], None] | None = remove

    async def close(self) -> None:
        """Takes the entry out."""
        self.kill()

    def kill(self) -> None:
        """The same, at once."""
        if self._remove is not None:
            self._remove()
            self._remove = None


class MemoryBus:
    """See `skerry.ports.Bus`. Connections that share a broker share its streams; without one it gets its own."""

    def __init__(self, broker: MemoryBroker | None = None) -> None:
        self.broker = broker or MemoryBroker()
        self.connected = True
        """Set it to False, and everything that needs the bus raises `Unavailable`."""
        self._consuming: list[MemoryConsumption] = []
        self._going: list[_Going] = []
        self._answering: set[asyncio.Task[None]] = set()

    async def publish(self, message: Message) -> None:
        """In the broker's memory when it returns."""
        self._need()
        _check(message)
        # A real bus answers in a later turn of the loop: whoever relies on less finds out here.
        await asyncio.sleep(0)
        self.broker.publish(message)

    async def ensure(self, queue: Queue) -> None:
        """Makes the queue."""
        self._need()
        self.broker.ensure(queue)

    async def consume(self, queue: Queue, handler: Handler, *, window: int) -> Subscription:
        """Hands out the queue's messages."""
        self._need()
        consumption = MemoryConsumption(self.broker, self.broker.ensure(queue), handler, window)
        self._consuming.append(consumption)
        return consumption

    async def dead_letters(self, queue: Queue, *, limit: int = 100) -> list[DeadLetter]:
        """Messages that are never handed out again."""
        self._need()
        return self.broker.dead_letters(queue)[:limit]

    async def bury(self, letter: DeadLetter) -> None:
        """Removes a dead letter."""
        self._need()
        self.broker.bury(letter)

    async def notify(self, message: Message) -> None:
        """To whoever listens right now."""
        self._need()
        _check(message)
        self.broker.pass_on(message)

    async def listen(self, subject: str, listener: Listener) -> Subscription:
        """Messages of a subject as they pass."""
        self._need()
        entry = (checked_filter(subject), _careful(listener))
        self.broker.listening.append(entry)
        return self._begin(lambda: self.broker.listening.remove(entry))

    async def request(self, message: Message, *, timeout_s: float) -> bytes:
        """The first answer."""
        self._need()
        _check(message)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        asked = [ask for filter, ask in self.broker.responding if matches(filter, message.subject)]
        if not asked:
            await asyncio.sleep(0)
            raise Unavailable(f"nobody answers on {message.subject}", hint="is it running?")
        for ask in asked:
            ask(message, answer)
        timer = Timer(self.broker.clock, timeout_s, lambda: _give_up(message.subject, timeout_s, answer))
        try:
            return await answer
        finally:
            timer.cancel()

    async def respond(self, subject: str, responder: Responder) -> Subscription:
        """Answers requests on a subject."""
        self._need()

        def ask(message: Message, answer: asyncio.Future[bytes]) -> None:
            self._spawn(_answer(responder, message, answer))

        entry = (checked_filter(subject), ask)
        self.broker.responding.append(entry)
        return self._begin(lambda: self.broker.responding.remove(entry))

    async def close(self) -> None:
        """Hands back what handlers still hold."""
        self.connected = False
        for consumption in self._consuming:
            await consumption.end()
        for going in self._going:
            await going.close()
        await _cancel(self._answering)

    def kill(self) -> None:
        """As if the process of this connection had died: what it had taken comes back when its lease ends."""
        self.connected = False
        for consumption in self._consuming:
            consumption.kill()
        for going in self._going:
            going.kill()
        for task in list(self._answering):
            task.cancel()

    def _need(self) -> None:
        if not self.connected:
            raise Unavailable("there is no connection to the bus", hint="it is being mended; try again")

    def _begin(self, remove: Callable[[], None]) -> Subscription:
        going = _Going(remove)
        self._going.append(going)
        return going

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)


def _check(message: Message) -> None:
    subject_bytes(message.subject)
    check_size(message, headers.encode(message.headers), MESSAGE_BYTES_MAX)


async def _answer(responder: Responder, message: Message, answer: asyncio.Future[bytes]) -> None:
    try:
        data = await responder(message)
    except Exception:
        logger.exception("the responder of %s failed", message.subject)
        return
    if len(data) > MESSAGE_BYTES_MAX:
        logger.error("the answer on %s has %d bytes, more than the bus takes", message.subject, len(data))
    elif not answer.done():
        answer.set_result(data)


def _give_up(subject: str, timeout_s: float, answer: asyncio.Future[bytes]) -> None:
    if not answer.done():
        late = Unavailable(f"no answer on {subject} within {timeout_s:g} s", hint="it may have been done all the same")
        answer.set_exception(late)


def _careful(listener: Listener) -> Listener:
    def listen(message: Message) -> None:
        try:
            listener(message)
        except Exception:
            logger.exception("the listener of %s failed", message.subject)

    return listen


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    for task in list(tasks):
        task.cancel()
    if tasks:
        await asyncio.wait(list(tasks), timeout=5.0)
