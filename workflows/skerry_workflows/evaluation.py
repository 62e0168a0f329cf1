"""What evaluations share: each workflow has a module `evaluate` whose `TASKS` are what `skerry eval` runs.

A task goes over the cases of a folder and predicts; it reads no expected answer. `CASCADES`, by task, are what
`skerry eval --cascade` runs: the cases go through a whole node, with all its sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar

import msgspec

from skerry.errors import DataError

T = TypeVar("T")

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


def each_case(
    cases: Sequence[tuple[str, Callable[[], T]]], progress: Progress | None
) -> tuple[dict[str, T], list[Failure]]:
    """What each function answers, by the id of its case; one that fails is reported, never fatal."""
    answers: dict[str, T] = {}
    failures: list[Failure] = []
    for done, (case, answer) in enumerate(cases, start=1):
        try:
            answers[case] = answer()
        except Exception as error:  # whatever one case does, the others are still wanted
            failures.append(Failure(id=case, reason=str(error) or type(error).__name__))
        if progress:
            progress(done, len(cases))
    return answers, failures


def read_json(path: Path, kind: type[T], hint: str) -> T:
    """What a JSON file holds. Raises `DataError` with `hint` where it is not there, or of another shape."""
    return _decoded(path, _read(path, hint), kind, hint)


def read_rows(path: Path, kind: type[T], hint: str) -> list[T]:
    """As `read_json`, of a file with a JSON text in each line."""
    return [_decoded(path, row, kind, hint) for row in _read(path, hint).splitlines() if row.strip()]


def _read(path: Path, hint: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})", hint=hint) from None


def _decoded(path: Path, data: bytes, kind: type[T], hint: str) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:  # of which a ValidationError is one
        raise DataError(f"{path} is not what it should be: {error}", hint=hint) from None
