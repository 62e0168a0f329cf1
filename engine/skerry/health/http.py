"""A small HTTP server for the pages of a process. It listens on the loopback only."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, TypeAlias

from skerry.errors import Unavailable

HOST = "127.0.0.1"
_HEAD_BYTES_MAX, _READ_S, _ANSWER_S = 8192, 5.0, 30.0
_AT_ONCE = 16
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}

_log = logging.getLogger("skerry.health")


class Page(NamedTuple):
    """An answer."""

    status: int
    text: str
    content_type: str = "text/plain; charset=utf-8"


Pages: TypeAlias = Mapping[str, Callable[[], Awaitable[Page]]]


class Health:
    """An HTTP server on the loopback that knows a handful of pages."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._server: asyncio.Server | None = None
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self.port = 0

    async def start(self, port: int) -> None:
        """Listens. Raises `Unavailable` when that port cannot be had."""
        try:
            self._server = await asyncio.start_server(self._serve, HOST, port, limit=_HEAD_BYTES_MAX)
        except (OSError, OverflowError) as error:
            why = error.strerror if isinstance(error, OSError) else "there is no such port"
            raise Unavailable(
                f"cannot answer on port {port}: {why}", hint="give another http_port, or 0 for none"
            ) from None
        self.port = self._server.sockets[0].getsockname()[1]
        _log.info("answers on http://%s:%d%s", HOST, self.port, ", ".join(self._pages))

    async def close(self) -> None:
        """Takes nothing more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with self._at_once:
                page, with_text = await self._answer(reader)
                text = page.text.encode()
                head = (
                    f"HTTP/1.1 {page.status} {_REASONS[page.status]}\r\nContent-Type: {page.content_type}\r\n"
                    f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n"
                )
                writer.write(head.encode() + (text if with_text else b""))
                async with asyncio.timeout(_READ_S):
                    await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # whoever asked has gone
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[Page, bool]:
        try:
            async with asyncio.timeout(_READ_S):
                head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return Page(400, "too long\n"), True
        method, _, rest = head.split(b"\r\n", 1)[0].decode("latin-1").partition(" ")
        path = rest.partition(" ")[0].partition("?")[0]
        if method not in ("GET", "HEAD"):
            return Page(405, "GET or HEAD\n"), True
        page = self._pages.get(path)
        if page is None:
            return Page(404, f"there are {', '.join(self._pages)}\n"), method == "GET"
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await page(), method == "GET"
        except TimeoutError:
            return Page(503, f"no answer within {_ANSWER_S:g} s\n"), method == "GET"
        except Exception as error:
            _log.exception("%s failed", path)
            return Page(503, f"{type(error).__name__}\n"), method == "GET"
