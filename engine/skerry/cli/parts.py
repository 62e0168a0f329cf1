"""The demo's parts: they stand in the workflows (`skerry_workflows.demo`), and this is what the demo needs of them."""

from __future__ import annotations

import importlib
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

_MODULE = "skerry_workflows.demo"


class Coming(Protocol):
    """Something that comes in: the event `event`, with `data`, or with `file` as its document.

    `answer` is the command, without the run, that could answer what it leads to a question about.
    """

    @property
    def name(self) -> str: ...
    @property
    def event(self) -> str: ...
    @property
    def data(self) -> dict[str, Any]: ...
    @property
    def file(self) -> Path | None: ...
    @property
    def answer(self) -> str: ...


class Made(Protocol):
    """What there is at the end, as a table."""

    @property
    def title(self) -> str: ...
    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def rows(self) -> tuple[tuple[str, ...], ...]: ...


class Part(Protocol):
    """A workflow's part: what comes in, how its results are told, and what there is at the end."""

    @property
    def title(self) -> str: ...
    @property
    def noun(self) -> str: ...
    @property
    def workflow(self) -> str: ...
    @property
    def comings(self) -> tuple[Coming, ...]: ...

    def told(self, result: str, value: bytes, /) -> str:
        """What became of a run, from the name of its result and that result's JSON."""
        ...

    def made(self) -> Made:
        """Looks at what there is."""
        ...


def load(folder: Path, now: datetime) -> tuple[Part, ...]:
    """Prepares a data folder for all parts. Raises `OSError`."""
    parts: tuple[Part, ...] = importlib.import_module(_MODULE).parts(folder, now)
    return parts
