"""The journal's statements, by name. They live in `queries.sql`, where a database person can read them."""

from __future__ import annotations

import re
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n?", re.MULTILINE)


def parse(text: str) -> dict[str, str]:
    """The statements of a file: each begins with a line `-- name: x` and ends at the next one.

    Raises:
        ValueError: a name is used twice.
    """
    parts = _NAME.split(text)[1:]
    found: dict[str, str] = {}
    for name, statement in zip(parts[::2], parts[1::2], strict=True):
        if name in found:
            raise ValueError(f"two statements are called {name}")
        found[name] = _COMMENT.sub("", statement).strip()
    return found


SQL = parse(resources.files(__name__).joinpath("queries.sql").read_text(encoding="utf-8"))
"""Name to statement."""
