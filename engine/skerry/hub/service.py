"""The hub, put together: its store, its server (if it has one of its own), the stream, and who owns it."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
import uuid
from collections.abc import AsyncGenerator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from skerry.bus import NatsBus, NatsServer
from skerry.bus.connection import Connection
from skerry.bus.core import Listen, Respond
from skerry.bus.target import Endpoint, Target, target_of
from skerry.errors import Conflict, SkerryError, Unavailable
from skerry.hub.adoption import Adoptions
from skerry.hub.cloud import CloudDesk
from skerry.hub.dispatch import Dispatch, said_of
from skerry.hub.intake import Intake
from skerry.hub.link import Fenced, Link
from skerry.hub.store import HubStore
from skerry.journal.lock import FolderLock
from skerry.ports import Message
from skerry.security.enrolment import network
from skerry.sync import wire
from skerry.sync.wire import Owner, Stands

log = logging.getLogger("skerry.hub")

_RETRY_S_MAX = 0.25
_CHECK_S = 5.0
_OWNER_TRIES = 5


class Quick(NamedTuple):
    """A target that is tried again soon: after a cut, node and hub are to meet within a second."""

    target: Target

    def endpoint(self) -> Endpoint:
        """Where it is now."""
        found = self.target.endpoint()
        return found._replace(retry_s_max=min(found.retry_s_max, _RETRY_S_MAX))


class HubOptions(NamedTuple):
    """`nats`: the server; None for one of our own. `take_over`: also a stream that belongs to another hub.

    `replicas`: how many servers of a cluster are to keep the stream, at least. `cloud`: nodes may leave tasks of the
    size `cloud` here.
    """

    data: Path
    nats: Target | None = None
    port: int = 0
    take_over: bool = False
    replicas: int = 1
    stream_bytes_max: int = wire.STREAM_BYTES_MAX
    cloud: bool = False


class Hub:
    """A running hub."""

    def __init__(
        self, store: HubStore, look: HubStore, connection: Connection, server: NatsServer | None, *, take_over: bool
    ) -> None:
        self.store = store
        self.look = look
        self.server = server
        self.link = Link(connection)
        self.intake = Intake(store, connection, self.link)
        self.dispatch = Dispatch(look, connection, self.link)
        self.adoptions = Adoptions(look, connection, self.link)
        self._connection = connection
        self._take_over = take_over
        self._owner = Owner(
            hub=store.hub,
            instance=uuid.uuid4().hex,
            at_us=time.time_ns() // 1000,
            where=f"process {os.getpid()} on {socket.gethostname()}",
        )
        self._told = asyncio.Event()

    async def settle(self, options: HubOptions) -> None:
        """Makes the stream, and takes it. Raises `Conflict` when it belongs to another hub, `Unavailable`."""
        info = await self.link.info()
        if info is None:
            config = wire.stream_config(bytes_max=options.stream_bytes_max, replicas=options.replicas)
            await self.link.create(config)
        elif info["config"]["num_replicas"] < options.replicas:
            await self.link.update({**info["config"], "num_replicas": options.replicas})
        for _ in range(_OWNER_TRIES):
            stored = await self.link.last(wire.OWNER)
            if stored is not None:
                other = msgspec.json.decode(stored.data, type=Owner)
                if other.hub != self._owner.hub and not self._take_over:
                    raise Conflict(
                        f"this stream belongs to another hub, {other.hub} ({other.where})",
                        hint="if that one is gone for good: --take-over; a node has one hub",
                    )
            with suppress(Fenced):
                await self.link.put(wire.OWNER, wire.encode(self._owner), after=stored.seq if stored else 0)
                return
        raise Conflict("several hubs are taking this stream at the same time", hint="start one of them")

    async def run(self) -> SkerryError:
        """Serves until it cannot go on; returns why."""
        await self._connection.join(Respond(self._connection, wire.ask_subject("*", "where"), self._where))
        await self.dispatch.start()
        await self.adoptions.start()
        await self._connection.join(Listen(self._connection, wire.OWNER, lambda _: self._told.set()))
        tasks = [asyncio.create_task(_ended(self.intake.run())), asyncio.create_task(self._watch())]
        if self.server is not None:
            tasks.append(asyncio.create_task(self.server.gave_up()))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self) -> SkerryError:
        """Returns when another hub, or another process on a copy of this one's folder, has taken the stream."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), _CHECK_S)
            self._told.clear()
            with suppress(Unavailable):
                stored = await self.link.last(wire.OWNER)
                if stored is None:  # the stream was made anew, or is an older one again
                    with suppress(Fenced):
                        await self.link.put(wire.OWNER, wire.encode(self._owner), after=0)
                    continue
                owner = msgspec.json.decode(stored.data, type=Owner)
                if owner.instance != self._owner.instance and owner.at_us > self._owner.at_us:
                    return Conflict(
                        f"another hub has taken over: {owner.hub} ({owner.where})", hint="only one of them can go on"
                    )

    async def _where(self, message: Message) -> bytes:
        node = message.subject.split(".")[2]
        place, trouble = self.look.stands(node)
        mine = said_of(message)
        stands = Stands(
            hub=self._owner.hub,
            node=node,
            epoch=place.epoch,
            seq=place.seq,
            hash=place.hash.hex(),
            trouble=trouble,
            fork=self.look.fork(node, mine.epoch) if mine.epoch else -1,
        )
        return wire.encode(stands)


async def _ended(work: Coroutine[None, None, None]) -> SkerryError:
    """Why something has ended that goes on for ever."""
    try:
        await work
    except SkerryError as error:
        return error
    raise AssertionError("it ends with an error only")


@asynccontextmanager
async def open_hub(options: HubOptions) -> AsyncGenerator[Hub, None]:
    """Starts what a hub needs, and takes its stream; `run` it then.

    Raises `JournalLocked` when another process has the folder, `Conflict` when the stream is another hub's,
    `Unavailable` when the server cannot be reached.
    """
    options.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        lock = FolderLock(options.data)
        stack.callback(lock.release)
        store = HubStore(options.data, write=True)
        stack.callback(store.close)
        look = HubStore(options.data)  # so that who asks sees what is committed, and nothing else
        stack.callback(look.close)
        server: NatsServer | None = None
        target = options.nats
        if target is None:
            server = NatsServer(options.data, port=options.port, network=network(options.data))
            stack.push_async_callback(server.stop)
            await server.start()
            target = target_of(server.connection_file)
        connection = Connection(Quick(target), name=f"skerry hub {store.hub}")
        stack.push_async_callback(connection.close)
        hub = Hub(store, look, connection, server, take_over=options.take_over)
        await connection.join(hub.link)
        await connection.open(10.0)
        await hub.settle(options)
        if options.cloud:
            await stack.enter_async_context(_cloud(target))
        yield hub


@asynccontextmanager
async def _cloud(target: Target) -> AsyncGenerator[None, None]:
    """Keeps the queues of the size `cloud`."""
    async with await NatsBus.connect(target, name="skerry hub's cloud") as bus:
        desk = CloudDesk(bus)
        await desk.start()
        sweeping = asyncio.create_task(desk.run(), name="skerry hub's cloud")
        try:
            yield
        finally:
            sweeping.cancel()
            await asyncio.gather(sweeping, return_exceptions=True)
