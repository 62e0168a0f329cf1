"""`skerry.node` as the command line uses it: the one place that knows what is inside."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from skerry.core.wire import BlobKept

if TYPE_CHECKING:
    from skerry.config import Config
    from skerry.runtime.uploads import Uploads
    from skerry.runtime.verbs import Verbs


class OfflineService:
    """The verbs, and the blob store beside them."""

    def __init__(self, verbs: Verbs, uploads: Uploads) -> None:
        self._verbs = verbs
        self._uploads = uploads

    async def handle(self, verb: str, request: Any) -> Any:
        """The answer to a request."""
        return await self._verbs.handle(verb, request)

    async def put(self, headers: Mapping[str, str], data: bytes) -> BlobKept:
        """Takes a piece of a blob in."""
        return await self._uploads.put(headers, data)


@asynccontextmanager
async def offline(config: Config) -> AsyncGenerator[OfflineService, None]:
    """The journal under its lock, with what can be asked of it while no engine runs."""
    from skerry import node
    from skerry.registry import load
    from skerry.runtime.uploads import Uploads

    # A module that cannot be loaded is found before the journal is opened, let alone locked.
    load(config.modules)
    async with node.offline(config) as verbs:
        engine = verbs._engine  # pyright: ignore[reportPrivateUsage]
        yield OfflineService(verbs, Uploads(engine.journal, engine.clock, uploads_max=1))
