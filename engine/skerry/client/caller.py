"""Requests to one node's engine, asked until there is an answer."""

from __future__ import annotations

import asyncio
import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from skerry import config as settings
from skerry import errors
from skerry.core import api, codec, wire
from skerry.core.ids import node_of
from skerry.core.structs import Frozen
from skerry.core.types import Blob
from skerry.errors import DataError, NotFound, SkerryError, Unavailable
from skerry.ports import Listener, Message, Subscription

if TYPE_CHECKING:
    from skerry.bus import NatsBus, Target

A = TypeVar("A", bound=Frozen)

_TRY_S = 3.0
_PAUSE_S = 0.1


class Caller:
    """A connection to one node. `timeout_s` is how long to wait for it, and for each answer."""

    def __init__(
        self, *, data: Path | None, nats: str | Target | None, node: str, timeout_s: float, group: str = ""
    ) -> None:
        """`group`: without a node, an engine of it is chosen; what is said of a run goes to the run's own node."""
        self.node: str = node
        self._group = "" if node or data is not None else group
        self._data = data
        self._nats = nats
        self._timeout_s = timeout_s
        self._open: NatsBus | None = None

    async def open(self) -> None:
        """Connects. Raises `Unavailable` when nothing runs there."""
        # The bus takes a while to import: who only wants a type should not wait for it.
        from skerry.bus import NatsBus

        if not self.node and not self._group:
            self.node = await self._node_of_folder()
        if self._nats is not None:
            where: Path | str | Target = self._nats
        elif self._data is not None:
            where = settings.Config(data=self._data).connection_file
        else:
            raise DataError("a client needs a data folder or a NATS server", hint="Client.connect(data=...)")
        self._open = await NatsBus.connect(where, name="skerry client", timeout_s=self._timeout_s)
        await self.choose()

    async def choose(self) -> None:
        """Of a group, takes the engine that answers first from now on. Raises `Unavailable` when none does."""
        if self._group:
            asked = Message(wire.command_subject(self._group, "status"), b"{}")
            self.node = _value(await self._patiently(asked), api.EngineStatus).node

    async def close(self) -> None:
        """Disconnects."""
        if self._open is not None:
            await self._open.close()
            self._open = None

    @property
    def _bus(self) -> NatsBus:
        if self._open is None:
            raise Unavailable("this client is not connected", hint="use it inside `async with Client.connect(...)`")
        return self._open

    async def once(self, verb: str, request: Frozen | None, answer: type[A]) -> A:
        """A request that is asked once. Raises the error that the engine answers with."""
        return _value(await self._bus.request(self._command(verb, request), timeout_s=self._timeout_s), answer)

    async def again(self, verb: str, request: Frozen | None, answer: type[A], *, wait_s: float = 0.0) -> A:
        """A request that may be asked as often as it takes: it changes nothing, or carries an id."""
        return _value(await self._patiently(self._command(verb, request), wait_s=wait_s), answer)

    def _command(self, verb: str, request: Frozen | None) -> Message:
        run = getattr(request, "run", "") if self._group else ""
        node = node_of(run) if run else self.node
        member = getattr(self._nats, "member", "")
        return Message(wire.command_subject(node, verb, member), b"{}" if request is None else wire.encode(request))

    async def _patiently(self, message: Message, *, wait_s: float = 0.0) -> bytes:
        """Asks until there is an answer. Raises `Unavailable` when there is none in time."""
        bus = self._bus
        deadline = time.monotonic() + self._timeout_s + wait_s
        while True:
            left = deadline - time.monotonic()
            try:
                return await bus.request(message, timeout_s=max(min(_TRY_S + wait_s, left), _PAUSE_S))
            except Unavailable as error:
                if time.monotonic() + _PAUSE_S >= deadline:
                    raise Unavailable(
                        f"the engine of {_whose(message)} does not answer ({error.message})",
                        hint="is an engine running? start it: skerry up",
                    ) from error
            await asyncio.sleep(_PAUSE_S)

    async def put(self, data: bytes, blob: Blob) -> None:
        """Puts bytes into the engine's blob store, in pieces; what is there already is not sent again."""
        offset = 0
        while True:
            piece = data[offset : offset + wire.BLOB_PIECE_BYTES]
            subject = wire.blob_subject(self.node, "put")
            message = Message(subject, piece, wire.blob_headers(blob.sha256, offset, len(data)))
            offset = _value(await self._patiently(message), wire.BlobKept).next
            if offset >= len(data):
                return

    async def blob(self, sha256: str) -> bytes:
        """A blob's bytes. Raises `NotFound`."""
        subject = wire.blob_subject(self.node, "get")
        data = b""
        while True:
            asked = wire.BlobGet(sha256=sha256, offset=len(data))
            piece = await self._patiently(Message(subject, wire.encode(asked)))
            data += piece
            if len(piece) < wire.BLOB_PIECE_BYTES:
                break
        if hashlib.sha256(data).hexdigest() != sha256:
            raise NotFound(f"there is no blob {sha256}", hint="it was pruned, or the name is wrong")
        return data

    async def listen(self, subject: str, listener: Listener) -> Subscription:
        """Messages of a subject as they pass."""
        return await self._bus.listen(subject, listener)

    async def notify(self, message: Message) -> None:
        """To whoever listens."""
        await self._bus.notify(message)

    async def _node_of_folder(self) -> str:
        from skerry.journal import JournalReader

        if self._data is None:
            raise DataError("which node?", hint="name it: Client.connect(nats=..., node=...), or --node")
        try:
            async with await JournalReader.open(self._data) as reader:
                return (await reader.read_head()).node
        except NotFound as error:
            raise Unavailable(error.message, hint="is an engine running? start it: skerry up") from None


