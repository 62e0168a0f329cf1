"""Waiting for something to become true, instead of sleeping and hoping."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")

_INTERVAL_S = 0.01


@overload
async def wait_until(condition: Callable[[], Awaitable[T]], timeout_s: float = 10.0) -> T: ...
@overload
async def wait_until(condition: Callable[[], T], timeout_s: float = 10.0) -> T: ...
async def wait_until(condition: Callable[[], object], timeout_s: float = 10.0) -> object:
    """Ask again and again, hand back the first true answer, or fail when the time is up. The condition may be async."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if isinstance(answer, Awaitable):
            answer = await answer
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise AssertionError(_too_late(condition, timeout_s, answer))
        await asyncio.sleep(_INTERVAL_S)


def wait_until_blocking(condition: Callable[[], T], timeout_s: float = 10.0) -> T:
    """The same, for a test without an event loop: one that watches processes or files."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise AssertionError(_too_late(condition, timeout_s, answer))
        threading.Event().wait(_INTERVAL_S)


def _too_late(condition: Callable[[], object], timeout_s: float, last: object) -> str:
    name = getattr(condition, "__qualname__", repr(condition))
    return f"{name} did not become true within {timeout_s:g} s; its last answer was {last!r}"
