"""Pages over HTTP, without holding the event loop up."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request


async def page(port: int, path: str) -> tuple[int, str]:
    """The status and text of a page on this machine, an error's too. Raises `OSError` when nobody answers."""

    def get() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    return await asyncio.to_thread(get)
