"""Files that commands write: what is in them is nobody's business but their owner's."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def opener(path: str, flags: int) -> int:
    """For `open`: a file that it makes is for its owner only; one that is there keeps its rights."""
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


@contextmanager
def replacing(path: Path) -> Generator[BinaryIO, None, None]:
    """A file that gets its name when it is whole, and is on disk. One that had the name hands its rights on."""
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.unlink(missing_ok=True)  # of a process that was killed, with rights that it chose
    try:
        with open(unfinished, "xb", opener=opener) as file:
            if path.exists():
                os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
