"""Bytes that do not fit into a message: fetched from the engine that owns the run, and put there, by their hash."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable

import msgspec

from skerry.core import wire
from skerry.core.types import Blob
from skerry.errors import Busy, DataError, RetryableError
from skerry.ports import Bus, Message
from skerry_workers.failures import Refusal

CACHE_BYTES_MAX = 64 * 1024 * 1024
"""A step's later attempts and its neighbours ask for the same documents."""
ANSWER_S_MAX = 10.0
_ROUNDS_MAX = 3

_reply: msgspec.json.Decoder[wire.Reply] = msgspec.json.Decoder(wire.Reply)
_kept: msgspec.json.Decoder[wire.BlobKept] = msgspec.json.Decoder(wire.BlobKept)


class Cache:
    """The blobs used last, up to so many bytes in all."""

    def __init__(self, bytes_max: int = CACHE_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._blobs: OrderedDict[str, bytes] = OrderedDict()

    def get(self, sha256: str) -> bytes | None:
        """The blob, if it is here."""
        data = self._blobs.get(sha256)
        if data is not None:
            self._blobs.move_to_end(sha256)
        return data

    def put(self, sha256: str, data: bytes) -> None:
        """Takes it in, and lets go of those that were not used for longest."""
        if sha256 in self._blobs or len(data) > self._bytes_max:
            return
        self._blobs[sha256] = data
        self._bytes += len(data)
        while self._bytes > self._bytes_max:
            _, gone = self._blobs.popitem(last=False)
            self._bytes -= len(gone)


class Blobs:
    """The blobs of engines, over the bus. Both ways raise `Unavailable` while the engine does not answer."""

    def __init__(self, bus: Bus, cache: Cache | None = None) -> None:
        self._bus = bus
        self._cache = cache or Cache()

    async def get(self, node: str, sha256: str, name: str = "") -> bytes:
        """A blob's bytes. Raises `Refusal` if the engine does not have it, `RetryableError` if it comes damaged."""
        data = self._cache.get(sha256)
        if data is None:
            data = await self._fetch(node, sha256, name or f"blob {sha256[:12]}")
            self._cache.put(sha256, data)
        return data

    async def get_all(self, node: str, blobs: Iterable[Blob]) -> list[tuple[Blob, bytes]]:
        """The documents with their bytes, each once."""
        distinct = {blob.sha256: blob for blob in blobs}
        return [(blob, await self.get(node, blob.sha256, blob.name)) for blob in distinct.values()]

    async def _fetch(self, node: str, sha256: str, what: str) -> bytes:
        subject = wire.blob_subject(node, "get")
        data = bytearray()
        while True:
            ask = wire.encode(wire.BlobGet(sha256=sha256, offset=len(data)))
            piece = await self._bus.request(Message(subject, ask), timeout_s=ANSWER_S_MAX)
            data += piece
            if len(data) > wire.BLOB_BYTES_MAX:
                raise Refusal("DataError", f"{what} is longer than {wire.BLOB_BYTES_MAX >> 20} MB")
            if len(piece) < wire.BLOB_PIECE_BYTES:
                break
        if hashlib.sha256(data).hexdigest() == sha256:
            return bytes(data)
        if not data:
            raise Refusal("NotFound", f"the engine of {node} does not have {what}")
        raise RetryableError(f"{what} arrived damaged: its bytes do not fit its hash")

    async def put(self, node: str, data: bytes) -> str:
        """Puts bytes on the engine's disk; returns their hash.

        Raises `Refusal` if the engine will not have them, `Busy` if it cannot take them just now.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        offset = 0
        # An engine that is restarted in between asks for the beginning again; one that is restarted all the time
        # is one that does not answer.
        for _ in range(_ROUNDS_MAX * (len(data) // wire.BLOB_PIECE_BYTES + 1)):
            offset = await self._put_piece(node, sha256, data, offset)
            if offset == len(data):
                self._cache.put(sha256, data)
                return sha256
        raise Busy(f"the engine of {node} never had the whole of a blob of {len(data)} bytes")

    async def _put_piece(self, node: str, sha256: str, data: bytes, offset: int) -> int:
        """The offset that the engine wants next."""
        piece = data[offset : offset + wire.BLOB_PIECE_BYTES]
        headers = wire.blob_headers(sha256, offset, len(data))
        message = Message(wire.blob_subject(node, "put"), piece, headers)
        raw = await self._bus.request(message, timeout_s=ANSWER_S_MAX)
        try:
            reply = _reply.decode(raw)
            if reply.ok:
                wanted = _kept.decode(reply.value).next
                if 0 <= wanted <= len(data):
                    return wanted
                raise DataError(f"offset {wanted} of {len(data)}")
        except (msgspec.MsgspecError, DataError) as error:
            nonsense = f"the engine of {node} answered nonsense to a piece of a blob: {error}"
            raise Refusal("DataError", nonsense, retryable=True) from None
        if reply.error in ("Busy", "Unavailable", "JournalError"):
            raise Busy(f"the engine of {node} cannot take a blob now: {reply.message}")
        raise Refusal(reply.error or "DataError", reply.message)
