"""Names of runs, steps and tasks. All are safe as one token of a subject: letters, digits, `_` and `-`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from skerry.errors import DataError

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [a + b for a in _CROCKFORD for b in _CROCKFORD]
_SHIFTS = tuple(range(120, -10, -10))
_RANDOM_BYTES = 10
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


class RunIds:
    """Makes the ids of a node's runs, `<node>-<ULID>`, each greater than the one before.

    Within a millisecond they are counted up from the first one (the ULID spec's "monotonicity"). So the journal sees
    from a name alone that the run is new.
    """

    def __init__(self, node: str) -> None:
        self._node = node
        self._at_ms = -1
        self._random = 0

    def next(self, at_ms: int, entropy: Callable[[int], bytes]) -> str:
        """The id of a run that starts now."""
        if at_ms > self._at_ms:
            self._at_ms, self._random = at_ms, int.from_bytes(entropy(_RANDOM_BYTES), "big") >> 1
        else:
            self._random += 1
        return f"{self._node}-{ulid(self._at_ms, self._random.to_bytes(_RANDOM_BYTES, 'big'))}"


def node_of(run: str) -> str:
    """The node that owns a run."""
    return run.rpartition("-")[0]


def person_of(by: str) -> str:
    """Who has acted. Behind the name may stand from where, as one token: `ada@hub-1f2e3d`; an address stays whole."""
    name, at, where = by.rpartition("@")
    return name if at and _TOKEN.match(where) else by


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
