"""What SQLite reports, as errors of ours: what happened, where, and what to do next."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from skerry.errors import JournalCorrupt, JournalError, JournalLocked

_SPACE = "free some space on that disk, then start again: nothing that was acknowledged is lost"
_ACCESS = "check the owner and the permissions of the data folder, and that its disk is not mounted read-only"
_DISK = "look at the system's log (`dmesg`) for errors of that disk, then start again"
_VERIFY = "run `skerry verify` to see what is damaged, and restore the folder from a copy"
_OTHER = "close the program that has the journal open (`fuser journal.db` names it), then start again"

# By primary result code (https://www.sqlite.org/rescode.html): our class, what happened, what to do.
_MEANING: dict[int, tuple[type[JournalError], str, str]] = {
    sqlite3.SQLITE_FULL: (JournalError, "the disk is full", _SPACE),
    sqlite3.SQLITE_READONLY: (JournalError, "the journal cannot be written to", _ACCESS),
    sqlite3.SQLITE_PERM: (JournalError, "access to the journal is not permitted", _ACCESS),
    sqlite3.SQLITE_AUTH: (JournalError, "access to the journal is not permitted", _ACCESS),
    sqlite3.SQLITE_CANTOPEN: (JournalError, "the journal cannot be opened", _ACCESS),
    sqlite3.SQLITE_IOERR: (JournalError, "the disk reported an error", _DISK),
    sqlite3.SQLITE_PROTOCOL: (JournalError, "the file locks of that disk do not work", "use a local disk"),
    sqlite3.SQLITE_NOLFS: (JournalError, "that disk cannot hold a file of this size", "use another file system"),
    sqlite3.SQLITE_NOMEM: (JournalError, "there is no memory left", "free some memory, then start again"),
    sqlite3.SQLITE_BUSY: (JournalLocked, "another program holds the journal's database", _OTHER),
    sqlite3.SQLITE_LOCKED: (JournalLocked, "another connection holds the journal's database", _OTHER),
    sqlite3.SQLITE_CORRUPT: (JournalCorrupt, "the journal's file is damaged", _VERIFY),
    sqlite3.SQLITE_NOTADB: (JournalCorrupt, "the journal's file is no database", _VERIFY),
    sqlite3.SQLITE_FORMAT: (JournalCorrupt, "the journal's file is damaged", _VERIFY),
}


DRIVER_ERRORS = (sqlite3.Error, sqlite3.Warning, UnicodeError)
"""All that `sqlite3` raises. The last comes from a damaged file whose garbage SQLite quotes in its message."""


def translate(error: Exception, doing: str, path: Path) -> JournalError:
    """Our error for one of `sqlite3`'s (or the system's); `doing` completes "while ...".

    Errors that mean a mistake of ours (a statement that does not parse, a constraint that does not hold) become a
    plain `JournalError`, as nobody outside can mend them.
    """
    if isinstance(error, JournalError):
        return error
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of the number is the extended code
    if isinstance(error, UnicodeError):
        code = sqlite3.SQLITE_CORRUPT
    kind, happened, hint = _MEANING.get(code, (JournalError, "the journal has failed", _VERIFY))
    if isinstance(error, OSError):
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        happened, hint = ("the disk is full", _SPACE) if full else ("the data folder cannot be used", _ACCESS)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return kind(f"{happened} while {doing}: {error} ({name}, {path})", hint=hint)


@contextmanager
def translated(doing: str, path: Path) -> Generator[None]:
    """Turns what `sqlite3` and the system raise inside into our errors."""
    try:
        yield
    except (*DRIVER_ERRORS, OSError) as error:
        raise translate(error, doing, path) from error
