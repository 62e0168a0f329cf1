"""The hub takes in: reads the stream on from where its store is, batch by batch, and applies each.

Where it is lies in the store, in the same transaction as what was applied. It reads, and acknowledges nothing: killed
at any moment, it goes on where its store is. Should the stream not be the one that the store knows (its server was put
back, or begun anew), it is read from its beginning: what is here already is known by its hash.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from contextlib import suppress

import msgspec

from skerry.bus.client import Client
from skerry.bus.connection import Connection
from skerry.bus.core import Listen, notify
from skerry.errors import DataError, Unavailable
from skerry.hub.link import Fenced, Link, Stored
from skerry.hub.store import HubStore
from skerry.ports import Message
from skerry.sync import page as pages
from skerry.sync import wire
from skerry.sync.plan import Apart, Gap, Place
from skerry.sync.wire import Cursor

log = logging.getLogger("skerry.hub")

_READ_COUNT, _READ_BYTES = 500, 8 * 1024 * 1024
"""So much is asked of the stream at a time: more than a page, less than what would fill memory."""
POLL_S = 1.0
"""So often the stream is looked at, should the news of a batch have been lost."""
_SOON_S = (0.02, 0.05, 0.1, 0.3)
"""The news of a batch may pass before the batch is in the stream: then it is looked for again after so long."""
_CHECK_S = 5.0


class Batch:
    """The messages of one batch, as they are read one after the other."""

    def __init__(self) -> None:
        self.id = ""
        self.pieces: list[bytes] = []

    def take(self, stored: Stored) -> bytes | None:
        """Another message. With the last one come the bytes of the batch: None when they are not all there."""
        batch = stored.headers.get(wire.BATCH_HEADER, "")
        if batch != self.id:
            self.id, self.pieces = batch, []
        if stored.subject.endswith(".piece"):
            self.pieces.append(stored.data)
            return None
        if not stored.subject.endswith((".cursor", ".apart")):
            return None
        data = b"".join(self.pieces)
        count = len(self.pieces)
        self.id, self.pieces = "", []
        cursor = wire.decode_cursor(stored.data)
        whole = cursor.batch == batch and (count, len(data)) == (cursor.pieces, cursor.size)
        return data if whole else None


class Intake:
    """Runs until it is cancelled."""

    def __init__(self, store: HubStore, connection: Connection, link: Link) -> None:
        self._store = store
        self._connection = connection
        self._link = link
        self._news = asyncio.Event()
        self._batch = Batch()
        self._next = 1
        """The message to be read next; what is before it is applied, or in the batch that is being read."""
        self._rewound: dict[str, int] = {}
        """Up to which place each node was asked for what is missing: once is enough."""

    async def run(self) -> None:
        """For ever. Raises `JournalError` when the store cannot be written."""
        await self._connection.join(Listen(self._connection, wire.cursor_subject("*"), self._heard))
        while True:
            try:
                await self._follow(self._connection.need())
            except Unavailable as error:
                log.info("the hub waits: %s", error.message)
                await asyncio.sleep(0.1)
                await self._connection.wait_up(POLL_S)

    def _heard(self, message: Message) -> None:
        self._news.set()

    async def _follow(self, client: Client) -> None:
        """Until the connection is lost. The stream may be another one after that."""
        await self._find()
        check_at = time.monotonic() + _CHECK_S
        soon: tuple[float, ...] = ()
        while self._connection.need() is client:
            heard = self._news.is_set()
            self._news.clear()
            soon = _SOON_S if heard else soon[1:]
            found = await self._link.read(self._next, count=_READ_COUNT, bytes_max=_READ_BYTES)
            if found and found[0].seq > self._next:
                await asyncio.to_thread(self._store.note_hole)
            for stored in found:
                await self._take(stored)
                self._next = stored.seq + 1
            if found:
                soon = ()
                continue
            await self._ask_for_missing()
            if time.monotonic() >= check_at:
                check_at = time.monotonic() + _CHECK_S
                if await self._shorter():
                    return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), soon[0] if soon else POLL_S)

    async def _find(self) -> None:
        """Where to read on: behind the last batch that was applied, if that is still in its place."""
        place, stamp = self._store.place
        self._batch = Batch()
        self._rewound.clear()
        if place:
            stored = await self._link.at(place)
            if stored is None or _stamp(stored) != stamp:
                log.warning("the stream is not the one that was read before: it is read from its beginning")
                await asyncio.to_thread(self._store.begin_again)
                place = 0
        self._next = place + 1

    async def _shorter(self) -> bool:
        """Whether the stream has lost its end since: then it is not the one that we know."""
        info = await self._link.info()
        if info is None:
            raise Unavailable(f"the stream {wire.STREAM} is gone")
        return int(info["state"]["last_seq"]) < self._next - 1

    async def _take(self, stored: Stored) -> None:
        try:
            if stored.subject.startswith("hub.command."):
                return await self._take_command(stored)
            if ".outcome." in stored.subject:
                return await self._take_outcome(stored)
            data = self._batch.take(stored)
            if not stored.subject.endswith((".cursor", ".apart")):
                return None
            cursor = wire.decode_cursor(stored.data)
            if stored.subject not in (wire.cursor_subject(cursor.node), wire.apart_subject(cursor.node)):
                raise DataError(f"it came on {stored.subject}")
        except DataError as error:
            log.warning("message %d of the stream is passed over: %s", stored.seq, error.message)
            return None
        return await asyncio.to_thread(self._apply, cursor, data, stored)

    async def _take_outcome(self, stored: Stored) -> None:
        try:
            outcome = msgspec.json.decode(stored.data, type=wire.Outcome)
        except msgspec.MsgspecError as error:
            raise DataError(f"it is no outcome: {error}") from None
        if stored.subject != wire.outcome_subject(outcome.command.node, outcome.command.id):
            raise DataError(f"it came on {stored.subject}")
        await asyncio.to_thread(self._store.take_outcome, outcome, stored.seq, _stamp(stored))

    async def _take_command(self, stored: Stored) -> None:
        """What somebody at the hub wants of a node, which hears that it waits now."""
        try:
            command = msgspec.json.decode(stored.data, type=wire.Command)
        except msgspec.MsgspecError as error:
            raise DataError(f"it is no command: {error}") from None
        await asyncio.to_thread(self._store.take_command, command, stored.seq, _stamp(stored))
        with suppress(Unavailable):
            await notify(self._connection, Message(wire.wake_subject(command.node), b""))

    def _apply(self, cursor: Cursor, data: bytes | None, stored: Stored) -> None:
        stamp = _stamp(stored)
        if cursor.kind == "adopted":
            return self._store.take_adoption(cursor, stored.seq, stamp)
        if cursor.kind == "rewind":
            return self._store.pass_over(stored.seq, stamp)
        if data is None:  # its beginning has fallen out of the stream
            log.warning("the batch at %d of node %s is not whole", stored.seq, cursor.node)
            return self._store.pass_over(stored.seq, stamp)
        try:
            if cursor.kind == "blobs":
                return self._store.take_blobs(cursor, pages.read_blobs(data, cursor.blobs), stored.seq)
            page = pages.read(data)
            if (page.node, page.epoch, page.first, page.last) != (cursor.node, cursor.epoch, cursor.first, cursor.seq):
                raise DataError("its cursor says something else than what is in it")
            if page.hash != cursor.digest:
                raise DataError("what is in it does not have the hash that its cursor names")
        except DataError as error:
            log.error("the batch at %d of node %s cannot be taken: %s", stored.seq, cursor.node, error.message)
            return self._store.pass_over(stored.seq, stamp, cursor, f"a batch could not be taken: {error.message}")
        verdict = self._store.take_page(cursor, page, data, stored.seq)
        if isinstance(verdict, Apart | Gap):
            log.warning("events %d to %d of node %s: %s", page.first, page.last, page.node, verdict)
        return None

    async def _ask_for_missing(self) -> None:
        """All of the stream is read: what is missing now, only the nodes have."""
        hole = self._store.hole()
        for node, place in {**self._store.gaps(), **hole}.items():
            if self._rewound.get(node) != place.seq:
                await self._ask_again(node, place)
        if hole:
            await asyncio.to_thread(self._store.hole_is_asked_for)

    async def _ask_again(self, node: str, place: Place) -> None:
        last = await self._link.last(wire.cursor_subject(node))
        before = wire.decode_cursor(last.data) if last is not None else None
        cursor = Cursor(
            kind="rewind",
            node=node,
            epoch=max(place.epoch, before.epoch if before is not None else 0),  # nobody who is fenced is let in again
            by=before.by if before is not None else "",
            seq=place.seq,
            hash=place.hash.hex(),
            at_us=time.time_ns() // 1000,
        )
        log.warning("node %s is asked to send again what comes after event %d", node, place.seq)
        with suppress(Fenced):
            await self._link.put(wire.cursor_subject(node), wire.encode(cursor), after=last.seq if last else 0)
            self._rewound[node] = place.seq
            await notify(self._connection, Message(wire.wake_subject(node), b""))


def _stamp(stored: Stored) -> str:
    """What tells a message from another one that may be in its place in another stream."""
    return stored.headers.get(wire.BATCH_HEADER) or hashlib.sha256(stored.data).hexdigest()
