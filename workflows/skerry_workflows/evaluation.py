"""What evaluations share: each workflow has a module `evaluate` whose `TASKS` are what `skerry eval` runs.

A task goes over the cases of a folder and predicts; it reads no expected answer.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

Progress: TypeAlias = Callable[[int, int], None]
"""Called after each case with how many are done and how many there are."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A case without a prediction: `id` of the case, `reason` for people."""

    id: str
    reason: str


Predicted: TypeAlias = tuple[dict[str, Any], list[Failure]]
"""What the scorer reads, by case; and the cases that were left out."""

Task: TypeAlias = Callable[[Path, Progress | None], Predicted]
