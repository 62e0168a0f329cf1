"""Blobs over the bus: they come in pieces, are put together in memory, and are on disk before they are acknowledged."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from skerry.core.codec import sha256
from skerry.core.wire import BLOB_BYTES_MAX, BLOB_PIECE_BYTES, BlobKept
from skerry.errors import Busy, DataError, NotFound
from skerry.ports import Append, Clock, Journal


class Uploads:
    """Takes pieces in and hands pieces out. docs/bus.md has the protocol."""

    def __init__(self, journal: Journal, clock: Clock, *, uploads_max: int) -> None:
        self._journal = journal
        self._clock = clock
        self._max = uploads_max
        self._open: OrderedDict[str, bytearray] = OrderedDict()
        self._last: tuple[str, bytes] = ("", b"")
        """The blob that was read last: whoever fetches one asks for its pieces one after the other."""

    async def get(self, name: str, offset: int) -> bytes:
        """A piece of a blob; empty when there is none."""
        if self._last[0] != name:
            try:
                self._last = (name, await self._journal.blob(name))
            except (NotFound, ValueError):
                return b""
        return self._last[1][offset : offset + BLOB_PIECE_BYTES]

    async def put(self, headers: Mapping[str, str], data: bytes) -> BlobKept:
        """Takes a piece in; says which offset comes next. Raises `DataError` or `Busy`."""
        try:
            name, offset, size = headers["skerry-sha256"], int(headers["skerry-offset"]), int(headers["skerry-size"])
        except (KeyError, ValueError):
            raise DataError("a piece of a blob needs the headers skerry-sha256, skerry-offset, skerry-size") from None
        if size > BLOB_BYTES_MAX or len(name) != 64:
            raise DataError(f"a blob of {size} bytes is not taken; the limit is {BLOB_BYTES_MAX}")
        kept = self._open.get(name)
        if kept is None:
            if await self._known(name):
                return BlobKept(next=size)
            if len(self._open) >= self._max:
                raise Busy(f"{self._max} blobs are being put already")
            kept = self._open.setdefault(name, bytearray())
        if offset != len(kept):
            return BlobKept(next=len(kept))
        kept += data
        if len(kept) < size:
            return BlobKept(next=len(kept))
        return await self._finish(name, bytes(kept), size)

    async def _known(self, name: str) -> bool:
        try:
            await self._journal.blob(name)
        except NotFound:
            return False
        return True

    async def _finish(self, name: str, data: bytes, size: int) -> BlobKept:
        del self._open[name]
        if len(data) != size or sha256(data) != name:
            raise DataError("the pieces that came do not have the SHA-256 that was said", hint="put the blob again")
        await self.keep(name, data)
        return BlobKept(next=size)

    async def keep(self, name: str, data: bytes) -> None:
        """Puts a blob on disk."""
        at_us = max(self._journal.head.at_us, self._clock.now_us())
        await self._journal.append(Append("", 0, at_us, (), blobs={name: data}))
