"""What a node watches: each `[watch.NAME]` of the settings, made into a `Watcher`.

    [watch.invoices]
    kind = "folder"              # or a kind of a workflow's; `module` says where, unless its module is loaded anyway
    event = "invoice.received"   # what is published for each arrival
    path = "inbox"               # and whatever else the kind's settings have

The kind `folder` comes with the engine; others are `SourceKind`s that stand in loaded modules.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from skerry.core import api
from skerry.errors import DataError
from skerry.ports import Clock, SourceKind
from skerry.registry import Registry, load
from skerry.runtime.watch import Taker, Watcher
from skerry.sources.folder import FOLDER
from skerry.sources.memory import SqliteMemory

FILE = "watch.db"
"""What the sources of a node remember, in its data folder."""


class Planned(NamedTuple):
    """A watch as the settings say it."""

    name: str
    kind: SourceKind[Any]
    event: str
    settings: Any

    def wrong(self) -> str:
        """What is wrong with its settings; empty when nothing is."""
        return self.kind.check(self.settings)


def plan(watch: Mapping[str, Mapping[str, Any]], registry: Registry) -> list[Planned]:
    """The watches of the settings. Raises `DataError` that names the key which is not understood."""
    return [_planned(name, dict(table), registry) for name, table in watch.items()]


def _planned(name: str, table: dict[str, Any], registry: Registry) -> Planned:
    where = f"watch.{name}"
    kind_name, event = table.pop("kind", "folder"), table.pop("event", "")
    kinds: dict[str, SourceKind[Any]] = {FOLDER.name: FOLDER, **registry.sources}
    if module := table.pop("module", ""):
        kinds |= load([module]).sources
    kind = kinds.get(kind_name)
    if kind is None:
        hint = f"kinds that are known: {', '.join(sorted(kinds))}; of another kind, name its module as well: `module`"
        raise DataError(f"{where}.kind: nothing of the kind {kind_name!r} can be watched", hint=hint)
    if not (event or kind.event):
        raise DataError(f"{where}: which event is to be published?", hint='event = "invoice.received"')
    if unknown := [key for key in table if key not in kind.settings.__struct_fields__]:
        hint = f"settings there: kind, event, module, {', '.join(kind.settings.__struct_fields__)}"
        raise DataError(f"{where}: there is no setting {unknown[0]}", hint=hint)
    try:
        settings = msgspec.convert(table, kind.settings, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise DataError(f"{where}: {error}", hint="mend it in skerry.toml") from None
    return Planned(name, kind, event or kind.event, settings)


def _path(type: type, value: Any) -> Any:
    if type is Path and isinstance(value, str):
        return Path(value).expanduser()
    raise ValueError(f"expected a path, got {value!r:.80}")


class Watching:
    """The watches that run."""

    def __init__(self, watchers: Sequence[Watcher]) -> None:
        self._watchers = watchers

    def status(self) -> tuple[api.WatchStatus, ...]:
        """How each of them stands."""
        return tuple(watcher.status for watcher in self._watchers)


@asynccontextmanager
async def watching(
    planned: Sequence[Planned], data: Path, taker: Taker, clock: Clock
) -> AsyncGenerator[Watching, None]:
    """Watches until it is left. What was yielded and not taken in yet is shown again by the next start."""
    if not planned:
        yield Watching(())
        return
    with SqliteMemory(data / FILE) as memory:
        watchers = [
            Watcher(each.name, each.kind, each.settings, each.event, memory.of(each.name), taker, clock)
            for each in planned
        ]
        tasks = [asyncio.create_task(watcher.run(), name=f"skerry watch {watcher.status.name}") for watcher in watchers]
        try:
            yield Watching(watchers)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
