"""Taking messages from a queue: a pull that never ends.

The server pushes what it has into open pull requests. Each request asks for as many messages as the window has room
for, and a new one follows when half of that has come, so nobody waits for a round trip. A request ends with a status
(408 its time is up, 409 the server ends it, 503 nobody is there); a lost one shows as missing heartbeats. In each case
what it had promised is forgotten and a new one is sent.

A place in the window is taken from the moment a message arrives until it is settled. Two rules keep a forgetful handler
from blocking it for ever: a handler that raises hands its message back, and one that returns without settling loses its
place when the lease ends, as the server gives the message to somebody else then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import NamedTuple

import msgspec

from skerry.bus import headers
from skerry.bus.client import Client
from skerry.bus.connection import Connection
from skerry.bus.delivery import RELEASE, WORKING, NatsDelivery, Place, place_of
from skerry.bus.headers import Headers
from skerry.bus.replies import Replies
from skerry.bus.streams import Streams
from skerry.core.wire import Queue
from skerry.errors import SkerryError, Unavailable
from skerry.ports import Handler, Message

logger = logging.getLogger("skerry.bus")

EXPIRES_S = 30.0
HEARTBEAT_S = 5.0
_TICK_S = 1.0
_SETTLE_TIMEOUT_S = 2.0
"""The server does not answer a word about a delivery that is not open any more: so this is waited for sometimes."""
_END_TIMEOUT_S = 5.0
_RETRY_FIRST_S = 0.1
_RETRY_MAX_S = 2.0
_FAILED_DELAY_FIRST_S = 0.5
_FAILED_DELAY_MAX_S = 30.0
_NS = 1_000_000_000

_HEARTBEAT = 100
_ENDED = (404, 408)


class _Owed(NamedTuple):
    """A word that the server may not have heard. It is worth repeating for one lease."""

    subject: str
    reply: bytes
    word: bytes
    until: float


class PullLoop:
    """One consumption of one queue: a `Part` of the connection, and the `Subscription` that the caller gets."""

    def __init__(self, connection: Connection, streams: Streams, queue: Queue, handler: Handler, window: int) -> None:
        assert window > 0, "a window has room for at least one message"
        self._connection = connection
        self._replies: Replies = connection.replies
        self._streams = streams
        self._queue = queue
        self._handler = handler
        self._window = window
        self._request = f"{streams.prefix}.CONSUMER.MSG.NEXT.{queue.stream}.{queue.consumer}".encode()
        self._loop = asyncio.get_running_loop()
        self._client: Client | None = None
        self._sid = 0
        self._inbox = b""
        self._pulls: dict[bytes, int] = {}
        self._pull_count = 0
        self._wanted = 0
        """How many messages the open requests may still bring."""
        self._open: dict[int, NatsDelivery] = {}
        """What is unsettled, by its place in the stream."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._owed: dict[int, _Owed] = {}
        """What could not be settled, by its place in the stream: told at the next connection."""
        self._seen_at = 0.0
        self._retry_s = _RETRY_FIRST_S
        self._retrying: asyncio.Task[None] | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._closing = False

    # ---- life on a connection

    async def up(self, client: Client) -> None:
        """A connection is there: what is owed goes first, so that it is not handed out again."""
        now = self._loop.time()
        self._owed = {seq: owed for seq, owed in self._owed.items() if owed.until > now}
        for owed in self._owed.values():
            client.send(_publish(owed.reply, owed.word))
        self._client = client
        self._retry_s = _RETRY_FIRST_S
        self._begin(client)
        if self._tick is None:
            self._tick = self._loop.call_later(_TICK_S, self._on_tick)

    def down(self) -> None:
        """It is lost. What was handed out stays handed out."""
        self._client = None
        self._wanted = 0
        self._pulls.clear()

    def _begin(self, client: Client) -> None:
        """Forgets every open request: a new inbox, so that what still comes to the old one goes back to the queue."""
        self._inbox = client.new_inbox().encode() + b"."
        self._sid = client.tap(f"{self._inbox.decode()}*", self._take)
        self._wanted = 0
        self._pulls.clear()
        self._seen_at = self._loop.time()
        self._refill()

    async def close(self) -> None:
        """Takes nothing more; what the server has sent meanwhile goes back at once. Handlers that run go on."""
        if self._closing:
            return
        self._closing = True
        self._connection.leave(self)
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        if self._retrying is not None:
            self._retrying.cancel()
        client = self._client
        if client is not None:
            await client.untap(self._sid)

    async def end(self) -> None:
        """The whole bus closes: handlers that still run are cancelled, and their messages handed back."""
        await self.close()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=_END_TIMEOUT_S)

    # ---- asking

    def _refill(self) -> None:
        client = self._client
        if client is None or self._closing or self._retrying is not None:
            return
        room = self._window - len(self._open)
        # Half a window at a time; and never less than what a slow handler leaves free.
        if room <= 0 or self._wanted * 2 > room:
            return
        batch = room - self._wanted
        if not batch:
            return
        self._pull_count += 1
        token = b"%x" % self._pull_count
        self._pulls[token] = batch
        self._wanted = room
        body = msgspec.json.encode(
            {"batch": batch, "expires": int(EXPIRES_S * _NS), "idle_heartbeat": int(HEARTBEAT_S * _NS)}
        )
        client.send(b"".join((b"PUB ", self._request, b" ", self._inbox, token, b" %d\r\n" % len(body), body, b"\r\n")))

    def _ended(self, token: bytes, block: bytes) -> None:
        """A request is over: what it had not brought is not on its way any more."""
        batch = self._pulls.pop(token, 0)
        left = Headers(block).get("Nats-Pending-Messages", "")
        self._wanted = max(0, self._wanted - (int(left) if left.isdigit() else batch))

    def _on_status(self, status: int, token: bytes, block: bytes) -> None:
        if status == _HEARTBEAT:
            return
        self._ended(token, block)
        if status in _ENDED:
            self._refill()
        else:
            logger.debug("a pull of %s ended: %d %s", self._queue.stream, status, headers.description(block))
            self._retry_later()

    def _retry_later(self) -> None:
        """The queue may be gone, or the server not ready: make sure of it, then ask again; later each time."""
        if self._retrying is None and not self._closing:
            self._retrying = asyncio.create_task(self._retry())

    async def _retry(self) -> None:
        try:
            await asyncio.sleep(self._retry_s)
            self._retry_s = min(self._retry_s * 2, _RETRY_MAX_S)
            await self._streams.ensure(self._queue)
        except SkerryError as error:
            logger.warning("queue %s cannot be used yet: %s", self._queue.stream, error.message)
            self._retrying = None
            self._retry_later()
        else:
            self._retrying = None
            self._refill()

    def _on_tick(self) -> None:
        """Once a second: were the heartbeats missed, have leases ended?"""
        now = self._loop.time()
        self._tick = self._loop.call_later(_TICK_S, self._on_tick)
        forgotten = [seq for seq, each in self._open.items() if each.returned and each.expires_at <= now]
        for seq in forgotten:
            del self._open[seq]
        if forgotten:
            self._refill()
        client = self._client
        if client is not None and self._wanted and self._retrying is None and now - self._seen_at > 2 * HEARTBEAT_S:
            logger.warning("queue %s is silent: pulling anew", self._queue.stream)
            old = self._sid
            self._begin(client)
            self._spawn(client.untap(old))

    # ---- taking

    def _take(self, subject: bytes, reply: bytes, block: bytes, data: bytes) -> None:
        """Every message of our inbox, as it is parsed."""
        self._seen_at = self._loop.time()
        status = headers.status(block)
        if status:
            if subject.startswith(self._inbox):
                self._on_status(status, subject[len(self._inbox) :], block)
            return
        self._wanted = max(0, self._wanted - 1)
        self._retry_s = _RETRY_FIRST_S
        place = place_of(reply)
        message = Message(subject.decode(), data, Headers(block) if block else {})
        if self._known(place, message, reply):
            self._refill()
            return
        if self._closing or len(self._open) >= self._window:
            # Sent before the server heard of our end, or by a request that we had given up.
            self._say(reply, RELEASE)
            return
        delivery = NatsDelivery(self, message, reply, place, self._seen_at + self._queue.lease_s)
        self._open[place.seq] = delivery
        self._spawn(self._handle(delivery))
        self._refill()

    def _known(self, place: Place, message: Message, reply: bytes) -> bool:
        """Whether we have or had this message: a killed server has forgotten what it had handed out a moment before.

        It also ignores words about a delivery that it has forgotten. What is settled already is settled again under the
        new reply subject; what is in our hands, long before its lease ends, goes on under it. The subject is compared
        too: in a store that was lost the places are others.
        """
        owed = self._owed.get(place.seq)
        if owed is not None and owed.subject == message.subject and not owed.word.startswith(RELEASE):
            self._say(reply, owed.word)
            return True
        held = self._open.get(place.seq)
        if held is None or held.settled or held.message.subject != message.subject:
            return False
        if held.expires_at - self._seen_at < self._queue.lease_s / 4:
            return False
        held.reply = reply
        held.expires_at = self._seen_at + self._queue.lease_s
        return True

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle(self, delivery: NatsDelivery) -> None:
        try:
            await self._handler(delivery)
        except asyncio.CancelledError:
            await delivery.release()
            raise
        except Exception:
            delay_s = min(_FAILED_DELAY_FIRST_S * 2 ** (delivery.deliveries - 1), _FAILED_DELAY_MAX_S)
            logger.exception("the handler of %s failed; it is tried again in %g s", delivery.message.subject, delay_s)
            await delivery.release(delay_s)
        finally:
            delivery.returned = True

    # ---- settling

    async def settle(self, delivery: NatsDelivery, word: bytes) -> None:
        """A confirmed word (a plain one may be lost with the connection, and the message handed out again)."""
        try:
            await self._replies.send(delivery.reply, b"", word, _SETTLE_TIMEOUT_S)
        except Unavailable:
            self._say(delivery.reply, word)
            until = self._loop.time() + self._queue.lease_s
            self._owed[delivery.seq] = _Owed(delivery.message.subject, delivery.reply, word, until)
        except asyncio.CancelledError:
            self._say(delivery.reply, word)
            raise
        finally:
            # A later delivery of the same message may have its place by now.
            if self._open.get(delivery.seq) is delivery:
                del self._open[delivery.seq]
            self._refill()

    def renew(self, delivery: NatsDelivery) -> None:
        """Another lease, here and at the server."""
        delivery.expires_at = self._loop.time() + self._queue.lease_s
        self._say(delivery.reply, WORKING)

    def _say(self, reply: bytes, word: bytes) -> None:
        """Says it without waiting for an answer, if there is a connection."""
        client = self._client
        if client is not None and client.usable:
            client.send(_publish(reply, word))


def _publish(subject: bytes, data: bytes) -> bytes:
    return b"PUB %b %d\r\n%b\r\n" % (subject, len(data), data)
