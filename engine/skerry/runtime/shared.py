"""Engines of a group begin what comes to any of them once: who claims it first on the bus, begins it.

The order: the claim, with the whole request in it, is on the bus; then the request is taken into the journal; then the
claim says which runs it has led to. An engine that is killed in between finds its open claims at its next start, and
completes them. So a claim never loses an event, and whoever asks again gets the answer of the one that was first.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

import msgspec

from skerry.core import api
from skerry.core.wire import Begun, Reply, command_subject, encode, start_subject
from skerry.errors import Busy, JournalError, SkerryError, Unavailable
from skerry.ports import Message, Starts, Word
from skerry.runtime.engine import Engine

log = logging.getLogger("skerry.shared")

Request: TypeAlias = api.Publish | api.Start
R = TypeVar("R", api.Publish, api.Start)
_ASK_S = 3.0
_CLAIM_S, _PAUSE_S = 8.0, 0.2
"""How long a claim is tried, and how long between two tries."""
_RETRY_S = 5.0


class Shared:
    """What an engine needs to share starts with the others of its group."""

    def __init__(self, engine: Engine, starts: Starts, group: str) -> None:
        self.group = group
        self._engine = engine
        self._starts = starts

    async def begin(self, request: R, act: Callable[[R], Awaitable[api.Started]]) -> api.Started:
        """Takes a request in by `act`, if no other engine of the group has claimed it. Raises what `act` raises.

        Raises `Unavailable` when the bus does not say whose it is.
        """
        id = id_of(request)
        if not id:
            return await act(request)
        engine = self._engine
        mine = Begun(node=engine.node, verb=_verb(request), at_us=engine.now_us(), request=msgspec.Raw(encode(request)))
        word = await self._first(start_subject(self.group, _key(request, id)), encode(mine))
        claim = msgspec.json.decode(word.data, type=Begun)
        if claim.runs:
            return api.Started(runs=claim.runs, again=True)
        if claim.node != engine.node:
            return await self._of_another(claim)
        try:
            started = await act(request)
        except Busy:
            await self._starts.withdraw(word)
            raise
        engine.spawn(self._close(word, claim, started.runs))
        return started

    async def _first(self, subject: str, data: bytes) -> Word:
        """Waits while a cluster chooses a new leader: whoever has asked us waits, too."""
        clock = self._engine.clock
        until_us = clock.now_us() + int(_CLAIM_S * 1e6)
        while True:
            try:
                return await self._starts.first(subject, data)
            except Unavailable:
                if clock.now_us() > until_us:
                    raise
            await clock.sleep(_PAUSE_S)

    async def complete(self, handle: Callable[[str, bytes], Awaitable[bytes]]) -> None:
        """Hands in again what this engine had claimed and not begun when it ended, until all of it is."""
        while True:
            try:
                async for word in self._starts.all(start_subject(self.group, "*")):
                    claim = msgspec.json.decode(word.data, type=Begun)
                    if claim.node == self._engine.node and not claim.runs:
                        await self._complete(claim, handle)
                return
            except (Busy, Unavailable) as error:
                log.info("claims of before are not completed yet: %s", error.message)
            await self._engine.clock.sleep(_RETRY_S)

    async def _complete(self, claim: Begun, handle: Callable[[str, bytes], Awaitable[bytes]]) -> None:
        try:
            await handle(claim.verb, bytes(claim.request))
        except (Busy, Unavailable, JournalError):
            raise
        except SkerryError as error:  # its workflow is not loaded any more
            log.error("what was claimed before cannot be begun: %s", error)
        else:
            log.info("what was claimed before, and not begun, is begun")

    async def _close(self, word: Word, claim: Begun, runs: tuple[str, ...]) -> None:
        try:
            await self._starts.replace(word, encode(_closed(claim, runs)))
        except Unavailable as error:  # it is completed at the next start, and has begun already then
            log.debug("a claim stays open: %s", error.message)

    async def _of_another(self, claim: Begun) -> api.Started:
        bus = self._engine.bus
        assert bus is not None, "starts are shared over a bus"
        try:
            asked = Message(command_subject(claim.node, claim.verb), bytes(claim.request))
            reply = msgspec.json.decode(await bus.request(asked, timeout_s=_ASK_S), type=Reply)
        except (Unavailable, msgspec.MsgspecError):
            return api.Started(runs=(), again=True, waits_for=claim.node)
        if not reply.ok:
            raise Unavailable(f"node {claim.node} has claimed it: {reply.message}", hint=reply.hint or "try again")
        return msgspec.structs.replace(msgspec.json.decode(reply.value, type=api.Started), again=True)


def id_of(request: Request) -> str:
    """What makes a request the same as another one; empty when it is always a new one."""
    return request.id or (request.file.sha256 if request.file is not None else "")


def _verb(request: Request) -> str:
    return "publish" if isinstance(request, api.Publish) else "start"


def _key(request: Request, id: str) -> str:
    what = request.type if isinstance(request, api.Publish) else request.workflow
    named = msgspec.json.encode([_verb(request), what, request.source, id])
    return hashlib.sha256(named).hexdigest()[:40]


def _closed(claim: Begun, runs: tuple[str, ...]) -> Begun:
    return Begun(node=claim.node, verb=claim.verb, at_us=claim.at_us, runs=runs)
