"""Brings a journal's tables up to what this code reads. Every version ever released is read for ever (J7)."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import aiosqlite

from skerry.errors import JournalError, JournalNewer
from skerry.journal.faults import translated

_FILE = re.compile(r"(\d{3})_\w+\.sql\Z")


def migrations() -> dict[int, str]:
    """The scripts by number, in order: `migrations/001_x.sql` brings an empty database to version 1, and so on."""
    folder = resources.files("skerry.journal") / "migrations"
    found = {int(match[1]): entry for entry in folder.iterdir() if (match := _FILE.match(entry.name))}
    return {number: found[number].read_text(encoding="utf-8") for number in sorted(found)}


async def version_of(db: aiosqlite.Connection) -> int:
    """The version of the tables; 0 for an empty database."""
    ((version,),) = await db.execute_fetchall("PRAGMA user_version")
    return int(version)


async def migrate(db: aiosqlite.Connection, path: Path) -> None:
    """Runs the scripts that this database has not seen, each in a transaction of its own with its new number.

    Raises:
        JournalNewer: the tables are newer than this code.
        JournalError: a script failed; the database is as it was before that script.
    """
    scripts = migrations()
    version = await version_of(db)
    refuse_newer(version, path)
    for number in range(version + 1, max(scripts) + 1):
        with translated(f"bringing its tables to version {number}", path):
            try:
                await db.executescript(f"BEGIN IMMEDIATE;\n{scripts[number]}\nPRAGMA user_version = {number};\nCOMMIT;")
            except Exception:
                await db.rollback()
                raise


def refuse_newer(version: int, path: Path) -> None:
    """Raises `JournalNewer` for tables that a newer Skerry has made."""
    if version > (known := max(migrations())):
        raise JournalNewer(
            f"{path} has tables of version {version}; this Skerry knows up to {known}",
            hint="open this data folder with the Skerry that wrote it, or a newer one",
        )


async def require_current(db: aiosqlite.Connection, path: Path) -> None:
    """For readers, who cannot migrate.

    Raises:
        JournalNewer: the tables are newer than this code.
        JournalError: they are older; an engine must open the folder first.
    """
    version = await version_of(db)
    refuse_newer(version, path)
    if version < max(migrations()):
        raise JournalError(
            f"{path} has tables of version {version}, this Skerry reads version {max(migrations())}",
            hint="start the engine once on this folder: it brings the tables up to date",
        )
