"""A node with models and a worker for them, for `benchmarks.models` and its soak."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks import invoices
from skerry.config import Config, Model, Workers
from skerry.core import api
from skerry.core.thresholds import Thresholds
from skerry.node import Node, open_node
from skerry_workers.models import ggufs, xllama
from skerry_workers.models.port import BackendName, ModelSpec

CORES = 2
"""What models may use here."""
CONTEXT = 1024
PATIENCE_S = 120.0


class Subject(NamedTuple):
    """A model that is measured."""

    backend: BackendName
    path: Path
    slots: int

    @property
    def name(self) -> str:
        """Of the model, and of the prompt that it answers."""
        return f"bench.{self.backend}"

    def settings(self) -> Model:
        """As skerry.toml would have it."""
        return Model(
            backend=self.backend,
            path=self.path,
            slots=self.slots,
            threads=self.threads,
            context=CONTEXT,
            prompts=(self.name,),
            hints=False,
            options={"tokens_max": invoices.TOKENS_MAX},
        )

    def plain(self) -> ModelSpec:
        """For the library: one question at a time, with the threads that ours has for one."""
        spec = ModelSpec(
            name=self.name,
            backend=self.backend,
            path=str(self.path),
            threads=self.threads,
            slots=self.slots,
            context=CONTEXT,
        )
        if self.backend != "xllama":
            return spec
        _, _, threads = xllama.division(spec, ggufs.examine(self.path))
        return msgspec.structs.replace(spec, threads=threads)

    @property
    def threads(self) -> int:
        """Of one that answers several at a time, all that there are."""
        return CORES if self.slots > 1 else 1


async def run(node: Node, model: str, numbers: Sequence[int], *, short: bool = False) -> None:
    """A run that reads these invoices, to its end."""
    data = {"numbers": list(numbers), "model": model, "short": short}
    started = await node.verbs.start(api.Start(workflow=invoices.read.name, data=data))
    (name,) = started.runs
    async with asyncio.timeout(PATIENCE_S):
        if name in node.engine.runs:
            with node.engine.news(name, end=True) as ended:
                await ended


@contextlib.asynccontextmanager
async def opened(path: Path, measured: Sequence[Subject]) -> AsyncIterator[Node]:
    """A node with a worker that has these models."""
    slots = sum(subject.slots for subject in measured)
    config = Config(
        data=path / "data",
        node="bench",
        modules=(invoices.__name__,),
        workers={"small": Workers(processes=1, slots=slots)},
        models={subject.name: subject.settings() for subject in measured},
        log_level="warning",
    )
    async with open_node(config, workers=True) as node:
        node.engine.fleet.thresholds = Thresholds(default=0.0)  # whatever a model says, nobody is there to be asked
        yield node
