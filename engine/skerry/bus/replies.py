"""Answers to what we sent: one inbox per connection, one number per question, all given up at once when it is lost."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from skerry.bus.client import Client
from skerry.errors import Unavailable

_SWEEP_S = 0.25


class Answer(NamedTuple):
    """A header block (empty when there is none) and data, as they came."""

    headers: bytes
    data: bytes


class _Question(NamedTuple):
    future: asyncio.Future[Answer]
    deadline: float


class Replies:
    """Sends requests and matches their answers. For JetStream a publish, a pull's ack and an API call are requests."""

    def __init__(self) -> None:
        self._client: Client | None = None
        self._inbox = b""
        self._count = 0
        self._waiting: dict[bytes, _Question] = {}
        self._sweeping: asyncio.TimerHandle | None = None

    async def up(self, client: Client) -> None:
        """A connection is there."""
        self._client = client
        self._inbox = client.new_inbox().encode() + b"."
        client.tap(f"{self._inbox.decode()}*", self._take)

    def down(self) -> None:
        """The connection is lost: whoever waits learns it now, and asks again or not."""
        self._client = None
        waiting, self._waiting = self._waiting, {}
        for question in waiting.values():
            if not question.future.done():
                question.future.set_exception(Unavailable("the connection to the bus was lost", hint="try again"))

    def send(self, subject: bytes, headers: bytes, data: bytes, timeout_s: float) -> asyncio.Future[Answer]:
        """Sends now. The future has the answer, or `Unavailable` after `timeout_s` (to a quarter second) or a loss.

        Raises `Unavailable` at once when there is no connection: then nothing was sent, now or later.
        """
        client = self._client
        if client is None or not client.usable:
            raise Unavailable("there is no connection to the bus", hint="it is being mended; try again")
        self._count += 1
        token = b"%x" % self._count
        if headers:
            size = len(headers)
            sizes = b" %d %d\r\n" % (size, size + len(data))
            client.send(b"".join((b"HPUB ", subject, b" ", self._inbox, token, sizes, headers, data, b"\r\n")))
        else:
            client.send(b"".join((b"PUB ", subject, b" ", self._inbox, token, b" %d\r\n" % len(data), data, b"\r\n")))
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting[token] = _Question(future, loop.time() + timeout_s)
        if self._sweeping is None:
            self._sweeping = loop.call_later(_SWEEP_S, self._sweep)
        return future

    def _take(self, subject: bytes, _reply: bytes, headers: bytes, data: bytes) -> None:
        question = self._waiting.pop(subject[len(self._inbox) :], None)
        if question is not None and not question.future.done():
            question.future.set_result(Answer(headers, data))

    def _sweep(self) -> None:
        """One timer for all of them: a timer each would cost more than the message."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        late = Unavailable(
            "the bus did not answer in time", hint="try again; if it goes on: is the server's disk full?"
        )
        over = [token for token, question in self._waiting.items() if question.deadline <= now]
        for token in over:
            future = self._waiting.pop(token).future
            if not future.done():
                future.set_exception(late)
        self._sweeping = loop.call_later(_SWEEP_S, self._sweep) if self._waiting else None
