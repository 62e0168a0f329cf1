"""The fingerprint of a model's files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

_PIECE_BYTES = 1 << 20


def digest_of(paths: Iterable[Path]) -> str:
    """`sha256:...` over the names and the bytes of some files, in the order of their names. Raises `OSError`."""
    whole = hashlib.sha256()
    for path in sorted(paths, key=lambda each: each.name):
        one = hashlib.sha256()
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                one.update(piece)
        whole.update(f"{path.name}\0{one.hexdigest()}\n".encode())
    return f"sha256:{whole.hexdigest()}"
