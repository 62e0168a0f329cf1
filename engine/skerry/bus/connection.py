"""A connection to NATS that is mended: whenever it is lost, a new one is made, to wherever the server is then.

nats-py's own reconnect keeps the old address and key, lets parked pulls hang, and stores refused messages later; so it
is off, and each loss costs a new `Client`. What lives on a connection is a `Part`: it is told when one is there and
when it is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from typing import Protocol

from skerry.bus.client import Client, NotLetIn, shown
from skerry.bus.replies import Replies
from skerry.bus.target import Target
from skerry.errors import DataError, SkerryError, Unavailable

logger = logging.getLogger("skerry.bus")

_BACKOFF_FIRST_S = 0.02
_UP_TIMEOUT_S = 15.0
_CANCEL_AGAIN_S = 0.5


class Part(Protocol):
    """Something that lives on a connection."""

    async def up(self, client: Client) -> None:
        """A connection is there: set yourself up on it. Raising means that this connection is no good."""
        ...

    def down(self) -> None:
        """It is lost."""
        ...


class Connection:
    """One connection at a time. `name` is what the server's lists show."""

    def __init__(self, target: Target, *, name: str) -> None:
        self.replies = Replies()
        self._target = target
        self._name = name
        self._client: Client | None = None
        self._parts: list[Part] = []
        self._up = asyncio.Event()
        self._unready = ""
        self._keeper: asyncio.Task[None] | None = None

    @property
    def client(self) -> Client | None:
        """The connection as it is; None while it is being mended."""
        client = self._client
        return client if client is not None and client.usable else None

    def need(self) -> Client:
        """The connection, or `Unavailable` at once."""
        client = self.client
        if client is None:
            raise Unavailable("there is no connection to the bus", hint="it is being mended; try again")
        return client

    async def open(self, timeout_s: float) -> None:
        """The first connection. Raises `Unavailable` with the last reason when there is none within `timeout_s`."""
        problems: list[SkerryError] = []
        try:
            async with asyncio.timeout(timeout_s):
                client = await self._connect(problems, first=True)
        except TimeoutError:
            if problems:
                raise problems[-1] from None
            where = shown(self._target.endpoint().servers)
            raise Unavailable(f"no answer from {where}", hint="is a server running there?") from None
        self._keeper = asyncio.create_task(self._keep(client), name=f"bus connection of {self._name}")

    async def wait_up(self, timeout_s: float) -> bool:
        """Whether there is a connection, after waiting for it for up to `timeout_s`."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._up.wait(), timeout_s)
        return self._up.is_set()

    async def join(self, part: Part) -> None:
        """Takes a part in; it is set up now if there is a connection, and at every one that follows."""
        self._parts.append(part)
        client = self.client
        if client is not None:
            try:
                await part.up(client)
            except BaseException:
                self.leave(part)
                raise

    def leave(self, part: Part) -> None:
        """The part is told nothing any more."""
        if part in self._parts:
            self._parts.remove(part)

    async def close(self) -> None:
        """Disconnects for good."""
        if self._keeper is not None:
            # Again and again: while it connects, nats-py (and `asyncio.wait_for` before Python 3.12) may swallow one,
            # and a process that was told to leave would stay for ever.
            while not self._keeper.done():
                self._keeper.cancel()
                await asyncio.wait([self._keeper], timeout=_CANCEL_AGAIN_S)
            if not self._keeper.cancelled() and (error := self._keeper.exception()) is not None:
                logger.error("%s: the connection to the bus was not being mended: %r", self._name, error)
            self._keeper = None

    async def _keep(self, client: Client) -> None:
        try:
            while True:
                await asyncio.shield(client.lost)
                logger.warning("%s: the connection to the bus is lost; it is being mended", self._name)
                self._down()
                await client.abandon()
                client = await self._connect([], first=False)
                logger.info("%s: connected to the bus again", self._name)
        finally:
            self._down()
            await client.abandon()

    def _down(self) -> None:
        self._client = None
        self._up.clear()
        self.replies.down()
        for part in list(self._parts):
            part.down()

    async def _connect(self, problems: list[SkerryError], *, first: bool) -> Client:
        """Tries until there is a connection on which every part is set up. Reasons go into `problems`.

        The first time it raises what trying again will not mend.
        """
        backoff_s = _BACKOFF_FIRST_S
        while True:
            retry_s_max, key_changes = 0.25, True
            try:
                endpoint = self._target.endpoint()
                retry_s_max, key_changes = endpoint.retry_s_max, endpoint.key_changes
                client = Client(name=self._name)
                await client.open(endpoint.servers, timeout_s=endpoint.timeout_s, options=endpoint.options)
                if await self._set_up(client):
                    return client
            except SkerryError as error:
                if first and (isinstance(error, DataError) or (isinstance(error, NotLetIn) and not key_changes)):
                    raise
                logger.debug("%s: %s", self._name, error.message)
                problems[:] = [error]
            # Jitter: a hundred workers should not knock at the same instant.
            await asyncio.sleep(backoff_s * random.uniform(0.5, 1.0))
            backoff_s = min(backoff_s * 2, retry_s_max)

    async def _set_up(self, client: Client) -> bool:
        """Whether every part could be set up on it. Answers work first, as the others need them."""
        self._client = client
        # Whoever waits for an answer learns of the loss at once, also while the parts are being set up.
        client.lost.add_done_callback(lambda _: self.replies.down())
        try:
            async with asyncio.timeout(_UP_TIMEOUT_S):
                await self.replies.up(client)
                for part in list(self._parts):
                    await part.up(client)
        except (SkerryError, TimeoutError) as error:
            # Once for each reason, not once for each attempt.
            if str(error) != self._unready:
                self._unready = str(error)
                logger.warning("%s: the bus is there but not ready: %s", self._name, error or "it is too slow")
            self._down()
            await client.abandon()
            return False
        except BaseException:
            self._down()
            await client.abandon()
            raise
        self._unready = ""
        self._up.set()
        return True
