"""Blobs over the bus: they come in pieces, are put together in memory, and are on disk before they are acknowledged."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping

from skerry.core.codec import sha256
from skerry.core.wire import BLOB_BYTES_MAX, BLOB_PIECE_BYTES, BlobKept
from skerry.errors import Busy, DataError, JournalError, NotFound
from skerry.ports import Append, Clock, Journal

_ABANDONED_S = 60.0
"""An upload that nobody has added to for so long makes room for another one."""
_BYTES_MAX = 4 * BLOB_BYTES_MAX
"""How much memory all uploads together may take."""


class _Upload:
    """The pieces of one blob so far."""

    __slots__ = ("data", "size", "touched_us")

    def __init__(self, size: int) -> None:
        self.data = bytearray()
        self.size = size
        self.touched_us = 0


class Uploads:
    """Takes pieces in and hands pieces out. docs/bus.md has the protocol."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        *,
        uploads_max: int,
        failed: Callable[[JournalError], None] = lambda error: None,
    ) -> None:
        """`failed` is told when the journal could not be written."""
        self._journal = journal
        self._failed = failed
        self._clock = clock
        self._max = uploads_max
        self._open: OrderedDict[str, _Upload] = OrderedDict()
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
        upload = self._open.get(name)
        if upload is None:
            if await self._renewed(name):
                return BlobKept(next=size)
            self._make_room(size)
            upload = self._open.setdefault(name, _Upload(size))
        upload.touched_us = self._clock.now_us()
        self._open.move_to_end(name)
        if offset != len(upload.data):
            return BlobKept(next=len(upload.data))
        upload.data += data
        if len(upload.data) < size:
            return BlobKept(next=len(upload.data))
        return await self._finish(name, bytes(upload.data), size)

    def _make_room(self, size: int) -> None:
        """For an upload of so many bytes. Raises `Busy` when others that go on have it."""
        while len(self._open) >= self._max or self._promised + size > _BYTES_MAX:
            if not self._open:
                return  # one is always taken
            name, oldest = next(iter(self._open.items()))
            if self._clock.now_us() - oldest.touched_us < _ABANDONED_S * 1e6:
                raise Busy("as many blobs are being put already as there is memory for", hint="put it again later")
            del self._open[name]

    @property
    def _promised(self) -> int:
        return sum(upload.size for upload in self._open.values())

    async def _renewed(self, name: str) -> bool:
        """Whether the blob is there; its time is renewed then, so that pruning leaves it to whoever puts it again."""
        try:
            data = await self._journal.blob(name)
        except NotFound:
            return False
        await self.keep(name, data)
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
        try:
            await self._journal.append(Append("", 0, at_us, (), blobs={name: data}))
        except JournalError as error:
            self._failed(error)
            raise
