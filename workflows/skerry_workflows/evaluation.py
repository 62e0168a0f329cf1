"""What evaluations share: each workflow has a module `evaluate` whose `TASKS` are what `skerry eval` runs.

A task goes over the cases of a folder and predicts; it reads no expected answer. `CASCADES`, by task, are what
`skerry eval --cascade` runs: the cases go through a whole node, with all its sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

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


class Cascade(NamedTuple):
    """An ask that documents lead to: they come in with `event`, and are asked about with `prompt`.

    `cases` gives id and file of each case of a folder, `prediction` the scorer's shape of an answer's JSON.
    """

    event: str
    prompt: str
    cases: Callable[[Path], Iterable[tuple[str, Path]]]
    prediction: Callable[[bytes], dict[str, Any]]