def _whose(message: Message) -> str:
    return f"node {message.subject.split('.')[1]}"


def error_of(name: str, message: str, hint: str) -> SkerryError:
    """The error that an engine answered with: an instance of the class of `skerry.errors` that it names."""
    kind = getattr(errors, name, None)
    error = kind(message) if isinstance(kind, type) and issubclass(kind, SkerryError) else SkerryError(message)
    error.hint = hint
    return error


def _value(data: bytes, answer: type[A]) -> A:
    try:
        reply = msgspec.json.decode(data, type=wire.Reply)
        if reply.ok:
            return msgspec.json.decode(reply.value, type=answer)
    except msgspec.MsgspecError as error:
        raise Unavailable(
            f"the engine's answer is not understood: {error}", hint="is it of the same version as this client?"
        ) from None
    raise error_of(reply.error, reply.message, reply.hint)


def check_file(file: Path) -> None:
    """Raises what `read_file` would, as far as one can tell without reading."""
    try:
        size = file.stat().st_size
    except OSError as error:
        raise _unreadable(file, error) from None
    if size > wire.BLOB_BYTES_MAX:
        raise DataError(
            f"{file} has {size} bytes; at most {wire.BLOB_BYTES_MAX} are taken in", hint="is it the right file?"
        )


def read_file(file: Path) -> bytes:
    """A file that is about to be put. Raises `NotFound`, or `DataError` when it is too big or cannot be read."""
    check_file(file)
    try:
        return file.read_bytes()
    except OSError as error:
        raise _unreadable(file, error) from None


def _unreadable(file: Path, error: OSError) -> SkerryError:
    kind = NotFound if isinstance(error, FileNotFoundError) else DataError
    return kind(f"{file} cannot be read: {error.strerror}", hint="check the path")


def blob_of(data: bytes, file: Path, *, name: str = "", media_type: str = "") -> Blob:
    """What a file is called in the blob store."""
    import mimetypes

    guessed = media_type or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return Blob(sha256=codec.sha256(data), size=len(data), name=name or file.name, media_type=guessed)
