"""nats-py's client with two short cuts, and without its reconnect.

nats-py does the handshake, TLS, keys, pings and the parsing of the stream. Its way from there to a callback (a queue
and a task per subscription, headers parsed for everybody) and back (a flusher task woken through a queue) costs more
than the rest of the hot path, so two things are done here instead: a *tap* is called with the raw bytes as they are
parsed, and `send` writes what was sent during one turn of the event loop in one go. This file and parser.py are the
only ones that know nats-py's inside; tests/bus/test_client.py fails when a new version has changed it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any, Protocol, cast

import nats.aio.client
import nats.errors

from skerry.bus.parser import Tap, TapParser
from skerry.errors import Unavailable

logger = logging.getLogger("skerry.bus")


class _Pipe(Protocol):
    """What we use of nats-py's TCP or TLS transport, which has no types."""

    _io_writer: asyncio.StreamWriter | None

    def write(self, payload: bytes) -> None: ...
    async def drain(self) -> None: ...
    def close(self) -> None: ...
    async def wait_closed(self) -> None: ...


class _Known(logging.Filter):
    """Drops what asyncio warns of at the end of each TLS connection of nats-py, and means nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "eof_received" not in record.getMessage()


_KNOWN = _Known()
PING_INTERVAL_S = 10
PINGS_OUTSTANDING_MAX = 2
BACKLOG_BYTES_MAX = 4 * 1024 * 1024
"""More than this unsent, and `drain` waits."""
FLUSH_TIMEOUT_S = 10
CLOSE_TIMEOUT_S = 1.0


class NotLetIn(Unavailable):
    """The server is there, but does not accept our credentials, or we do not trust it."""


class Client(nats.aio.client.Client):
    """One connection, from `open` to its loss. It is never mended: `Connection` makes another one."""

    def __init__(self, *, name: str) -> None:
        super().__init__()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._name = name
        self._taps: dict[int, Tap] = {}
        # Its type is nats-py's own, of which this is a subclass.
        self._ps = TapParser(self, self._taps, self._failed)
        self._out: list[bytes] = []
        self._loop = asyncio.get_running_loop()

    async def open(self, servers: list[str], *, timeout_s: int, options: dict[str, Any]) -> None:
        """Connects to the first server that lets us in. Raises `Unavailable` with the reason."""
        logging.getLogger("asyncio").addFilter(_KNOWN)  # a second time, nothing happens
        try:
            await self.connect(
                servers=servers,
                name=self._name,
                error_cb=self._tell,
                allow_reconnect=False,
                # With no waiting between them: each server is tried twice, then it gives up.
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=timeout_s,
                ping_interval=PING_INTERVAL_S,
                max_outstanding_pings=PINGS_OUTSTANDING_MAX,
                # Nothing is kept for a later connection: what was refused is not sent behind the caller's back.
                pending_size=-1,
                **options,
            )
        except (OSError, nats.errors.Error, TimeoutError, ValueError) as error:
            await self.abandon()
            # "no servers available" is the sum of what went wrong; the last reason says more.
            reason = str(self.last_error or error)
            hint = _final(reason)
            message = f"no connection to {shown(servers)}: {reason}"
            if hint:
                raise NotLetIn(message, hint=hint) from None
            raise Unavailable(message, hint="is a server running there?") from None
        except asyncio.CancelledError:  # in the middle of it: nats-py would leave the socket open
            if self._pipe is not None:
                self._pipe.close()
            raise

    async def abandon(self) -> None:
        """Closes it, whatever state it is in. Raises nothing."""
        self._write_out()
        pipe = self._pipe
        # After a TLS handshake that failed, asyncio never tells that the stream is closed.
        with contextlib.suppress(OSError, nats.errors.Error, TimeoutError, AssertionError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self.close()
                # A connection that failed half-way is not closed by nats-py's close.
                if pipe is not None:
                    pipe.close()
                    await pipe.wait_closed()

    @property
    def usable(self) -> bool:
        """Whether what is sent now has a chance to arrive."""
        return not self.lost.done()

    def tap(self, subject: str, tap: Tap) -> int:
        """Subscribes; returns the subscription's number. It holds for the server once `synced` has returned."""
        self._sid += 1
        self._taps[self._sid] = tap
        self.send(b"SUB %b %d\r\n" % (subject.encode(), self._sid))
        return self._sid

    async def untap(self, sid: int) -> None:
        """Unsubscribes. What the server had sent already still goes to the tap before this returns."""
        if self.usable:
            self.send(b"UNSUB %d\r\n" % sid)
            with contextlib.suppress(Unavailable):
                await self.synced()
        self._taps.pop(sid, None)

    async def synced(self) -> None:
        """A round trip: the server has taken everything sent so far. Raises `Unavailable` if it has not."""
        self._write_out()
        try:
            await self.flush(FLUSH_TIMEOUT_S)
        except (OSError, nats.errors.Error, TimeoutError) as error:
            raise Unavailable(f"the bus does not answer: {error}", hint="try again") from None

    def send(self, block: bytes) -> None:
        """Protocol bytes, in order. They leave with everything else of this turn of the loop, in one system call."""
        if not self._out:
            self._loop.call_soon(self._write_out)
        self._out.append(block)

    @property
    def clogged(self) -> bool:
        """Whether so much is unsent that a sender should `drain` first."""
        pipe = self._pipe
        writer = None if pipe is None else pipe._io_writer  # pyright: ignore[reportPrivateUsage]
        return writer is not None and writer.transport.get_write_buffer_size() > BACKLOG_BYTES_MAX

    async def drain(self) -> None:
        """Waits until the network has taken most of what was sent."""
        pipe = self._pipe
        if pipe is not None:
            with contextlib.suppress(OSError):
                await pipe.drain()

    @property
    def _pipe(self) -> _Pipe | None:
        return cast("_Pipe | None", self._transport)

    def _write_out(self) -> None:
        pipe = self._pipe
        if self._out and pipe is not None and self.usable:
            pipe.write(b"".join(self._out))
        self._out.clear()

    def _failed(self, subject: bytes) -> None:
        """A tap has raised. An exception that went on would end nats-py's reading without a word."""
        logger.exception("a message on %r could not be taken", subject)

    async def _close(self, status: int, do_cbs: bool = True) -> None:
        """Every end of a connection comes through here first."""
        if not self.lost.done():
            self.lost.set_result(None)
        await super()._close(status, do_cbs)

    async def _tell(self, error: Exception) -> None:
        """What nats-py could not raise anywhere: a permission that is missing, a server that has gone."""
        if isinstance(error, (nats.errors.UnexpectedEOF, OSError, TimeoutError)):
            logger.debug("connection of %s: %r", self._name, error)
        else:
            logger.warning("connection of %s: %s", self._name, error)


def shown(servers: list[str]) -> str:
    """The servers without user and password."""
    parts = (server.partition("://") for server in servers)
    return ", ".join(f"{scheme}://{rest.rpartition('@')[2]}" for scheme, _, rest in parts)


def _final(reason: str) -> str:
    """What to do about a reason that trying again does not mend; empty for one that may pass."""
    low = reason.lower()
    if "authorization" in low or "authentication" in low:
        return "the server does not accept these credentials"
    if "certificate" in low:
        return "the server's certificate is not trusted: name its authority"
    return ""
