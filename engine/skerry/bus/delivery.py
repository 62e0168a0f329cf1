"""A message in our hands, and the words JetStream knows for settling it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import msgspec

from skerry.ports import Message

ACK = b"+ACK"
WORKING = b"+WPI"
RELEASE = b"-NAK"
_AT_ONCE_NS = 1_000_000
"""A server keeps a -NAK with a delay on disk, one without only in memory: restarted, it would wait for the lease."""
_NS = 1_000_000_000


class Settling(Protocol):
    """Where a delivery came from."""

    async def settle(self, delivery: NatsDelivery, word: bytes) -> None:
        """Tells the server, and gives the place in the window back."""
        ...

    def renew(self, delivery: NatsDelivery) -> None:
        """Tells the server that we are still at it."""
        ...


class NatsDelivery:
    """See `skerry.ports.Delivery`. The first of `ack`, `release` and `reject` counts; the others then do nothing."""

    __slots__ = ("_origin", "deliveries", "expires_at", "message", "reply", "returned", "seq", "settled")

    def __init__(self, origin: Settling, message: Message, reply: bytes, place: Place, expires_at: float) -> None:
        self._origin = origin
        self.message = message
        self.reply = reply
        self.deliveries = place.deliveries
        self.seq = place.seq
        self.settled = False
        # For the pull loop: when the lease ends, and whether the handler has returned.
        self.expires_at = expires_at
        self.returned = False

    async def ack(self) -> None:
        """Done. Returns when the server has confirmed it (a plain ack may be lost), or the connection is gone."""
        await self._settle(ACK)

    async def working(self) -> None:
        """Keeps it for another lease."""
        if not self.settled:
            self._origin.renew(self)

    async def release(self, delay_s: float = 0.0) -> None:
        """Hands it back."""
        await self._settle(b'%b {"delay":%d}' % (RELEASE, max(_AT_ONCE_NS, int(delay_s * _NS))))

    async def reject(self, reason: str) -> None:
        """Never again. The note that stays has the reason and the subject, as the message itself goes."""
        await self._settle(b"+TERM " + note(reason, self.message.subject))

    async def _settle(self, word: bytes) -> None:
        if not self.settled:
            self.settled = True
            await self._origin.settle(self, word)


_REASON_CHARS_MAX = 1000


class _Note(msgspec.Struct):
    reason: str
    subject: str = ""


def note(reason: str, subject: str) -> bytes:
    """What goes behind +TERM: one JSON object on one line."""
    return msgspec.json.encode(_Note(reason=reason[:_REASON_CHARS_MAX], subject=subject))


def read_note(text: str) -> tuple[str, str]:
    """Reason and subject of a note. A taker in another language may have written plain words: then no subject."""
    try:
        read = msgspec.json.decode(text, type=_Note)
    except msgspec.MsgspecError:
        return text, ""
    return read.reason, read.subject


class Place(NamedTuple):
    """How often a message was handed out, and its place in the stream."""

    deliveries: int
    seq: int


def place_of(reply: bytes) -> Place:
    """Read from the subject that a message is to be settled on.

    `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time>.<pending>`; with a domain and an
    account hash before the stream (and maybe more at the end) in the newer form.
    """
    tokens = reply.split(b".")
    first = 4 if len(tokens) == 9 else 6
    return Place(int(tokens[first]), int(tokens[first + 1]))
