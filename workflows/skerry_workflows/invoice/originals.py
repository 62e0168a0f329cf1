"""The original documents of posted invoices, each once, under its content hash.

The journal has them too, but forgets those of runs that were pruned; bookkeeping has to keep its own.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from skerry.errors import DataError, RetryableError


class Originals:
    """A folder of files that are named by the SHA-256 of what is in them; files are never changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha256: str) -> Path:
        """Where the document with that hash is, or would be."""
        return self.folder / sha256[:2] / sha256

    def keep(self, data: bytes) -> str:
        """Keep a document, and return its SHA-256. What is there is not written again.

        Raises:
            RetryableError: the disk is full, or the folder cannot be written.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(sha256)
        try:
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                _write(path, data)
        except OSError as error:
            raise RetryableError(f"the original cannot be kept in {self.folder}: {error}", retry_after_s=5.0) from error
        return sha256

    def read(self, sha256: str) -> bytes:
        """A document that was kept. Raises `DataError` when it is not there, or is not what was kept."""
        try:
            data = self.path(sha256).read_bytes()
        except OSError as error:
            raise DataError(f"there is no original {sha256[:12]} in {self.folder}: {error.strerror}") from None
        if hashlib.sha256(data).hexdigest() != sha256:
            raise DataError(f"the original {self.path(sha256)} was changed", hint="restore it from a backup")
        return data


def _write(path: Path, data: bytes) -> None:
    """All of it under its name, or nothing: first beside it, to the disk, then renamed."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
