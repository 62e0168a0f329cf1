"""The hub's side of commands: kept in its store first, then put where their node finds them, until it has answered."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress

import msgspec
from msgspec import Raw

from skerry.core.ids import check_token, node_of
from skerry.core.structs import Frozen
from skerry.core.wire import Reply
from skerry.errors import Conflict, DataError, NotFound, SkerryError, Unavailable
from skerry.hub.intake import Intake
from skerry.hub.link import Fenced, Link
from skerry.hub.store import HubStore
from skerry.ports import Message
from skerry.sync import wire
from skerry.sync.wire import Command

log = logging.getLogger("skerry.hub")

LOOK_S = 10.0
_READ_COUNT, _READ_BYTES = 100, 4 * 1024 * 1024


class Kept(Frozen):
    """The answer to a command: it is on the hub's disk, and waits for this node."""

    id: str
    node: str


class Dispatch:
    """Serves `hub.ask.command`, and keeps the stream of commands as the store says."""

    def __init__(self, store: HubStore, look: HubStore, link: Link, intake: Intake) -> None:
        self._store = store
        self._look = look
        self._link = link
        self._intake = intake
        self._hub = store.hub
        self._news = intake.decided

    async def run(self) -> None:
        """For ever. Raises `JournalError` when the store cannot be written."""
        while True:
            self._news.clear()
            try:
                await self._tidy()
            except Unavailable as error:
                log.debug("commands wait: %s", error.message)
                await asyncio.sleep(1.0)
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOK_S)

    async def ask(self, message: Message) -> bytes:
        """A command that somebody gives. Answered when it is on disk."""
        try:
            command = await self._keep(message.data)
        except SkerryError as error:
            return wire.encode(Reply(ok=False, error=type(error).__name__, message=error.message, hint=error.hint))
        self._news.set()
        return wire.encode(Reply(value=Raw(wire.encode(Kept(id=command.id, node=command.node)))))

    async def _keep(self, data: bytes) -> Command:
        try:
            given = msgspec.json.decode(data, type=Command)
        except msgspec.MsgspecError as error:
            raise DataError(f"the command is not understood: {error}") from None
        check_token("a command's id", given.id)
        node = node_of(given.run)
        if not self._look.stands(node)[0].seq:
            raise NotFound(f"node {node} has handed over nothing to this hub", hint="skerry hub nodes lists them")
        if given.node and given.node != node:
            raise Conflict(f"run {given.run} is of node {node}, not of {given.node}")
        command = msgspec.structs.replace(given, node=node, hub=self._hub, at_us=time.time_ns() // 1000)
        await asyncio.to_thread(self._store.keep_command, command)
        return command

    async def _tidy(self) -> None:
        """What is open is in the stream; what is decided is not."""
        at, there = 1, set[str]()
        while found := await self._link.read(at, count=_READ_COUNT, bytes_max=_READ_BYTES):
            for stored in found:
                at = stored.seq + 1
                id = stored.subject.rpartition(".")[2]
                there.add(id)
                known = self._look.command(id)
                if known is None:  # this store was put back to an older copy
                    with suppress(msgspec.MsgspecError):
                        command = msgspec.json.decode(stored.data, type=Command)
                        await asyncio.to_thread(self._store.keep_command, command)
                elif known.state != "open":
                    await self._link.delete(stored.seq)
        for view in self._look.commands(state="open"):
            if view.command.id not in there:
                command = view.command
                with suppress(Fenced):
                    await self._link.put(wire.command_subject(command.node, command.id), wire.encode(command), after=0)
