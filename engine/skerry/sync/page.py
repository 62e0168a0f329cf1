"""A page: consecutive events of one epoch of a node's journal, as they travel.

It is JSON, compressed with zlib, and holds what cannot be computed: of a header neither its number, nor the hash before
it, nor (as long as there is a body) its digest. Who reads it computes these, and what comes out at the end must be the
hash that the cursor names. So a page cannot be read without being checked.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from skerry.core import codec
from skerry.core.chain import GENESIS, body_digest, header_hash
from skerry.core.projection import RunRow
from skerry.core.structs import Frozen
from skerry.errors import DataError
from skerry.sync.wire import BlobPart

EVENTS_MAX = 4000
"""Events in a page, at most."""
BYTES_MAX = 1024 * 1024
"""A page ends with the event that reaches this many bytes of bodies."""
_READ_BYTES_MAX = 64 * 1024 * 1024
"""A page that is longer than this is refused: an event with all signals that a run may keep is far below."""
_LEVEL = 6
_BLOBS_BYTES_MAX = 512 * 1024 * 1024
"""Blobs of one batch may have so many bytes: as many as the longest one in a journal."""
_BLOBS_LEVEL = 1
"""Documents are compressed already, most of them; texts and values are not."""
_NULL = b"null"


class Line(msgspec.Struct, array_like=True, frozen=True):
    """One event. Without its body (removed, or withheld) `body` is null, `salt` empty, and `digest` is its digest."""

    run: str
    n: int
    at_us: int
    kind: str
    version: int
    salt: bytes
    body: Raw
    digest: bytes = b""


class Body(Frozen):
    """What is in a page. `rows` are those of the runs in it, as they were when it was made."""

    node: str
    epoch: int
    first: int
    previous: bytes
    events: list[Line]
    rows: list[RunRow] = []


class Event(NamedTuple):
    """A header with its body, and the hash of the header."""

    seq: int
    epoch: int
    run: str
    n: int
    at_us: int
    kind: str
    version: int
    digest: bytes
    previous: bytes
    salt: bytes | None
    body: bytes | None
    hash: bytes


class Page(NamedTuple):
    """A page that was read, and so was checked against itself."""

    node: str
    epoch: int
    previous: bytes
    events: Sequence[Event]
    rows: Sequence[RunRow]

    @property
    def first(self) -> int:
        """The seq of its first event."""
        return self.events[0].seq

    @property
    def last(self) -> int:
        """The seq of its last event."""
        return self.events[-1].seq

    @property
    def hash(self) -> bytes:
        """The hash of its last header."""
        return self.events[-1].hash

    def hash_at(self, seq: int) -> bytes:
        """The hash of the header `seq`, which is in it or just before it."""
        return self.previous if seq == self.first - 1 else self.events[seq - self.first].hash


def write(node: str, epoch: int, stored: Sequence[Sequence[Any]], rows: Sequence[RunRow]) -> bytes:
    """A page of stored events, one after the other and of one epoch.

    Each is seq, epoch, run, n, at_us, kind, version, digest, previous, salt, body; the last two are None
    where a body is gone, or stays with the node.
    """
    lines = [
        Line(run, n, at_us, kind, version, salt or b"", Raw(body), b"")
        if body is not None
        else Line(run, n, at_us, kind, version, b"", Raw(_NULL), digest)
        for _, _, run, n, at_us, kind, version, digest, _, salt, body in stored
    ]
    page = Body(node=node, epoch=epoch, first=stored[0][0], previous=stored[0][8], events=lines, rows=list(rows))
    return zlib.compress(msgspec.json.encode(page), _LEVEL)


def read(data: bytes) -> Page:
    """A page from its bytes, with every digest and hash computed. Raises `DataError` for what is none."""
    text = _unpacked(data, _READ_BYTES_MAX)
    try:
        body = msgspec.json.decode(text, type=Body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(f"it is no page: {error}") from None
    if not body.events or len(body.previous) != len(GENESIS) or body.first < 1:
        raise DataError("it is no page: it has no events, or no place")
    return Page(body.node, body.epoch, body.previous, _chained(body), body.rows)


def write_blobs(blobs: Sequence[bytes]) -> bytes:
    """Blobs as they travel: one after the other, compressed."""
    return zlib.compress(b"".join(blobs), _BLOBS_LEVEL)


def read_blobs(data: bytes, parts: Sequence[BlobPart]) -> list[tuple[str, bytes]]:
    """Blobs by name. Raises `DataError` when they are not these, or their bytes do not fit their names."""
    size = sum(part.size for part in parts)
    if size > _BLOBS_BYTES_MAX:
        raise DataError(f"{size:,} bytes of blobs are too many for one batch")
    whole = _unpacked(data, size)
    found: list[tuple[str, bytes]] = []
    at = 0
    for part in parts:
        blob = whole[at : at + part.size]
        if len(blob) != part.size or codec.sha256(blob) != part.sha256:
            raise DataError(f"the bytes of blob {part.sha256:.80} do not fit its name")
        found.append((part.sha256, blob))
        at += part.size
    return found


def _unpacked(data: bytes, bytes_max: int) -> bytes:
    try:
        unpacking = zlib.decompressobj()
        text = unpacking.decompress(data, bytes_max + 1)
    except zlib.error as error:
        raise DataError(f"it is not compressed as it should be: {error}") from None
    if not unpacking.eof or len(text) > bytes_max:
        raise DataError("it is cut off, or too long")
    return text


def _chained(body: Body) -> list[Event]:
    previous, events = body.previous, list[Event]()
    for seq, line in enumerate(body.events, body.first):
        raw = bytes(line.body)
        salt, kept = (None, None) if raw == _NULL else (line.salt, raw)
        digest = line.digest if kept is None else body_digest(line.salt, kept)
        header = (seq, body.epoch, line.run, line.n, line.at_us, line.kind, line.version, digest, previous)
        hash = header_hash(header)
        events.append(Event(*header, salt, kept, hash))
        previous = hash
    return events
