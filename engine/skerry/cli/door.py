"""The way in for commands that change something: the engine that runs; where none does, the journal under its lock."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from skerry.cli.look import has_journal, require_journal
from skerry.client.caller import blob_of, read_file
from skerry.core.structs import Frozen
from skerry.core.types import Blob
from skerry.core.wire import BLOB_PIECE_BYTES, blob_headers

if TYPE_CHECKING:
    from skerry.client import Client
    from skerry.config import Config
    from skerry.runtime.service import Service

A = TypeVar("A", bound=Frozen)


class Door(Protocol):
    """Takes requests of `skerry.core.api`."""

    @property
    def running(self) -> bool:
        """Whether an engine runs behind it, which goes on with what it is told at once."""
        ...

    async def ask(self, verb: str, request: Frozen, answer: type[A]) -> A:
        """One request. Raises any `SkerryError`."""
        ...

    async def put(self, path: Path) -> Blob:
        """Puts a file into the blob store."""
        ...


class EngineDoor:
    """Through the bus."""

    running = True

    def __init__(self, client: Client) -> None:
        self._client = client

    async def ask(self, verb: str, request: Frozen, answer: type[A]) -> A:
        """One request; asked again with the same id when there was no answer."""
        if getattr(request, "id", ""):
            return await self._client.ask_again(verb, request, answer)
        return await self._client.ask(verb, request, answer)

    async def put(self, path: Path) -> Blob:
        """Puts a file into the blob store, in pieces."""
        return await self._client.put_file(path)


class JournalDoor:
    """Into the journal. What follows from a change happens when an engine starts."""

    running = False

    def __init__(self, service: Service) -> None:
        self._service = service

    async def ask(self, verb: str, request: Frozen, answer: type[A]) -> A:
        """One request, answered from the journal."""
        reply: A = await self._service.verbs.handle(verb, request)
        return reply

    async def put(self, path: Path) -> Blob:
        """Puts a file into the journal's blobs."""
        data = read_file(path)
        blob = blob_of(data, path)
        for offset in range(0, max(len(data), 1), BLOB_PIECE_BYTES):
            piece = data[offset : offset + BLOB_PIECE_BYTES]
            await self._service.uploads.put(blob_headers(blob.sha256, offset, len(data)), piece)
        return blob


@asynccontextmanager
async def open_door(config: Config, *, by: str) -> AsyncGenerator[Door, None]:
    """The engine that has this data folder, or is at this NATS server; else the journal itself, under its lock.

    Raises `NotFound` when there is no journal, `Unavailable` when the engine does not answer.
    """
    from skerry.journal.lock import holder

    target = config.nats.target()
    away = target is not None and not has_journal(config)
    if away or (config.data.exists() and holder(config.data) is not None):
        from skerry.client import Client

        data = None if away else config.data
        async with Client.connect(data=data, nats=target, node=config.node, group=config.group, by=by) as client:
            yield EngineDoor(client)
        return
    require_journal(config)
    from skerry.node import offline

    async with offline(config) as service:
        yield JournalDoor(service)
