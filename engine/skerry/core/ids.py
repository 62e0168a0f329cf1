"""Names of runs, steps and tasks. All are safe as one token of a subject: letters, digits, `_` and `-`."""

from __future__ import annotations

import re
from typing import NamedTuple

from skerry.errors import DataError

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [a + b for a in _CROCKFORD for b in _CROCKFORD]
_SHIFTS = tuple(range(120, -10, -10))
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")
_TOKENS = re.compile(r"(?=.{1,128}\Z)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\Z")


class TaskId(NamedTuple):
    """One attempt of a step of a run."""

    run: str
    step: str
    attempt: int

    def __str__(self) -> str:
        return f"{self.run}/{self.step}/{self.attempt}"


def ulid(at_ms: int, randomness: bytes) -> str:
    """A ULID (github.com/ulid/spec): 48 bits of milliseconds and 80 of randomness, sortable, 26 characters."""
    number = (at_ms << 80) | int.from_bytes(randomness[:10], "big")
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in _SHIFTS])


def run_id(node: str, at_ms: int, randomness: bytes) -> str:
    """`<node>-<ULID>`."""
    return f"{node}-{ulid(at_ms, randomness)}"


def node_of(run: str) -> str:
    """The node that owns a run."""
    return run.rpartition("-")[0]


def check_token(what: str, value: str) -> str:
    """The value, or a `DataError` when it would not be safe as one token of a subject."""
    if not _TOKEN.match(value):
        raise DataError(
            f"{what} {value[:140]!r} is not usable as a name",
            hint="use 1 to 128 letters, digits, '_' and '-'",
        )
    return value


def check_event(value: str) -> str:
    """An event's type, or a `DataError` when it could not be part of a subject."""
    if not _TOKENS.match(value):
        raise DataError(
            f"event {value[:140]!r} is not usable as an event's type",
            hint="use letters, digits, '_' and '-', with dots between the words ('invoice.posted')",
        )
    return value
