"""The other way: what the hub wants of a node's runs, taken by the node's uplink and handed to its engine.

The hub says what waits until it has heard what became of it. The engine takes each under its id, once; what
became of it is told under the id, too, and the first word counts. So all of it may happen twice, and is done once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from skerry.bus.connection import Connection
from skerry.bus.core import Listen, request
from skerry.core import api
from skerry.core.ids import node_of
from skerry.core.projection import RunRow
from skerry.errors import Busy, Conflict, DataError, JournalError, SkerryError, Unavailable
from skerry.hub.adopting import Adopting
from skerry.hub.link import Fenced, Link
from skerry.hub.source import Source
from skerry.ports import Message
from skerry.sync import wire
from skerry.sync.wire import Command, Outcome, Waiting

if TYPE_CHECKING:
    from skerry.client.caller import Caller

log = logging.getLogger("skerry.downlink")

LOOK_S = 30.0
"""So often it looks for commands, should the news of one have been lost."""
_AGAIN_S, _AGAIN_S_MAX = 0.5, 10.0
_ASK_S = 5.0
Change: TypeAlias = api.Signal | api.Answer | api.Cancel | api.RetryRun
_REQUESTS: dict[str, type[Change]] = {
    "signal": api.Signal,
    "answer": api.Answer,
    "cancel": api.Cancel,
    "retry": api.RetryRun,
}
_LATER = (Busy, Unavailable, JournalError)
"""Refusals that may pass: the command waits on."""


class Downlink:
    """Takes commands, until it is cancelled. `caller` reaches the engine, when there is one."""

    def __init__(self, source: Source, connection: Connection, link: Link, caller: Caller, adopting: Adopting) -> None:
        self._source = source
        self._connection = connection
        self._link = link
        self._caller = caller
        self._adopting = adopting
        self._called = False
        self._news = asyncio.Event()
        self._done: set[str] = set()

    async def run(self) -> None:
        """For ever; whatever goes wrong is tried again."""
        wake = wire.wake_subject(self._source.node)
        await self._connection.join(Listen(self._connection, wake, lambda _: self._news.set()))
        pause_s = _AGAIN_S
        while True:
            self._news.clear()
            later = True
            try:
                later = await self._round()
            except SkerryError as error:
                log.debug("commands of the hub wait: %s", error.message)
            pause_s = min(pause_s * 2, _AGAIN_S_MAX) if later else _AGAIN_S
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), pause_s if later else LOOK_S)

    async def _round(self) -> bool:
        """Every command that waits; whether some have to wait on. Raises `Unavailable`."""
        mine = wire.Mine(epoch=self._source.epoch)
        asked = Message(wire.ask_subject(self._source.node, "commands"), wire.encode(mine))
        answer = await request(self._connection, asked, _ASK_S)
        try:
            waiting = msgspec.json.decode(answer, type=Waiting).commands
        except msgspec.MsgspecError as error:
            raise Unavailable(
                f"the hub's answer is not understood: {error}", hint="is it of another version?"
            ) from None
        later = False
        for command in waiting:
            if command.id not in self._done:
                if await self._decide(command):
                    self._done.add(command.id)
                else:
                    later = True
        self._done &= {command.id for command in waiting}
        return later

    async def _decide(self, command: Command) -> bool:
        """Has it done, and says what became of it. False: it waits on."""
        told = wire.outcome_subject(self._source.node, command.id)
        if await self._link.last(told) is not None:
            return True  # decided before; the hub has not read it yet
        outcome = await (self._adopt(command) if command.verb == "adopt" else self._outcome(command))
        if outcome is None:
            return False
        log.info("%s of %s for run %s: %s %s", command.verb, command.by, command.run, outcome.state, outcome.message)
        with suppress(Fenced):  # said already, by an uplink that was killed then
            await self._link.put(told, wire.encode(outcome), after=0)
        return True

    async def _adopt(self, command: Command) -> Outcome | None:
        try:
            await self._adopting.adopt(command)
        except _LATER as error:
            log.warning("the adoption %s waits: %s", command.id, error.message)
            return None
        except SkerryError as error:
            return _refused(command, error, None)
        return Outcome(command=command, state="applied", at_us=time.time_ns() // 1000)

    async def _outcome(self, command: Command) -> Outcome | None:
        now_us = time.time_ns() // 1000
        row = self._source.row(command.run)
        if self._source.answered(f"signal/{command.run}", command.id):
            return Outcome(command=command, state="applied", at_us=now_us, status=row.status if row else "")
        if command.valid_until_us and now_us > command.valid_until_us:
            return Outcome(command=command, state="expired", at_us=now_us, status=row.status if row else "")
        try:
            taken = await self._ask(command)
        except _LATER as error:
            log.info("%s of %s for run %s waits: %s", command.verb, command.by, command.run, error.message)
            return None
        except SkerryError as error:
            return _refused(command, error, row)
        return Outcome(command=command, state="applied", at_us=time.time_ns() // 1000, status=taken.status)

    async def _ask(self, command: Command) -> api.Taken:
        """Asks the engine. Raises what it answers."""
        if node_of(command.run) != self._source.node or command.node != self._source.node:
            raise Conflict(f"run {command.run} is not this node's")
        try:
            request = msgspec.json.decode(command.request, type=_REQUESTS[command.verb])
        except msgspec.MsgspecError as error:
            raise DataError(f"the request is not understood: {error}") from None
        if request.run != command.run:
            raise DataError(f"it is for run {command.run}, and its request for {request.run}")
        if not self._called:
            await self._caller.open()
            self._called = True
        # Who sent it, and from where, is what the journal will say.
        named = msgspec.structs.replace(request, id=command.id, by=f"{command.by}@{command.hub or 'hub'}")
        return await self._caller.again(command.verb, named, api.Taken)


def _refused(command: Command, error: SkerryError, row: RunRow | None) -> Outcome:
    return Outcome(
        command=command,
        state="refused",
        at_us=time.time_ns() // 1000,
        status=row.status if row is not None else "",
        error=type(error).__name__,
        message=error.message,
    )
