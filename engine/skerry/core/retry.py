"""Retries as arithmetic: which attempt follows a failed one, and when."""

from __future__ import annotations

import hashlib
from math import inf

from skerry.core.structs import Frozen
from skerry.errors import DefinitionError


class Retry(Frozen):
    """How a failed attempt is tried again: after `first_s` seconds, then `factor` times longer each, up to `max_s`.

    `attempts` counts the first one. `jitter` is the share by which a delay is shortened, differently for every step
    but the same at each replay, so that many that failed together do not come back together.
    """

    attempts: int = 3
    first_s: float = 1.0
    factor: float = 2.0
    max_s: float = 300.0
    jitter: float = 0.2

    def __post_init__(self) -> None:
        """Raises `DefinitionError` for numbers that make no sense."""
        fine = self.attempts >= 1 and self.first_s >= 0 and self.factor > 0 and 0 <= self.jitter <= 1
        if not (fine and 0 <= self.max_s < inf):
            raise DefinitionError(f"{self} makes no sense", hint="attempts from 1, seconds from 0, jitter from 0 to 1")

    def delay_s(self, attempt: int, salt: str) -> float | None:
        """Seconds to wait after attempt number `attempt` (from 1) has failed; None when it was the last."""
        if attempt >= self.attempts:
            return None
        try:
            delay = min(self.max_s, self.first_s * self.factor ** (attempt - 1))
        except OverflowError:
            delay = self.max_s
        digest = hashlib.blake2b(f"{salt}/{attempt}".encode(), digest_size=8).digest()
        return delay * (1.0 - self.jitter * (int.from_bytes(digest, "big") / 2**64))


NEVER = Retry(attempts=1)
"""No second attempt."""
