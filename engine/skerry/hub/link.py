"""JetStream as node and hub use it: batches with a fence, looks at single messages, reading on from a place.

Nothing of JetStream is relied on beyond what a message's place in the stream says: there are no consumers, whose
positions a killed server may forget, and no window of time in which doubles are seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from skerry.bus import headers
from skerry.bus.api import STREAM_NOT_FOUND, ApiError
from skerry.bus.client import Client
from skerry.bus.connection import Connection
from skerry.bus.headers import Headers
from skerry.errors import Unavailable
from skerry.sync import wire

TIMEOUT_S = 10.0
_WRONG_LAST = frozenset((10071, 10164))
"""JetStream's "wrong last sequence"."""
_EXPECTED = "Nats-Expected-Last-Subject-Sequence"


class Fenced(Exception):
    """Somebody else has written meanwhile, or we ourselves, unheard."""


class Stored(NamedTuple):
    """A message of the stream, and its place in it."""

    seq: int
    subject: str
    data: bytes
    headers: Mapping[str, str]


class _Reading:
    """Messages that one request brings."""

    def __init__(self) -> None:
        self.found: list[Stored] = []
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()


class Link:
    """A `Part` of a connection. `domain` is the JetStream domain of the hub, when it is reached through a leaf."""

    def __init__(self, connection: Connection, *, domain: str = "") -> None:
        self._connection = connection
        self._api = f"$JS.{domain}.API" if domain else "$JS.API"
        self._inbox = b""
        self._count = 0
        self._readings: dict[bytes, _Reading] = {}

    # --- life on a connection -----------------------------------------------------------------------------------------

    async def up(self, client: Client) -> None:
        """A connection is there."""
        self._inbox = client.new_inbox().encode() + b"."
        client.tap(f"{self._inbox.decode()}*", self._take)

    def down(self) -> None:
        """It is lost."""
        readings, self._readings = self._readings, {}
        for reading in readings.values():
            if not reading.done.done():
                reading.done.set_exception(Unavailable("the connection was lost", hint="it is being mended"))

    # --- looking ------------------------------------------------------------------------------------------------------

    async def last(self, subject: str) -> Stored | None:
        """The last message on a subject. Raises `Unavailable`."""
        return await self._direct(f"DIRECT.GET.{wire.STREAM}.{subject}", b"")

    async def at(self, seq: int) -> Stored | None:
        """The message at a place. Raises `Unavailable`."""
        return await self._direct(f"DIRECT.GET.{wire.STREAM}", msgspec.json.encode({"seq": seq}))

    async def read(self, seq: int, *, count: int, bytes_max: int) -> list[Stored]:
        """Messages from the place `seq` on, in order; none when there are none. Raises `Unavailable`."""
        client = self._connection.need()
        self._count += 1
        token = b"%x" % self._count
        reading = self._readings[token] = _Reading()
        asked = msgspec.json.encode({"seq": seq, "batch": count, "max_bytes": bytes_max})
        client.send(
            b"PUB %b %b %d\r\n%b\r\n"
            % (f"{self._api}.DIRECT.GET.{wire.STREAM}".encode(), self._inbox + token, len(asked), asked)
        )
        try:
            async with asyncio.timeout(TIMEOUT_S):
                status = await reading.done
        except TimeoutError:
            raise Unavailable("the stream does not answer in time", hint="is its server overloaded?") from None
        finally:
            self._readings.pop(token, None)
        if status == 503:
            raise _no_stream()
        return reading.found

    async def info(self) -> dict[str, Any] | None:
        """What JetStream says of the stream; None when there is none. Raises `Unavailable`."""
        try:
            return await self._call(f"STREAM.INFO.{wire.STREAM}", b"")
        except ApiError as error:
            if error.code == STREAM_NOT_FOUND:
                return None
            raise

    # --- writing ------------------------------------------------------------------------------------------------------

    async def create(self, config: dict[str, Any]) -> None:
        """Makes the stream. Raises `Unavailable`."""
        await self._call(f"STREAM.CREATE.{wire.STREAM}", msgspec.json.encode(config))

    async def update(self, config: dict[str, Any]) -> None:
        """Gives the stream another configuration. Raises `Unavailable`."""
        await self._call(f"STREAM.UPDATE.{wire.STREAM}", msgspec.json.encode(config))

    async def put(self, subject: str, data: bytes, *, after: int) -> int:
        """One message, if the last one on its subject is at the place `after`; its place.

        Raises `Fenced` when it is not, `Unavailable` when it is not known.
        """
        return await self._acknowledged(subject, data, {_EXPECTED: str(after)})

    async def put_batch(self, batch: str, messages: Sequence[tuple[str, bytes]], *, after: int) -> int:
        """All messages, or none; the last one only if the last one on its subject is at the place `after`.

        Returns the last one's place. Raises `Fenced`, and `Unavailable` when it is not known whether it was done.
        """
        *most, (subject, data) = messages
        number = 0
        for number, (at, piece) in enumerate(most, 1):
            client = self._connection.need()
            block = headers.encode(_batch(batch, number))
            sizes = (len(block), len(block) + len(piece))
            client.send(b"".join((b"HPUB ", at.encode(), b" %d %d\r\n" % sizes, block, piece, b"\r\n")))
            if client.clogged:
                await client.drain()
        commit = {**_batch(batch, number + 1), "Nats-Batch-Commit": "1", _EXPECTED: str(after)}
        return await self._acknowledged(subject, data, commit)

    # --- inside -------------------------------------------------------------------------------------------------------

    async def _acknowledged(self, subject: str, data: bytes, fields: Mapping[str, str]) -> int:
        block = headers.encode(fields)
        answer = await self._connection.replies.send(subject.encode(), block, data, TIMEOUT_S)
        if headers.status(answer.headers) == 503:
            raise _no_stream()
        told: dict[str, Any] = msgspec.json.decode(answer.data, type=dict[str, Any])
        error = told.get("error")
        if error:
            code = int(error.get("err_code", 0))
            if code in _WRONG_LAST:
                raise Fenced
            raise ApiError(f"a message on {subject}", code, str(error.get("description", "")))
        return int(told["seq"])

    async def _direct(self, verb: str, body: bytes) -> Stored | None:
        answer = await self._connection.replies.send(f"{self._api}.{verb}".encode(), b"", body, TIMEOUT_S)
        status = headers.status(answer.headers)
        if status == 503:
            raise _no_stream()
        return None if status else _stored(answer.headers, answer.data)

    async def _call(self, verb: str, body: bytes) -> dict[str, Any]:
        answer = await self._connection.replies.send(f"{self._api}.{verb}".encode(), b"", body, TIMEOUT_S)
        if headers.status(answer.headers) == 503:
            raise Unavailable("the NATS server has no JetStream", hint="start nats-server with -js")
        told: dict[str, Any] = msgspec.json.decode(answer.data, type=dict[str, Any])
        error = told.get("error")
        if error:
            raise ApiError(verb, int(error.get("err_code", 0)), str(error.get("description", "")))
        return told

    def _take(self, subject: bytes, _reply: bytes, block: bytes, data: bytes) -> None:
        reading = self._readings.get(subject[len(self._inbox) :])
        if reading is None or reading.done.done():
            return
        status = headers.status(block)
        if status:  # 204: that was all; 404: there is nothing from there on
            reading.done.set_result(status)
        else:
            reading.found.append(_stored(block, data))


def _batch(batch: str, number: int) -> dict[str, str]:
    return {wire.BATCH_HEADER: batch, "Nats-Batch-Sequence": str(number)}


def _stored(block: bytes, data: bytes) -> Stored:
    fields = Headers(block)
    return Stored(int(fields["Nats-Sequence"]), fields["Nats-Subject"], data, fields)


def _no_stream() -> Unavailable:
    return Unavailable(f"there is no stream {wire.STREAM}", hint="the hub makes it: skerry hub")
