"""The uplink of a node: a process of its own, at a low priority, that ships the journal to the hub's stream.

It keeps nothing: where it goes on from is the last cursor in the stream, which is also the fence of the next batch. So
it may be killed at any moment, and so may the server; a batch whose fate is not known is either the last one in the
stream, or was never there.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from skerry.bus.client import Client
from skerry.bus.connection import Connection
from skerry.bus.core import Listen, request
from skerry.core.structs import Frozen
from skerry.errors import DataError, SkerryError, Unavailable
from skerry.hub.apart import ship_apart
from skerry.hub.fence import Fence, read_fence, refusal, write_fence
from skerry.hub.link import Fenced, Link
from skerry.hub.source import Chunk, Source
from skerry.ports import Message
from skerry.sync import page as pages
from skerry.sync import wire
from skerry.sync.plan import START, Place, Ship, Stuck, plan
from skerry.sync.wire import BlobPart, Cursor, Stands
from skerry.version import __version__

log = logging.getLogger("skerry.uplink")

LOOK_S = 0.2
"""So often an idle uplink asks whether the journal has changed."""
WHERE_S = 5.0
"""So often it asks the hub how far it is, as long as that changes; and the stream whether the hub wants more."""
_SOON_S = 0.5
"""So long after something was shipped it asks first."""
_WHERE_TIMEOUT_S = 3.0
SAME_S = 30.0
"""So often it looks whether the stream still ends where it thinks, when nothing else happens."""
_AGAIN_S, _AGAIN_S_MAX, _ODD_S = 0.05, 0.2, 15.0
"""How long it waits before it tries again: first, at most, and after an error that will not pass by itself."""
_STUCK_S = 30.0
_LOOKS = 64
"""So many blobs are looked for in the stream at a time."""
_BUNDLE_BYTES, _BUNDLE_BLOBS = 1024 * 1024, 400
"""So much travels in one batch, or one blob that is longer."""
_BLOBS_MAX = 100_000
"""So many names of blobs are remembered that are in the stream."""


class Shipped(Frozen, omit_defaults=True):
    """How the uplink stands, for `skerry sync`.

    `state`: "shipping", "idle" (all is there), "waiting" (`why` says for what) or "stuck" (it needs a person: `hint`).
    `seq` of `epoch` is the end of what is in the stream; `applied` of what is in the hub's store, as it said at
    `asked_us` (-1: it has not said yet).
    """

    node: str
    state: str
    epoch: int = 0
    seq: int = 0
    head: int = 0
    why: str = ""
    hint: str = ""
    hub: str = ""
    applied: int = -1
    trouble: str = ""
    asked_us: int = 0
    shipped_us: int = 0
    since_us: int = 0
    at_us: int = 0
    pid: int = 0


Tell = Callable[[Shipped], None]


class Uplink:
    """Ships, until it is cancelled. `bytes_per_s` bounds what goes over the link; 0 for as much as goes."""

    def __init__(self, source: Source, connection: Connection, link: Link, tell: Tell, *, bytes_per_s: int = 0) -> None:
        self._source = source
        self._connection = connection
        self._link = link
        self._tell = tell
        self._bytes_per_s = bytes_per_s
        self._there = START
        self._fence = 0
        self._floor = 0
        self._adopter = ""
        self._fork = -1
        self._blobs: OrderedDict[str, None] = OrderedDict()
        self._news = asyncio.Event()
        self._where_at = 0.0
        self._client: Client | None = None
        self.told = Shipped(node=source.node, state="waiting", why="it begins", pid=os.getpid())

    async def run(self) -> None:
        """For ever. Whatever goes wrong is told, and tried again, later each time."""
        # Not on the cursors themselves: whoever listens where it publishes is never told that nobody else does.
        wake = wire.wake_subject(self._source.node)
        await self._connection.join(Listen(self._connection, wake, lambda _: self._news.set()))
        pause_s = _AGAIN_S
        while True:
            began = time.monotonic()
            try:
                await self._ship()
            except Fenced:
                log.info("somebody has written meanwhile: the cursor is read again")
            except Unavailable as error:
                self._say("waiting", why=error.message, hint=error.hint)
            except SkerryError as error:
                log.warning("the uplink waits: %s", error.message)
                self._say("waiting", why=error.message, hint=error.hint)
                await asyncio.sleep(_ODD_S)
            # It fails at once, though the server is there (its stream is not, or the leaf that leads to it).
            fails = self._connection.client is not None and time.monotonic() - began <= _AGAIN_S_MAX
            while not await self._connection.wait_up(_ODD_S):
                self._say("waiting", why="there is no connection to the hub's server", hint="it is tried again")
            # Jitter: a fleet that was cut off together should not come back at the same instant.
            pause_s = min(pause_s * 2, _AGAIN_S_MAX) if fails else _AGAIN_S
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))

    def wait_for(self, error: SkerryError) -> None:
        """Tells that it has not begun, and why."""
        self._say("waiting", why=error.message, hint=error.hint)

    # --- where to go on -----------------------------------------------------------------------------------------------

    async def _find(self) -> Ship | Stuck:
        """Reads the last cursor, and decides."""
        self._news.clear()
        stored = await self._link.last(wire.cursor_subject(self._source.node))
        if stored is None:
            self._there, self._fence, self._floor = await self._of_hub(), 0, 0
            self._adopter = ""
            self._blobs.clear()
        else:
            cursor = wire.decode_cursor(stored.data)
            floor = stored.seq if cursor.kind == "rewind" else cursor.floor
            if floor != self._floor:
                self._blobs.clear()
            self._there = Place(cursor.epoch, cursor.seq, cursor.digest)
            self._fence, self._floor, self._adopter = stored.seq, floor, cursor.by
        return plan(self._there, self._source)

    async def _of_hub(self) -> Place:
        """Without a cursor in the stream the hub knows; without a hub, it is all sent again, which doubles nothing."""
        stands = await self._where()
        if stands is None or not stands.seq:
            return START
        return Place(stands.epoch, stands.seq, wire.digest(stands.hash))

    async def _where(self) -> Stands | None:
        """How far the hub is; None when none answers."""
        self._where_at = time.monotonic() + WHERE_S
        mine = wire.Mine(epoch=self._source.epoch)
        asked = Message(wire.ask_subject(self._source.node, "where"), wire.encode(mine))
        try:
            stands = msgspec.json.decode(await request(self._connection, asked, _WHERE_TIMEOUT_S), type=Stands)
        except (Unavailable, msgspec.MsgspecError):
            return None
        self._fork = stands.fork
        self.told = msgspec.structs.replace(
            self.told, hub=stands.hub, applied=stands.seq, trouble=stands.trouble, asked_us=_now_us()
        )
        return stands

    # --- shipping -----------------------------------------------------------------------------------------------------

    async def _ship(self) -> None:
        """Until something goes wrong, or the cursor has to be read again."""
        found = await self._find()
        if isinstance(found, Stuck):
            return await self._wait_stuck(found)
        after, self._client = found.after, self._connection.need()
        while not self._news.is_set():
            self._source.changed()
            chunk = self._source.next(after)
            if chunk is None:
                await self._idle()
                continue
            self._say("shipping", seq=after)
            await self._ship_blobs(chunk.blobs)
            await self._ship_page(chunk)
            after = chunk.seq
            self._say("shipping", seq=after, shipped_us=_now_us())

    async def _wait_stuck(self, found: Stuck) -> None:
        """Until there is news, or for a while."""
        wait_s = _STUCK_S
        if found.why == "superseded" and self._adopter:
            wait_s = await self._give_up(Fence(epoch=self._there.epoch, by=self._adopter, at_us=_now_us()))
        else:
            log.error("the uplink is stuck: %s", found.message)
            self._say("stuck", why=found.message, hint=found.hint)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), wait_s)

    async def _give_up(self, fence: Fence) -> float:
        """Another node has adopted this one. The engine hears of it first, and the hub of what was done since then."""
        if (before := read_fence(self._source.path.parent)) is None or before.epoch < fence.epoch:
            write_fence(self._source.path.parent, fence)
        told = refusal(self._source.node, fence)
        self._say("stuck", why=told.message, hint=told.hint)
        if await self._where() is None or self._fork < 0:
            return WHERE_S
        log.error("%s", told.message)
        count = await ship_apart(self._source, self._link, self._fork)
        write_fence(self._source.path.parent, msgspec.structs.replace(fence, handed=True))
        self._say("stuck", why=f"{told.message}; {count} events since then are at the hub, apart", hint=told.hint)
        return _STUCK_S

    async def _idle(self) -> None:
        """Until there is something new in the journal, or from the hub."""
        self._say("idle", seq=self._there.seq)
        if self.told.applied != self._there.seq:
            self._where_at = min(self._where_at, time.monotonic() + _SOON_S)
        while not self._news.is_set() and not self._source.changed():
            if self._connection.need() is not self._client:
                raise Unavailable("the connection was lost", hint="it is there again")
            behind = self.told.applied != self._there.seq
            if time.monotonic() >= self._where_at + (0.0 if behind else SAME_S):
                await self._where()
                self._say("idle", seq=self._there.seq)
                await self._same()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOK_S)

    async def _same(self) -> None:
        """Looks whether the stream still ends for us where we think it does: it may have been put back."""
        stored = await self._link.last(wire.cursor_subject(self._source.node))
        if (stored.seq if stored is not None else 0) != self._fence:
            raise Fenced

    async def _ship_page(self, chunk: Chunk) -> None:
        there = Place(chunk.epoch, chunk.seq, chunk.hash)
        await self._put(chunk.data, [], self._cursor("page", there, first=chunk.first), there)

    async def _ship_blobs(self, names: Iterable[str]) -> None:
        """Blobs, and what they refer to, unless they are in the stream; many small ones in one batch."""
        todo = [name for name in sorted(names) if name not in self._blobs]
        bundle: dict[str, bytes] = {}
        size = 0
        while todo:
            some, todo = todo[:_LOOKS], todo[_LOOKS:]
            subjects = [wire.blob_subject(self._source.node, name) for name in some]
            there = await asyncio.gather(*map(self._link.last, subjects))
            for name, stored in zip(some, there, strict=True):
                data = self._source.blob(name)
                if data is None:  # a word that only looks like a name, or a blob that was pruned
                    self._remember(name)
                    continue
                known = {*bundle, *todo, *some}
                todo += [each for each in sorted(self._source.reached(data) - known) if each not in self._blobs]
                if stored is not None and stored.seq > self._floor:
                    self._remember(name)
                    continue
                if bundle and (size + len(data) > _BUNDLE_BYTES or len(bundle) >= _BUNDLE_BLOBS):
                    await self._ship_bundle(bundle)
                    bundle, size = {}, 0
                bundle[name] = data
                size += len(data)
        if bundle:
            await self._ship_bundle(bundle)

    async def _ship_bundle(self, bundle: dict[str, bytes]) -> None:
        parts = tuple(BlobPart(sha256=name, size=len(data)) for name, data in bundle.items())
        notes = [(wire.blob_subject(self._source.node, name), b"") for name in bundle]
        cursor = self._cursor("blobs", self._there, blobs=parts)
        try:
            await self._put(pages.write_blobs(list(bundle.values())), notes, cursor, self._there)
        except DataError as error:  # one of half a gigabyte: the hub goes without, everything else goes on
            log.error("blobs that stay on the node: %s: %s", ", ".join(bundle), error.message)
        for name in bundle:
            self._remember(name)
        self._say("shipping", shipped_us=_now_us())

    def _remember(self, name: str) -> None:
        self._blobs[name] = None
        if len(self._blobs) > _BLOBS_MAX:
            self._blobs.popitem(last=False)

    def _cursor(
        self, kind: Literal["page", "blobs"], place: Place, *, first: int = 0, blobs: tuple[BlobPart, ...] = ()
    ) -> Cursor:
        return Cursor(
            kind=kind,
            node=self._source.node,
            epoch=place.epoch,
            seq=place.seq,
            hash=place.hash.hex(),
            first=first,
            blobs=blobs,
            head=self._source.end(),
            floor=self._floor,
            software=__version__,
            by=self._source.adopted_by,
        )

    async def _put(self, data: bytes, notes: list[tuple[str, bytes]], cursor: Cursor, place: Place) -> None:
        batch = uuid.uuid4().hex
        pieces = [data[at : at + wire.PIECE_BYTES] for at in range(0, len(data), wire.PIECE_BYTES)] or [b""]
        if len(pieces) > wire.BATCH_PIECES_MAX:
            raise DataError(f"{len(data):,} bytes are more than a batch takes")
        told = msgspec.structs.replace(cursor, batch=batch, pieces=len(pieces), size=len(data), at_us=_now_us())
        subject = wire.piece_subject(cursor.node)
        messages = [(subject, piece) for piece in pieces]
        end = (wire.cursor_subject(cursor.node), wire.encode(told))
        began = time.monotonic()
        self._fence = await self._link.put_batch(batch, [*messages, *notes, end], after=self._fence)
        self._there = place
        if self._bytes_per_s:
            await asyncio.sleep(max(0.0, len(data) / self._bytes_per_s - (time.monotonic() - began)))

    # --- telling ------------------------------------------------------------------------------------------------------

    def _say(
        self, state: str, *, seq: int | None = None, why: str = "", hint: str = "", shipped_us: int | None = None
    ) -> None:
        before, now_us = self.told, _now_us()
        self.told = msgspec.structs.replace(
            before,
            state=state,
            why=why,
            hint=hint,
            epoch=self._there.epoch,
            seq=before.seq if seq is None else seq,
            head=self._source.end(),
            shipped_us=before.shipped_us if shipped_us is None else shipped_us,
            since_us=before.since_us if before.state == state and before.why == why else now_us,
            at_us=now_us,
        )
        self._tell(self.told)


def told_file(data: Path) -> Path:
    """Where an uplink says how it stands."""
    return data / "uplink" / "status.json"


def read_told(data: Path) -> Shipped | None:
    """How the uplink of a data folder stands, as it said last; None when there never was one."""
    try:
        return msgspec.json.decode(told_file(data).read_bytes(), type=Shipped)
    except (OSError, msgspec.MsgspecError):
        return None


def _now_us() -> int:
    return time.time_ns() // 1000
