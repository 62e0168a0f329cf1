"""The `Bus` port on NATS with JetStream."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType

from skerry.bus import core
from skerry.bus.api import Api
from skerry.bus.connection import Connection, Part
from skerry.bus.deadletters import DeadLetters
from skerry.bus.publisher import Publisher
from skerry.bus.pull import PullLoop
from skerry.bus.starts import NatsStarts
from skerry.bus.streams import STREAM_BYTES_MAX, Streams
from skerry.bus.target import RemoteServer, Target, target_of
from skerry.core.wire import Queue
from skerry.errors import Unavailable
from skerry.ports import DeadLetter, Handler, Listener, Message, Responder, Subscription

_CLOSE_S = 5.0


class NatsBus:
    """See `skerry.ports.Bus`. Made by `connect`; it mends its connection until it is closed."""

    def __init__(
        self, connection: Connection, *, stream_bytes_max: int = STREAM_BYTES_MAX, replicas: int = 1, domain: str = ""
    ) -> None:
        self._connection = connection
        self._api = Api(connection.replies, domain=domain)
        self._streams = Streams(self._api, bytes_max=stream_bytes_max, replicas=replicas)
        self._publisher = Publisher(connection)
        self._dead = DeadLetters(self._api)
        self._replicas = replicas
        self._going: list[PullLoop | core.Listening] = []
        self._closed = False

    @classmethod
    async def connect(
        cls,
        where: Path | str | Target,
        *,
        name: str = "skerry",
        timeout_s: float = 10.0,
        stream_bytes_max: int = STREAM_BYTES_MAX,
    ) -> NatsBus:
        """Connects to a supervised server (the path of its connection.json), a URL, or a `RemoteServer`.

        `stream_bytes_max` is for streams that have to be made. Raises `Unavailable` with the last
        reason when there is no connection within `timeout_s`, `DataError` for a target that can never work.
        """
        target = target_of(where)
        connection = Connection(target, name=name)
        replicas = target.replicas if isinstance(target, RemoteServer) else 1
        bus = cls(connection, stream_bytes_max=stream_bytes_max, replicas=replicas)
        await connection.join(bus._streams)
        await connection.open(timeout_s)
        return bus

    @classmethod
    def unopened(cls, target: Target, *, name: str, domain: str = "") -> NatsBus:
        """One that is not connected yet: it may be set up at leisure, and `open`ed. `domain`: of JetStream, beyond a
        leaf."""
        return cls(Connection(target, name=name), domain=domain)

    async def open(self, timeout_s: float) -> None:
        """Connects one that was made `unopened`, and keeps it so. Raises `Unavailable`; may be called again then."""
        await self._connection.open(timeout_s)

    async def join(self, part: Part) -> None:
        """Tells somebody of connections that come and go."""
        await self._connection.join(part)

    @property
    def connected(self) -> bool:
        """Whether there is a connection right now."""
        return self._connection.client is not None

    async def wait_connected(self, timeout_s: float) -> bool:
        """Waits until there is one. False when the time is up first."""
        return await self._connection.wait_up(timeout_s)

    async def publish(self, message: Message) -> None:
        """On the server's disk when it returns (in its page cache: see `serverconfig.SYNC_INTERVAL`)."""
        await self._publisher.publish(message)

    async def ensure(self, queue: Queue) -> None:
        """Makes or mends stream and consumer. Raises `Conflict` where a difference cannot be mended."""
        await self._streams.ensure(queue)

    async def consume(self, queue: Queue, handler: Handler, *, window: int) -> Subscription:
        """Makes the queue if it is not there, and hands out its messages."""
        await self._streams.ensure(queue)
        return await self._begin(PullLoop(self._connection, self._streams, queue, handler, window))

    async def consume_later(self, queue: Queue, handler: Handler, *, window: int) -> Subscription:
        """The same as `consume`, for a server that may be out of reach: it begins when the server can be reached."""
        self._streams.want(queue)
        self._connection.leave(self._streams)
        await self._connection.join(self._streams)
        return await self._begin(PullLoop(self._connection, self._streams, queue, handler, window))

    async def dead_letters(self, queue: Queue, *, limit: int = 100) -> list[DeadLetter]:
        """Messages of a queue that are never handed out again, oldest first."""
        return await self._dead.list(queue, limit)

    async def bury(self, letter: DeadLetter) -> None:
        """Removes a dead letter."""
        await self._dead.bury(letter)

    async def notify(self, message: Message) -> None:
        """To whoever listens right now. Raises `Unavailable` when there is no connection."""
        await core.notify(self._connection, message)

    async def listen(self, subject: str, listener: Listener) -> Subscription:
        """Messages of a subject as they pass."""
        return await self._begin(core.Listen(self._connection, subject, listener))

    async def request(self, message: Message, *, timeout_s: float) -> bytes:
        """The one answer to a message."""
        return await core.request(self._connection, message, timeout_s)

    async def respond(self, subject: str, responder: Responder) -> Subscription:
        """Answers requests on a subject."""
        return await self._begin(core.Respond(self._connection, subject, responder))

    async def starts(self) -> NatsStarts:
        """Where engines of a group claim what they begin. Raises `Unavailable`, `Conflict` as `ensure`."""
        made = NatsStarts(self._connection, replicas=self._replicas)
        await self._connection.join(made)
        return made

    async def close(self) -> None:
        """Waits for publishes under way, hands back what handlers still hold, disconnects. May be called twice."""
        if self._closed:
            return
        self._closed = True
        await self._publisher.idle(_CLOSE_S)
        for each in self._going:
            if isinstance(each, (PullLoop, core.Respond)):
                await each.end()
            else:
                await each.close()
        self._going.clear()
        client = self._connection.client
        if client is not None:
            with contextlib.suppress(Unavailable):
                await client.synced()
        await self._connection.close()

    async def __aenter__(self) -> NatsBus:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def _begin(self, going: PullLoop | core.Listening) -> Subscription:
        await self._connection.join(going)
        self._going.append(going)
        return going
