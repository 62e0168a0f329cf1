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


class _Again(NamedTuple):
    block: bytes
    every_s: float
    at: float


class Replies:
    """Sends requests and matches their answers. For JetStream a publish, a pull's ack and an API call are requests."""

    def __init__(self) -> None:
        self._client: Client | None = None
        self._inbox = b""
        self._count = 0
        self._waiting: dict[bytes, _Question] = {}
        self._again: dict[bytes, _Again] = {}
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
        self._again.clear()
        for question in waiting.values():
            if not question.future.done():
                question.future.set_exception(Unavailable("the connection to the bus was lost", hint="try again"))

    def send(
        self, subject: bytes, headers: bytes, data: bytes, timeout_s: float, *, again_s: float = 0.0
    ) -> asyncio.Future[Answer]:
        """Sends now. The future has the answer, or `Unavailable` after `timeout_s` (to a quarter second) or a loss.

        With `again_s` it is sent again so often until there is an answer, for what may be done twice: a cluster that
        has just lost its leader drops questions without a word.

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
            block = b"".join((b"HPUB ", subject, b" ", self._inbox, token, sizes, headers, data, b"\r\n"))
        else:
            block = b"".join((b"PUB ", subject, b" ", self._inbox, token, b" %d\r\n" % len(data), data, b"\r\n"))
        client.send(block)
        loop = asyncio.get_running_loop()
        if again_s:
            self._again[token] = _Again(block, again_s, loop.time() + again_s)
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting[token] = _Question(future, loop.time() + timeout_s)
        if self._sweeping is None:
            self._sweeping = loop.call_later(_SWEEP_S, self._sweep)
        return future

    def _take(self, subject: bytes, _reply: bytes, headers: bytes, data: bytes) -> None:
        token = subject[len(self._inbox) :]
        question = self._waiting.pop(token, None)
        if self._again:
            self._again.pop(token, None)
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
            self._again.pop(token, None)
            if not future.done():
                future.set_exception(late)
        client = self._client
        for token, again in self._again.items():
            if again.at <= now and client is not None and client.usable:
                client.send(again.block)
                self._again[token] = again._replace(at=now + again.every_s)
        self._sweeping = loop.call_later(_SWEEP_S, self._sweep) if self._waiting else None
