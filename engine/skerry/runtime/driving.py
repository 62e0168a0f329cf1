"""While a state's code runs, it must not see the event loop: what it started there would be behind the engine's back."""

from __future__ import annotations

import asyncio
from types import TracebackType


class driving:  # noqa: N801 - used like a function
    """Hides the running event loop for the length of a `with` block."""

    __slots__ = ("_loop",)

    def __enter__(self) -> None:
        self._loop = asyncio._get_running_loop()
        asyncio._set_running_loop(None)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        asyncio._set_running_loop(self._loop)
