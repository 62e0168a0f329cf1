"""Thousands of questions in a row through a node with a tiny model: what its processes take, before and after.

`python -m benchmarks.models --soak 10000`. The floor is what they took when half of the questions were answered: until
then caches fill (a worker remembers some 4,000 tasks, an engine 1,000 runs).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.model_node import Subject, opened, run
from skerry.node import Node

EACH = 10
"""Questions to a run."""
LOOKS = 20
"""So often the memory is looked at."""
BEGINNING = 0.5


def processes(node: Node) -> dict[str, int]:
    """The processes of a node, by what they are."""
    assert node.pool is not None and node.server is not None
    (worker,) = node.pool.pids.values()
    (model,) = _children(worker)
    return {"engine": os.getpid(), "worker": worker, "model": model, "nats-server": node.server.pid}


def _children(pid: int) -> list[int]:
    return [
        int(child)
        for thread in Path(f"/proc/{pid}/task").iterdir()
        for child in (thread / "children").read_text().split()
    ]


def resident_mb(pid: int) -> float:
    """The memory of a process that is its own, in MB (10^6 bytes): pages of files may go and come."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise AssertionError("no RssAnon here: this benchmark needs Linux")


async def measure(questions: int, path: Path, models: Sequence[Subject]) -> tuple[list[Figure], list[str]]:
    """As many questions as were asked for, to each model."""
    figures: list[Figure] = []
    notes: list[str] = []
    for model in models:
        began = time.perf_counter()
        seen = await _looks(questions, path / model.backend, model)
        rate = questions / (time.perf_counter() - began)
        figures.append(Figure(f"{model.backend}: questions of a tiny model", "docs/s", rate))
        for name, looks in seen.items():
            settled = looks[int(len(looks) * BEGINNING)]
            figures.append(Figure(f"  {name}, after {questions:,} of them", "MB", looks[-1], settled, "ratio 1"))
            notes.append(f"{model.backend}, {name}, MB: {' '.join(f'{each:.1f}' for each in looks)}")
    return figures, notes


async def _looks(questions: int, path: Path, model: Subject) -> dict[str, list[float]]:
    """The memory of each process, look by look."""
    seen: dict[str, list[float]] = {}
    async with opened(path, [model]) as node:
        await run(node, model.name, range(1), short=True)  # waits for the worker
        known = processes(node)
        block = max(EACH, questions // LOOKS)
        for start in range(0, questions, block):
            await _ask(node, model, range(start, min(start + block, questions)))
            if processes(node) != known:
                raise AssertionError(f"a process was started again: {known}, {processes(node)}")
            for name, pid in known.items():
                seen.setdefault(name, []).append(resident_mb(pid))
    return seen


async def _ask(node: Node, model: Subject, numbers: range) -> None:
    parts = iter([numbers[at : at + EACH] for at in range(0, len(numbers), EACH)])

    async def asker() -> None:
        for part in parts:
            await run(node, model.name, part, short=True)

    await asyncio.gather(*(asker() for _ in range(2 * model.slots)))
