"""The hub's side of commands: put into the stream first, taken into the store from there, told to their nodes.

So they are where everything else is that the hub knows: a store that is made anew has them, too.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress

import msgspec
from msgspec import Raw

from skerry.bus.connection import Connection
from skerry.bus.core import Respond
from skerry.core.ids import check_token, node_of
from skerry.core.structs import Frozen
from skerry.core.wire import Reply
from skerry.errors import Conflict, DataError, NotFound, SkerryError
from skerry.hub.link import Fenced, Link
from skerry.hub.store import HubStore
from skerry.ports import Message
from skerry.sync import wire
from skerry.sync.wire import Command, Mine, Waiting

log = logging.getLogger("skerry.hub")

_WAITING_MAX = 100
_WAITING_BYTES_MAX = 512 * 1024
COMMAND_BYTES_MAX = 256 * 1024


def said_of(message: Message) -> Mine:
    """What a node says of itself in a question."""
    try:
        return msgspec.json.decode(message.data or b"{}", type=Mine)
    except msgspec.MsgspecError:
        return Mine()


class Kept(Frozen):
    """The answer to a command: it is in the hub's stream, and waits for this node."""

    id: str
    node: str


class Dispatch:
    """Takes commands, and tells nodes of them. `look` reads what is committed."""

    def __init__(self, look: HubStore, connection: Connection, link: Link) -> None:
        self._look = look
        self._connection = connection
        self._link = link
        self._hub = look.hub

    async def start(self) -> None:
        """Begins to answer."""
        await self._connection.join(Respond(self._connection, wire.GIVE, self._give))
        await self._connection.join(Respond(self._connection, wire.ask_subject("*", "commands"), self._waiting))

    async def _give(self, message: Message) -> bytes:
        """A command that somebody gives. Answered when it is in the stream."""
        try:
            command = await self._keep(message.data)
        except SkerryError as error:
            return wire.encode(Reply(ok=False, error=type(error).__name__, message=error.message, hint=error.hint))
        return wire.encode(Reply(value=Raw(wire.encode(Kept(id=command.id, node=command.node)))))

    async def _keep(self, data: bytes) -> Command:
        if len(data) > COMMAND_BYTES_MAX:
            raise DataError(f"a command of {len(data):,} bytes is too long", hint="values of 256 KiB at most go down")
        try:
            given = msgspec.json.decode(data, type=Command)
        except msgspec.MsgspecError as error:
            raise DataError(f"the command is not understood: {error}") from None
        check_token("a command's id", given.id)
        if given.verb == "adopt":
            raise DataError("an adoption is asked for in another way", hint="skerry hub adopt NODE --by NODE")
        node = node_of(given.run)
        if not self._look.stands(node)[0].seq:
            raise NotFound(f"node {node} has handed over nothing to this hub", hint="skerry hub nodes lists them")
        if given.node and given.node != node:
            raise Conflict(f"run {given.run} is of node {node}, not of {given.node}")
        command = msgspec.structs.replace(given, node=node, hub=self._hub, at_us=time.time_ns() // 1000)
        with suppress(Fenced):  # given before, under the same id
            await self._link.put(wire.command_subject(node, command.id), wire.encode(command), after=0)
        return command

    async def _waiting(self, message: Message) -> bytes:
        """What waits for a node, the oldest first."""
        node = message.subject.split(".")[2]
        found: list[Command] = []
        size = 0
        mine = said_of(message)
        if 0 < mine.epoch < self._look.stands(node)[0].epoch:
            return wire.encode(Waiting(commands=found))  # it is fenced: what waits is for who goes on with its journal
        for view in reversed(self._look.commands(node=node, state="open")):
            size += len(bytes(view.command.request))
            if len(found) == _WAITING_MAX or (found and size > _WAITING_BYTES_MAX):
                break
            found.append(view.command)
        return wire.encode(Waiting(commands=found))
