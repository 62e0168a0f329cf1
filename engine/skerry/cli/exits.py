"""Exit codes, and which error ends with which."""

from __future__ import annotations

import click

from skerry.errors import (
    Busy,
    Conflict,
    DataError,
    Denied,
    JournalLocked,
    NotFound,
    Refused,
    SkerryError,
    Unavailable,
)

CODES: dict[int, str] = {
    0: "it went well",
    1: "it failed, or found something wrong",
    2: "the command or its input is not understood",
    3: "there is no such thing (run, workflow, file ...)",
    4: "refused: it does not fit the state of things, you may not, or somebody else is at it",
    5: "not available: no engine, no bus, no answer in time",
    130: "interrupted",
}
OK, FAILED, USAGE, NOT_FOUND, REFUSED, UNAVAILABLE, INTERRUPTED = CODES

_CLASSES: tuple[tuple[type[SkerryError], int], ...] = (
    (NotFound, NOT_FOUND),
    (Conflict, REFUSED),
    (Denied, REFUSED),
    (Busy, REFUSED),
    (JournalLocked, REFUSED),
    (Refused, REFUSED),
    (Unavailable, UNAVAILABLE),
    (DataError, USAGE),
)


class Stop(SkerryError):
    """Ends a command with a message, a hint and a code."""

    def __init__(self, message: str, *, hint: str = "", code: int = FAILED) -> None:
        super().__init__(message, hint=hint)
        self.code = code


def code_of(error: BaseException) -> tuple[int, str, str]:
    """(exit code, what to say, what to do next) of whatever ended a command."""
    if isinstance(error, Stop):
        return error.code, error.message, error.hint
    if isinstance(error, SkerryError):
        code = next((code for kind, code in _CLASSES if isinstance(error, kind)), FAILED)
        return code, error.message, error.hint
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx is not None else "skerry"
        return USAGE, _lowered(error.format_message()), f"{path} --help"
    if isinstance(error, click.FileError):
        return NOT_FOUND, error.format_message(), "check the path"
    if isinstance(error, click.ClickException):
        return FAILED, error.format_message(), ""
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return INTERRUPTED, "interrupted", ""
    if isinstance(error, OSError) and error.filename:
        return FAILED, f"{error.filename}: {error.strerror}", "check the path, its rights and the free space"
    return FAILED, f"{type(error).__name__}: {error}", "this should not happen; run it again with --debug and report it"


def _lowered(message: str) -> str:
    line = " ".join(message.split())  # click lists choices one below the other
    return (line[:1].lower() + line[1:]).rstrip(".")
