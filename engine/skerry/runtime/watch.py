"""Watches: what comes to a source is published, at least once and with its own id, so that it is taken in once.

The order is that of the whole engine: an arrival is on disk before its source is told to go on.
"""

from __future__ import annotations

import logging
from contextlib import aclosing
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from skerry.core import api
from skerry.core.codec import sha256
from skerry.core.types import Blob
from skerry.core.wire import BLOB_BYTES_MAX
from skerry.errors import Busy, DataError, JournalError, SkerryError, Unavailable
from skerry.ports import Arrival, Clock, Memory, SourceKind
from skerry.runtime.service import Service

log = logging.getLogger("skerry.watch")

_PAUSE_S, _PAUSE_S_MAX = 1.0, 60.0
_State: TypeAlias = Literal["starting", "watching", "failing", "ended"]


class Taker(Protocol):
    """Takes an arrival in: through the engine that runs here, or over the bus."""

    async def take(self, event: str, arrival: Arrival, by: str) -> api.Started:
        """It is on disk when this returns. Raises any `SkerryError`."""
        ...


def publish_of(event: str, arrival: Arrival, by: str) -> api.Publish:
    """The request that publishes an arrival. Raises `DataError` for a file that is too big."""
    blob: Blob | None = None
    if arrival.file is not None:
        if len(arrival.file) > BLOB_BYTES_MAX:
            raise DataError(f"{arrival.name or 'it'} has more than the {BLOB_BYTES_MAX} bytes that are taken at most")
        blob = Blob(
            sha256=sha256(arrival.file), size=len(arrival.file), name=arrival.name, media_type=arrival.media_type
        )
    return api.Publish(type=event, data=dict(arrival.data), file=blob, source=arrival.source, id=arrival.id, by=by)


class EngineTaker:
    """Through the engine of this process."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def take(self, event: str, arrival: Arrival, by: str) -> api.Started:
        """Puts the file into the journal, and publishes."""
        request = publish_of(event, arrival, by)
        if request.file is not None:
            await self._service.uploads.keep(request.file.sha256, arrival.file or b"")
        return await self._service.verbs.publish(request)


class Watcher:
    """One watch: reads its source for ever, whatever goes wrong there."""

    def __init__(
        self,
        name: str,
        kind: SourceKind[Any],
        settings: Any,
        event: str,
        memory: Memory,
        taker: Taker,
        clock: Clock,
    ) -> None:
        self.status = api.WatchStatus(name=name, kind=kind.name, event=event)
        self._kind = kind
        self._settings = settings
        self._memory = memory
        self._taker = taker
        self._clock = clock

    async def run(self) -> None:
        """Until it is cancelled, the source ends, or the journal cannot be written."""
        pause_s = 0.0
        while True:
            try:
                self._now("watching")
                async with aclosing(self._kind.arrivals(self._settings, self._memory)) as arrivals:
                    async for arrival in arrivals:
                        await self._hand_over(arrival)
                        pause_s = 0.0
                return self._now("ended")
            except JournalError as error:
                return self._now("ended", str(error))
            except Exception as error:  # a source may raise anything; a mailbox that is away comes back
                told = isinstance(error, SkerryError | OSError)
                log.warning("watch %s: %s", self.status.name, error or type(error).__name__, exc_info=not told)
                self._now("failing", _words(error))
            pause_s = min(max(_PAUSE_S, pause_s * 2), _PAUSE_S_MAX)
            await self._clock.sleep(pause_s)

    async def _hand_over(self, arrival: Arrival) -> None:
        """Until it is taken in, or refused for good."""
        event, what, pause_s = arrival.event or self.status.event, arrival.name or arrival.id, 0.0
        while True:
            try:
                started = await self._taker.take(event, arrival, f"watch {self.status.name}")
                break
            except (Busy, Unavailable) as error:
                pause_s = min(max(_PAUSE_S, pause_s * 2), _PAUSE_S_MAX)
                self._now("failing", f"{what} waits: {error}"[:500])
                await self._clock.sleep(pause_s)
            except JournalError:
                raise
            except SkerryError as error:
                log.warning("watch %s: %s is refused: %s", self.status.name, what, error)
                return self._count("refused", f"{what}: {error}"[:500])
        runs = ", ".join(started.runs)
        log.info("watch %s: %s: %s %s", self.status.name, what, "known as run" if started.again else "run", runs)
        self._count("again" if started.again else "taken", self.status.note if self.status.refused else "")

    def _now(self, state: _State, note: str = "") -> None:
        self.status = msgspec.structs.replace(self.status, state=state, note=note or self.status.note)

    def _count(self, what: Literal["taken", "again", "refused"], note: str) -> None:
        changes: dict[str, Any] = {what: getattr(self.status, what) + 1, "last_us": self._clock.now_us()}
        self.status = msgspec.structs.replace(self.status, state="watching", note=note, **changes)


def _words(error: Exception) -> str:
    """What went wrong, and what to do about it, for people."""
    if isinstance(error, SkerryError):
        return f"{error.message} ({error.hint})"[:500] if error.hint else error.message[:500]
    return f"{type(error).__name__}: {error}"[:500]
