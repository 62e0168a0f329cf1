"""Whether the link of our server to a hub's has to be helped up.

A nats-server mends its leaf links by itself, but has been seen to stop trying after many short outages (nats-server's
issue 7615). Then a new launch of the server helps, and nothing else does.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from skerry.bus.connection import Connection
from skerry.bus.core import request
from skerry.bus.serverconfig import Leaf
from skerry.bus.target import LocalServer
from skerry.core.structs import Frozen
from skerry.errors import SkerryError, Unavailable
from skerry.ports import Message

LOOK_S = 15.0
"""So often one looks."""
_PATIENCE_S, _PATIENCE_MAX_S = 120.0, 3600.0
_ANSWER_S = 5.0
_PORT = 7422
"""Where a NATS server takes leaf nodes unless it is told otherwise."""
_ASK = "$SYS.REQ.ACCOUNT.PING.STATZ"
"""A server tells every account how many connections and leaf links it has."""


class _Account(Frozen):
    leafnodes: int = 0


class _Statistics(Frozen):
    account_statz: tuple[_Account, ...] = ()


class _Answer(Frozen):
    data: _Statistics


class LeafWatch:
    """Looks at the link from time to time. `file` says how to speak through it (hub.json)."""

    def __init__(self, leaf: Leaf, file: Path) -> None:
        self._leaf = leaf
        self._connection = Connection(LocalServer(file=file), name="skerry leaf watch")
        self._opened = False
        self._down_s: float | None = None
        self._patience_s = _PATIENCE_S

    async def is_stuck(self, now_s: float) -> bool:
        """Whether the link has been down for two minutes although the hub's server takes connections.

        After each time that it was, one is twice as patient, up to an hour: the link may be refused, and the node's own
        work needs the server. `now_s` is a time in seconds that only goes forward.
        """
        try:
            linked = await self.is_up()
        except SkerryError:  # our server is being launched
            self._down_s = None
            return False
        if linked:
            self._down_s, self._patience_s = None, _PATIENCE_S
            return False
        if self._down_s is None:
            self._down_s = now_s
        if now_s - self._down_s < self._patience_s or not await self._hub_answers():
            return False
        self._down_s, self._patience_s = None, min(2 * self._patience_s, _PATIENCE_MAX_S)
        return True

    async def is_up(self) -> bool:
        """Whether there is a link now. Raises `Unavailable` when our server does not say."""
        if not self._opened:
            await self._connection.open(_ANSWER_S)
            self._opened = True
        said = await request(self._connection, Message(_ASK, b""), _ANSWER_S)
        try:
            answer = msgspec.json.decode(said, type=_Answer)
        except msgspec.MsgspecError as error:
            raise Unavailable(f"the answer on {_ASK} is not understood: {error}") from None
        return any(account.leafnodes for account in answer.data.account_statz)

    async def close(self) -> None:
        """Lets go of the connection."""
        with contextlib.suppress(SkerryError):
            await self._connection.close()

    async def _hub_answers(self) -> bool:
        at = urlsplit(self._leaf.url)
        try:
            async with asyncio.timeout(_ANSWER_S):
                _, writer = await asyncio.open_connection(at.hostname, at.port or _PORT)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True
