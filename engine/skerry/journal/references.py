"""Which blobs something refers to. Read off the bytes, so that it holds for any value of the user's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

_NAME = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


def references(data: bytes) -> set[str]:
    """Every word in `data` that could be a blob's name; some may be something else, but no name is missed."""
    return {found.decode() for found in _NAME.findall(data)}


def reachable(roots: Iterable[str], read: Callable[[str], bytes | None]) -> set[str]:
    """The blobs that are reached from `roots`, through blobs that are JSON and refer to others.

    `read` gives a blob's bytes, None where there is no such blob.
    """
    found: set[str] = set()
    todo = set(roots)
    while todo:
        name = todo.pop()
        data = read(name)
        if data is None:
            continue
        found.add(name)
        if data[:1] in (b"{", b"[", b'"'):
            todo |= references(data) - found
    return found
