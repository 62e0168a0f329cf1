"""Messages that nobody keeps: notify and listen, request and respond."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from skerry.bus import headers
from skerry.bus.client import Client
from skerry.bus.connection import Connection
from skerry.bus.headers import Headers
from skerry.bus.publisher import check_size, subject_bytes
from skerry.errors import DataError, Unavailable
from skerry.ports import Listener, Message, Responder

logger = logging.getLogger("skerry.bus")

RESPONDING_MAX = 256
"""So many requests of one `respond` are answered at a time."""
WAITING_MAX = 4096
"""So many more wait; what is beyond is dropped, and the asker's time runs out."""


async def notify(connection: Connection, message: Message) -> None:
    """Sends, once. Raises `Unavailable` when there is no connection."""
    client = connection.need()
    block = headers.encode(message.headers)
    check_size(message, block, client.max_payload)
    client.send(_encoded(subject_bytes(message.subject), block, message.data))
    if client.clogged:
        await client.drain()


async def request(connection: Connection, message: Message, timeout_s: float) -> bytes:
    """The first answer. Raises `Unavailable` at once when nobody listens, and after `timeout_s` when nobody answers."""
    client = connection.need()
    block = headers.encode(message.headers)
    check_size(message, block, client.max_payload)
    future = connection.replies.send(subject_bytes(message.subject), block, message.data, timeout_s + 1.0)
    try:
        async with asyncio.timeout(timeout_s):
            answer = await future
    except TimeoutError:
        raise Unavailable(
            f"no answer on {message.subject} within {timeout_s:g} s", hint="it may have been done all the same"
        ) from None
    if headers.status(answer.headers) == 503:
        raise Unavailable(f"nobody answers on {message.subject}", hint="is it running?")
    return answer.data


class Listening:
    """Hands a subject's messages to a listener, on every connection."""

    def __init__(self, connection: Connection, subject: str) -> None:
        self._connection = connection
        self._subject = checked_filter(subject)
        self._client: Client | None = None
        self._sid = 0

    async def up(self, client: Client) -> None:
        """A connection is there. Returns when the server knows."""
        self._client = client
        self._sid = client.tap(self._subject, self._take)
        await client.synced()

    def down(self) -> None:
        """It is lost, and so is what passes meanwhile."""
        self._client = None

    async def close(self) -> None:
        """Takes nothing more."""
        self._connection.leave(self)
        client, self._client = self._client, None
        if client is not None:
            await client.untap(self._sid)

    def _take(self, subject: bytes, reply: bytes, block: bytes, data: bytes) -> None:
        raise NotImplementedError


class Listen(Listening):
    """`Bus.listen`."""

    def __init__(self, connection: Connection, subject: str, listener: Listener) -> None:
        super().__init__(connection, subject)
        self._listener = listener

    def _take(self, subject: bytes, reply: bytes, block: bytes, data: bytes) -> None:
        self._listener(Message(subject.decode(), data, Headers(block) if block else {}))


class Respond(Listening):
    """`Bus.respond`: many at a time, with a limit. A responder that raises is logged, and its asker gets nothing."""

    def __init__(self, connection: Connection, subject: str, responder: Responder) -> None:
        super().__init__(connection, subject)
        self._responder = responder
        self._running: set[asyncio.Task[None]] = set()
        self._waiting: deque[tuple[bytes, Message]] = deque()

    async def end(self) -> None:
        """The whole bus closes: what still runs is cancelled."""
        await self.close()
        self._waiting.clear()
        for task in list(self._running):
            task.cancel()
        if self._running:
            await asyncio.wait(list(self._running), timeout=5.0)

    def _take(self, subject: bytes, reply: bytes, block: bytes, data: bytes) -> None:
        if not reply:
            return
        asked = (reply, Message(subject.decode(), data, Headers(block) if block else {}))
        if len(self._running) < RESPONDING_MAX:
            self._start(*asked)
        elif len(self._waiting) < WAITING_MAX:
            self._waiting.append(asked)
        else:
            logger.warning("too many requests on %s: one is dropped", self._subject)

    def _start(self, reply: bytes, message: Message) -> None:
        task = asyncio.create_task(self._answer(reply, message))
        self._running.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._waiting and not task.cancelled():
            self._start(*self._waiting.popleft())

    async def _answer(self, reply: bytes, message: Message) -> None:
        try:
            data = await self._responder(message)
        except Exception:
            logger.exception("the responder of %s failed", message.subject)
            return
        client = self._connection.client
        if client is None:
            return
        if len(data) > client.max_payload:
            logger.error("the answer on %s has %d bytes, more than the bus takes", message.subject, len(data))
            return
        client.send(_encoded(reply, b"", data))
        if client.clogged:
            await client.drain()


def checked_filter(subject: str) -> str:
    """A subject to listen on. Raises `DataError` for one that no server takes."""
    tokens = subject.split(".")
    for index, token in enumerate(tokens):
        last = index == len(tokens) - 1
        wild = token == "*" or (token == ">" and last)
        if not wild and (not token or any(c in "*> \t\r\n" for c in token)):
            raise DataError(f"{subject!r} is not a subject to listen on", hint="subjects are made in skerry.core.wire")
    return subject


def _encoded(subject: bytes, block: bytes, data: bytes) -> bytes:
    if block:
        sizes = b" %d %d\r\n" % (len(block), len(block) + len(data))
        return b"".join((b"HPUB ", subject, sizes, block, data, b"\r\n"))
    return b"PUB %b %d\r\n%b\r\n" % (subject, len(data), data)
