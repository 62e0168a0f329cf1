"""Points in time: microseconds since 1970, UTC, never so far away that a journal could not hold them."""

from __future__ import annotations

FAR_US = 253_402_300_799_000_000
"""The last second of the year 9999: what is due later is due then."""


def after(now_us: int, seconds: float) -> int:
    """The time so many seconds from now; not before now, and not after `FAR_US`."""
    return min(FAR_US, now_us + int(min(max(seconds, 0.0), 1e12) * 1e6))
