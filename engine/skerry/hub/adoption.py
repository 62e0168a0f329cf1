"""The hub's side of losing a node: the fence against the lost one, and what the one that adopts it has to know.

The fence is a cursor of a higher epoch in the lost node's name. So it lies where the node's next batch would have to
follow it, and where the node looks when it comes back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress

import msgspec
from msgspec import Raw

from skerry.bus import headers
from skerry.bus.connection import Connection
from skerry.bus.core import Respond, notify
from skerry.core.structs import Frozen
from skerry.core.wire import Reply
from skerry.errors import Conflict, DataError, NotFound, SkerryError, Unavailable
from skerry.hub.link import Fenced, Link, Stored
from skerry.hub.store import HubStore
from skerry.ports import Message
from skerry.sync import page as pages
from skerry.sync import wire
from skerry.sync.plan import Place
from skerry.sync.wire import Adopt, Adoption, AskBlob, AskChain, Command, Cursor, Piece

log = logging.getLogger("skerry.hub")

_PIECE_BYTES = 256 * 1024
"""What one answer carries: in base64 it is a third more, and a message takes 1 MB."""
_EVENTS, _BYTES = 1000, 512 * 1024
_READ_S, _LOOK_S = 10.0, 0.05
_HEAR_S, _NOBODY = 0.5, 503
_TRIES = 5


class Adopted(Frozen):
    """The answer to an `Adoption`: the fence stands, and `by` has been told under the command's `id`."""

    id: str
    node: str
    by: str
    epoch: int
    seq: int


