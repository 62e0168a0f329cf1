"""Publishing to a stream: many at a time, each with its own acknowledgement."""

from __future__ import annotations

import asyncio
import contextlib
import re

import msgspec

from skerry.bus import headers
from skerry.bus.connection import Connection
from skerry.core.structs import Frozen
from skerry.errors import Busy, DataError, SkerryError, Unavailable
from skerry.ports import Message

WINDOW = 1000
"""So many publishes may wait for the server. It drops what is beyond 10,000 in one stream."""
TIMEOUT_S = 5.0

_SUBJECT = re.compile(r"[!-)+-=?-~\x80-\U0010ffff]+")
"""One or more characters that are neither white space, nor control, nor a wildcard."""

_STORE_FAILED = 10077
_FULL = frozenset(
    (
        10023,  # insufficient resources
        10047,  # insufficient storage resources available
        10167,  # too many requests
    )
)


class _Refusal(Frozen):
    code: int = 0
    err_code: int = 0
    description: str = ""


class _PubAck(Frozen):
    stream: str = ""
    seq: int = 0
    error: _Refusal | None = None


_decode = msgspec.json.Decoder(_PubAck).decode


class Publisher:
    """`publish` returns when the message is in the stream."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._window = asyncio.Semaphore(WINDOW)

    async def publish(self, message: Message) -> None:
        """Raises what `Bus.publish` says, and `DataError` for a message that no server would take."""
        client = self._connection.need()
        subject = subject_bytes(message.subject)
        block = headers.encode(message.headers)
        check_size(message, block, client.max_payload)
        async with self._window:
            if client.clogged:
                await client.drain()
            answer = await self._connection.replies.send(subject, block, message.data, TIMEOUT_S)
        if headers.status(answer.headers) == 503:
            raise Unavailable(
                f"no stream takes {message.subject}",
                hint="`ensure` its queue first; if it was there, its store was lost",
            )
        ack = _decode(answer.data)
        if ack.error is not None:
            problem = _problem(message.subject, ack.error)
            if problem is not None:
                raise problem

    async def idle(self, timeout_s: float) -> None:
        """Returns when nothing is under way, or the time is up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                for _ in range(WINDOW):
                    await self._window.acquire()
        self._window = asyncio.Semaphore(WINDOW)


def _problem(subject: str, refusal: _Refusal) -> SkerryError | None:
    """What a refusal means to the caller; None: the message is there already, which is what was wanted."""
    words = refusal.description
    if refusal.err_code == _STORE_FAILED:
        # One number for everything the store says; only its words tell the reasons apart.
        if "per subject" in words:
            return None
        if "maximum" in words:
            return Busy(f"the stream of {subject} is full: {words}", hint="workers have to catch up first")
    if refusal.err_code in _FULL:
        return Busy(f"the bus has no room for {subject}: {words}", hint="make room on its disk, or raise its limit")
    return Unavailable(f"the bus could not store {subject}: {words}", hint="see the log of nats-server")


def subject_bytes(subject: str) -> bytes:
    """A subject to publish on. Raises `DataError` for one that would break the protocol."""
    if not _SUBJECT.fullmatch(subject):
        raise DataError(f"{subject!r} is not a subject to publish on", hint="subjects are made in skerry.core.wire")
    return subject.encode()


def check_size(message: Message, block: bytes, bytes_max: int) -> None:
    """Raises `DataError` for a message that the server would answer with a closed connection."""
    size = len(block) + len(message.data)
    if size > bytes_max:
        raise DataError(
            f"a message of {size} bytes on {message.subject} is more than the bus takes ({bytes_max})",
            hint="big values travel as blobs",
        )
