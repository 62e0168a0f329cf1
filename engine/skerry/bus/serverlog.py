"""What nats-server says: a bounded file, the last lines in memory, and its warnings in our own log."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

logger = logging.getLogger("skerry.bus.server")

_TAIL_LINES = 200
_LINE_BYTES_MAX = 16 * 1024
_CHUNK_BYTES = 64 * 1024


class ServerLog:
    """Drains a server's output as long as it lives: a full pipe would stop the server."""

    def __init__(
        self, path: Path, *, bytes_max: int = 4 * 1024 * 1024, on_error: Callable[[str], None] | None = None
    ) -> None:
        self._path = path
        self._on_error = on_error
        self._bytes_max = bytes_max
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)

    def tail(self, lines: int = 15) -> str:
        """The last lines of the output."""
        return "\n".join(list(self._tail)[-lines:])

    def clear(self) -> None:
        """Forgets the lines in memory: what comes now is another launch."""
        self._tail.clear()

    async def drain(self, pipe: asyncio.StreamReader) -> None:
        """Reads until the pipe ends. That the disk is full is no reason to stop reading."""
        rest = b""
        file: BinaryIO | None = None
        try:
            while chunk := await pipe.read(_CHUNK_BYTES):
                file = self._write(file, chunk)
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    self._note(line)
                rest = rest[-_LINE_BYTES_MAX:]
            if rest:
                self._note(rest)
        finally:
            if file is not None:
                with contextlib.suppress(OSError):
                    file.close()

    def _note(self, line: bytes) -> None:
        text = line[:_LINE_BYTES_MAX].decode(errors="replace").rstrip()
        self._tail.append(text)
        if "[FTL]" in text or "[ERR]" in text:
            logger.error("nats-server: %s", text)
            if self._on_error is not None:
                self._on_error(text)
        elif "[WRN]" in text:
            logger.warning("nats-server: %s", text)

    def _write(self, file: BinaryIO | None, chunk: bytes) -> BinaryIO | None:
        try:
            if file is None:
                file = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab", buffering=0)
            file.write(chunk)
            if file.tell() >= self._bytes_max:
                file.close()
                os.replace(self._path, self._path.with_suffix(".log.1"))
                return None
        except OSError as error:
            self._tail.append(f"(this log could not be written: {error})")
        return file