class Adoptions:
    """Takes adoptions, and hands the adopted journals over. `look` reads what is committed."""

    def __init__(self, look: HubStore, connection: Connection, link: Link) -> None:
        self._look = look
        self._connection = connection
        self._link = link
        self._pages: dict[tuple[str, int], bytes] = {}

    async def start(self) -> None:
        """Begins to answer."""
        await self._connection.join(Respond(self._connection, wire.ADOPT, self._adopt))
        await self._connection.join(Respond(self._connection, wire.ask_subject("*", "chain"), self._chain))
        await self._connection.join(Respond(self._connection, wire.ask_subject("*", "blob"), self._blob))

    # --- the fence ----------------------------------------------------------------------------------------------------

    async def _adopt(self, message: Message) -> bytes:
        try:
            adoption = msgspec.json.decode(message.data, type=Adoption)
            return wire.encode(Reply(value=Raw(wire.encode(await self._take(adoption)))))
        except msgspec.MsgspecError as error:
            return wire.encode(Reply(ok=False, error="DataError", message=f"the request is not understood: {error}"))
        except SkerryError as error:
            return wire.encode(Reply(ok=False, error=type(error).__name__, message=error.message, hint=error.hint))

    async def _take(self, adoption: Adoption) -> Adopted:
        for name in (adoption.node, adoption.by):
            if not self._look.stands(name)[0].seq:
                raise NotFound(f"node {name} has handed over nothing to this hub", hint="skerry hub nodes lists them")
        if adoption.node == adoption.by:
            raise Conflict(f"node {adoption.node} cannot adopt itself", hint="name the node that is to take its runs")
        if not adoption.sure and await self._connected(adoption.node):
            raise Conflict(
                f"node {adoption.node} is connected to the hub's server at this moment",
                hint="stop it first; or say --sure, if it is a connection that nobody has closed",
            )
        for _ in range(_TRIES):
            last = await self._all_read(adoption.node)
            with suppress(Fenced):
                return await self._tell(adoption, await self._fence(adoption, last))
        raise Conflict(f"node {adoption.node} goes on writing", hint="is it lost? Stop it, or try again")

    async def _connected(self, node: str) -> bool:
        """Whether an uplink of a node listens: the server says at once when nobody does."""
        asked = self._connection.replies.send(wire.wake_subject(node).encode(), b"", b"", _HEAR_S)
        try:
            async with asyncio.timeout(_HEAR_S):
                return headers.status((await asked).headers) != _NOBODY
        except TimeoutError:
            return True  # an uplink hears it, and answers nothing

    async def _all_read(self, node: str) -> Stored | None:
        """The node's last cursor, when the store has come past it. Raises `Unavailable`."""
        until = time.monotonic() + _READ_S
        while True:
            last = await self._link.last(wire.cursor_subject(node))
            if last is None or self._look.place[0] >= last.seq:
                return last
            if time.monotonic() > until:
                raise Unavailable("the hub has not read all of its stream yet", hint="try again in a moment")
            await asyncio.sleep(_LOOK_S)

    async def _fence(self, adoption: Adoption, last: Stored | None) -> Place:
        """From where on, and in which epoch, the journal is the adopting node's. Raises `Fenced`, `Conflict`."""
        there, _ = self._look.stands(adoption.node)
        cursor = wire.decode_cursor(last.data) if last is not None else None
        if cursor is not None and cursor.by == adoption.by:
            if cursor.kind == "adopted":
                return Place(cursor.epoch, cursor.seq, cursor.digest)  # asked again: it may not have been told
            raise Conflict(f"node {adoption.by} has adopted {adoption.node} already, in epoch {cursor.epoch}")
        place = Place(max(there.epoch, cursor.epoch if cursor is not None else 0) + 1, there.seq, there.hash)
        fence = Cursor(
            kind="adopted",
            node=adoption.node,
            epoch=place.epoch,
            seq=place.seq,
            hash=place.hash.hex(),
            at_us=time.time_ns() // 1000,
            floor=cursor.floor if cursor is not None else 0,
            by=adoption.by,
        )
        subject = wire.cursor_subject(adoption.node)
        await self._link.put(subject, wire.encode(fence), after=last.seq if last is not None else 0)
        log.warning("node %s adopts node %s from event %d on", adoption.by, adoption.node, place.seq)
        with suppress(Unavailable):
            await notify(self._connection, Message(wire.wake_subject(adoption.node), b""))
        return place

    async def _tell(self, adoption: Adoption, place: Place) -> Adopted:
        """Puts into the stream what the adopting node is to do."""
        adopt = Adopt(
            node=adoption.node,
            epoch=place.epoch,
            seq=place.seq,
            hash=place.hash.hex(),
            person=adoption.person,
            reason=adoption.reason,
        )
        command = Command(
            id=f"adopt-{adoption.node}-{place.epoch}",
            node=adoption.by,
            run="",
            verb="adopt",
            request=Raw(wire.encode(adopt)),
            by=adoption.person,
            hub=self._look.hub,
            at_us=time.time_ns() // 1000,
        )
        with suppress(Fenced):  # told before
            await self._link.put(wire.command_subject(command.node, command.id), wire.encode(command), after=0)
        return Adopted(id=command.id, node=adoption.node, by=adoption.by, epoch=place.epoch, seq=place.seq)

    # --- handing the journal over -------------------------------------------------------------------------------------

    async def _chain(self, message: Message) -> bytes:
        try:
            asked = msgspec.json.decode(message.data, type=AskChain)
            self._check(message, asked.node)
            data = await asyncio.to_thread(self._page, asked)
        except (msgspec.MsgspecError, SkerryError) as error:
            return wire.encode(Piece(size=-1, message=str(error)))
        if data is None:
            return wire.encode(Piece(size=-1))
        return wire.encode(Piece(size=len(data), data=data[asked.offset : asked.offset + _PIECE_BYTES]))

    async def _blob(self, message: Message) -> bytes:
        try:
            asked = msgspec.json.decode(message.data, type=AskBlob)
            self._check(message, asked.node)
            data = await asyncio.to_thread(self._look.blob, asked.sha256)
        except (msgspec.MsgspecError, SkerryError, ValueError) as error:
            return wire.encode(Piece(size=-1, message=str(error)))
        if data is None:
            return wire.encode(Piece(size=-1))
        return wire.encode(Piece(size=len(data), data=data[asked.offset : asked.offset + _PIECE_BYTES]))

    def _check(self, message: Message, node: str) -> None:
        """A journal is handed to the node that adopts it, and to nobody else."""
        asker = message.subject.split(".")[2]
        if self._look.adopted_by(node) != asker:
            raise DataError(f"node {asker} has not adopted node {node}")

    def _page(self, asked: AskChain) -> bytes | None:
        """The page after an event; None when there is nothing. The one that was asked for last is kept at hand."""
        key = (asked.node, asked.after)
        if key not in self._pages:
            lines = self._look.chain(asked.node, after=asked.after, limit=_EVENTS)
            if not lines:
                return None
            size, count = 0, 0
            for line in lines:
                if line[1] != lines[0][1] or (count and size > _BYTES):
                    break
                size, count = size + len(line[10] or b""), count + 1
            rows = [row for run in dict.fromkeys(line[2] for line in lines[:count]) if (row := self._look.row(run))]
            self._pages = {key: pages.write(asked.node, lines[0][1], lines[:count], rows)}
        return self._pages[key]
