"""The adopting node's side: fetches a lost node's journal from the hub, and begins its new epoch.

An adopted journal stays that node's: its runs keep their ids, and so the keys under which the outside knows them. It
lies in `adopted/<node>` of the data folder, and an engine of its own goes on with it, on this node's bus.
"""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

import msgspec

from skerry.bus.connection import Connection
from skerry.bus.core import request
from skerry.clock import SystemClock
from skerry.core import events as ev
from skerry.core.ids import check_token
from skerry.errors import DataError, Unavailable
from skerry.hub.copy import Copy
from skerry.hub.fence import read_fence
from skerry.journal import SqliteJournal
from skerry.journal.rotate import rotate
from skerry.journal.sealed import read_keys
from skerry.ports import Message
from skerry.sync import page as pages
from skerry.sync import wire
from skerry.sync.wire import Adopt, AskBlob, AskChain, Command, Piece

log = logging.getLogger("skerry.uplink")

FOLDER = "adopted"
_ASK_S = 10.0


class Adopting:
    """Makes copies of lost nodes' journals, for the node `node` with this data folder."""

    def __init__(self, data: Path, node: str, connection: Connection) -> None:
        self._folder = data / FOLDER
        self._node = node
        self._connection = connection

    async def adopt(self, command: Command) -> None:
        """Has the journal of a lost node ready in `adopted/`. May be done again.

        Raises `Unavailable` when the hub does not answer (all that came is kept), `DataError`, `Conflict`.
        """
        try:
            adopt = msgspec.json.decode(command.request, type=Adopt)
        except msgspec.MsgspecError as error:
            raise DataError(f"the request is not understood: {error}") from None
        check_token("the node's name", adopt.node)
        final, part = self._folder / adopt.node, self._folder / f".{adopt.node}.{adopt.epoch}"
        if final.exists():
            fence = read_fence(final)
            if fence is None or fence.epoch >= adopt.epoch:
                return
            final.rename(self._folder / f".{adopt.node}.{fence.epoch}.lost")  # adopted back: what it was is kept
        await self._copy(adopt, part)
        await self._begin(adopt, part, command)
        if read_keys(self._folder.parent) is not None:  # what this node keeps is sealed: so is that
            await asyncio.to_thread(rotate, part)
        part.rename(final)
        log.warning("node %s is adopted: its journal is in %s", adopt.node, final)

    async def _copy(self, adopt: Adopt, part: Path) -> None:
        copy = await asyncio.to_thread(Copy, part, adopt.node)
        try:
            while copy.end[0] < adopt.seq:
                data = await self._fetch("chain", AskChain(node=adopt.node, after=copy.end[0]))
                if data is None:
                    raise Unavailable(f"the hub has no event {copy.end[0] + 1} of node {adopt.node}")
                await asyncio.to_thread(copy.take, pages.read(data))
            if copy.end[:2] != (adopt.seq, wire.digest(adopt.hash)):
                if copy.end[2] >= adopt.epoch:
                    return  # begun before
                raise DataError(f"the hub's journal of node {adopt.node} is not the one that was to be adopted")
            missing = copy.missing()
            while names := await asyncio.to_thread(next, missing, None):
                for name in sorted(names):
                    blob = await self._fetch("blob", AskBlob(node=adopt.node, sha256=name))
                    if blob is not None:  # or a word that only looks like a name, or one that was pruned
                        await asyncio.to_thread(copy.put_blob, name, blob, time.time_ns() // 1000)
            await asyncio.to_thread(copy.finish)
        finally:
            copy.close()

    async def _begin(self, adopt: Adopt, part: Path, command: Command) -> None:
        """The new epoch begins, with an event that says whose it is."""
        journal = await SqliteJournal.open(part, node=adopt.node, clock=SystemClock())
        try:
            if journal.head.epoch < adopt.epoch:
                by = f"{command.by}@{command.hub}" if command.hub else command.by
                at_us = max(journal.head.at_us, time.time_ns() // 1000)
                said = ev.NodeAdopted(node=adopt.node, by=self._node, person=by, reason=adopt.reason)
                await journal.adopted(adopt.epoch, said, at_us)
        finally:
            await journal.close()

    async def _fetch(self, what: str, asked: AskChain | AskBlob) -> bytes | None:
        """A page or a blob, piece by piece; None when there is none."""
        data = b""
        while True:
            asked = msgspec.structs.replace(asked, offset=len(data))
            subject = wire.ask_subject(self._node, "chain" if what == "chain" else "blob")
            answer = await request(self._connection, Message(subject, wire.encode(asked)), _ASK_S)
            try:
                piece = msgspec.json.decode(answer, type=Piece)
            except msgspec.MsgspecError as error:
                raise Unavailable(f"the hub's answer is not understood: {error}") from None
            if piece.message:
                raise Unavailable(f"the hub does not hand over node {asked.node}: {piece.message}")
            if piece.size < 0:
                return None
            data += piece.data
            if len(data) >= piece.size:
                return data
            if not piece.data:
                raise Unavailable("the hub's answer has come to an end too soon")
