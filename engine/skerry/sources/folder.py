"""A folder whose files are events. Files are read when they have come to rest, and left where they are."""

from __future__ import annotations

import asyncio
import mimetypes
import os
import time
from collections.abc import AsyncGenerator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from skerry.core.codec import sha256
from skerry.core.structs import Frozen
from skerry.core.wire import BLOB_BYTES_MAX
from skerry.ports import Arrival, Memory, SourceKind

_UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart", ".swp")
_FUTURE_S = 60.0


class Folder(Frozen):
    """Settings of `kind = "folder"`.

    `patterns` are those of file names (`*.pdf`; case does not matter). `every_s`: how often the folder is looked at;
    a file is taken when it has not changed for `settle_s`. A file is known by its content; with `changes` also a file
    that changes back to what it was is an event, and so is a second file with the same content (calendars, lists).
    """

    path: Path
    patterns: tuple[str, ...] = ("*",)
    every_s: float = 2.0
    settle_s: float = 1.0
    recursive: bool = False
    changes: bool = False


class Seen(NamedTuple):
    """A file as the folder shows it. `key` is its path below the folder, `mark` changes whenever it does."""

    path: Path
    key: str
    mark: str
    mtime_s: float


def look(folder: Folder) -> list[Seen]:
    """The files that are there now, oldest first. Raises `OSError` when the folder cannot be read."""
    paths = folder.path.rglob("*") if folder.recursive else folder.path.iterdir()
    found: list[Seen] = []
    for path in paths:
        name = path.name
        if name.startswith((".", "~$")) or name.lower().endswith(_UNFINISHED):
            continue
        if not any(fnmatch(name.lower(), pattern.lower()) for pattern in folder.patterns):
            continue
        try:
            stat = path.stat()
        except OSError:  # gone meanwhile, or a link to nowhere
            continue
        if not os.path.isfile(path):
            continue
        mark = f"{stat.st_size}/{stat.st_mtime_ns}"
        found.append(Seen(path, path.relative_to(folder.path).as_posix(), mark, stat.st_mtime))
    return sorted(found, key=lambda seen: (seen.mtime_s, seen.key))


async def arrivals(folder: Folder, memory: Memory) -> AsyncGenerator[Arrival, None]:
    """What comes into the folder, and what is there already. A file that cannot be read keeps no other one waiting."""
    while True:
        unread: OSError | None = None
        for seen in await asyncio.to_thread(look, folder):
            age_s = time.time() - seen.mtime_s
            if memory.get(seen.key) == seen.mark or -_FUTURE_S < age_s < folder.settle_s:
                continue
            try:
                data = await asyncio.to_thread(_read, seen.path)
            except FileNotFoundError:
                continue
            except OSError as error:
                unread = error
                continue
            name = sha256(data)
            yield Arrival(
                id=f"{seen.key}@{seen.mark}@{name}" if folder.changes else name,
                file=data,
                name=seen.path.name,
                media_type=mimetypes.guess_type(seen.path.name)[0] or "application/octet-stream",
            )
            memory.put(seen.key, seen.mark)
        if unread is not None:
            raise unread
        await asyncio.sleep(folder.every_s)


def _read(path: Path) -> bytes:
    """A file; of one that is too big for a document, as much as shows that it is."""
    with path.open("rb") as file:
        return file.read(BLOB_BYTES_MAX + 1)


def check(folder: Folder) -> str:
    """What is wrong with the folder."""
    if not folder.path.is_dir():
        return f"{folder.path} is not a folder"
    return "" if os.access(folder.path, os.R_OK | os.X_OK) else f"{folder.path} cannot be read"


FOLDER = SourceKind("folder", Folder, arrivals, check=check)
