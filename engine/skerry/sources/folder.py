"""A folder whose files are events. Files are read when they have come to rest, and left where they are."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import os
import time
from collections.abc import AsyncGenerator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from skerry.core.structs import Frozen
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
    """What comes into the folder, and what is there already."""
    while True:
        for seen in await asyncio.to_thread(look, folder):
            age_s = time.time() - seen.mtime_s
            if memory.get(seen.key) == seen.mark or -_FUTURE_S < age_s < folder.settle_s:
                continue
            try:
                data = await asyncio.to_thread(seen.path.read_bytes)
            except FileNotFoundError:
                continue
            sha256 = hashlib.sha256(data).hexdigest()
            yield Arrival(
                id=f"{seen.key}@{seen.mark}@{sha256}" if folder.changes else sha256,
                file=data,
                name=seen.path.name,
                media_type=mimetypes.guess_type(seen.path.name)[0] or "application/octet-stream",
            )
            memory.put(seen.key, seen.mark)
        await asyncio.sleep(folder.every_s)


def check(folder: Folder) -> str:
    """What is wrong with the folder."""
    if not folder.path.is_dir():
        return f"{folder.path} is not a folder"
    return "" if os.access(folder.path, os.R_OK | os.X_OK) else f"{folder.path} cannot be read"


FOLDER = SourceKind("folder", Folder, arrivals, check=check)
