"""Where mail comes from: folders of .eml files, mailbox files, Maildirs, and mailboxes over IMAP.

Whatever the way, a message is known by its identity (`triage.identity`): the same one in two mailboxes comes once.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Final

from skerry.core.structs import Frozen
from skerry.ports import Arrival, Memory, SourceKind
from skerry.sources.folder import Folder, arrivals
from skerry.sources.folder import check as check_folder
from skerry_workflows.email.imap import Imap, check_imap, imap_arrivals

EVENT: Final = "mail.received"
SOURCE: Final = "mail"
"""The scope of messages' identities, for all sources."""


def arrival_of(data: bytes, name: str) -> Arrival:
    """A message as something that has come."""
    from skerry_workflows.email.triage import identity

    return Arrival(id=identity(data), file=data, name=name, media_type="message/rfc822", source=SOURCE)


async def eml_arrivals(settings: Folder, memory: Memory) -> AsyncGenerator[Arrival, None]:
    """The files of a folder, as messages."""
    async with aclosing(arrivals(settings, memory)) as files:
        async for each in files:
            yield arrival_of(each.file or b"", each.name)


class Mbox(Frozen):
    """Settings of `kind = "mbox"`: one mailbox file that grows."""

    path: Path
    every_s: float = 5.0


async def mbox_arrivals(settings: Mbox, memory: Memory) -> AsyncGenerator[Arrival, None]:
    """The messages of the file, and those that are appended. A file that is shorter than it was is read anew."""
    from skerry_workflows.email.mbox import read

    while True:
        size = (await asyncio.to_thread(os.stat, settings.path)).st_size
        seen = int(memory.get("size") or 0)
        if size != seen:
            data = await asyncio.to_thread(settings.path.read_bytes)
            for number, stored in enumerate(read(data), start=1):
                yield arrival_of(stored.data, f"{settings.path.name}-{number}.eml")
            memory.put("size", str(len(data)))
        await asyncio.sleep(settings.every_s)


class Maildir(Frozen):
    """Settings of `kind = "maildir"`: a folder with `new` and `cur`. Messages stay, and stay unread."""

    path: Path
    every_s: float = 2.0


async def maildir_arrivals(settings: Maildir, memory: Memory) -> AsyncGenerator[Arrival, None]:
    """What is delivered, in its order. A file's name changes (flags, `new` to `cur`), but not what is before `:`."""
    while True:
        for path in await asyncio.to_thread(_delivered, settings.path):
            key = path.name.partition(":")[0]
            if memory.get(key):
                continue
            try:
                data = await asyncio.to_thread(path.read_bytes)
            except FileNotFoundError:  # a mail program has just renamed it
                continue
            yield arrival_of(data, f"{key}.eml")
            memory.put(key, "taken")
        await asyncio.sleep(settings.every_s)


def _delivered(folder: Path) -> list[Path]:
    found = [path for part in ("new", "cur") for path in (folder / part).iterdir() if not path.name.startswith(".")]
    return sorted(found, key=lambda path: (path.stat().st_mtime, path.name))


def _check_mbox(settings: Mbox) -> str:
    return "" if os.access(settings.path, os.R_OK) else f"{settings.path} cannot be read"


def _check_maildir(settings: Maildir) -> str:
    return "" if (settings.path / "cur").is_dir() else f"{settings.path} is no Maildir: it has no folder cur"


EML = SourceKind("eml", Folder, eml_arrivals, EVENT, check_folder)
MBOX = SourceKind("mbox", Mbox, mbox_arrivals, EVENT, _check_mbox)
MAILDIR = SourceKind("maildir", Maildir, maildir_arrivals, EVENT, _check_maildir)
IMAP = SourceKind("imap", Imap, imap_arrivals, EVENT, check_imap)
