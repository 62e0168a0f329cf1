"""Who serves which size, and what waits because nobody does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from skerry.cli import words
from skerry.client.ended import RunEvent
from skerry.core.cascade import CLOUD
from skerry.core.events import ReviewOpened, StateEntered, StepCancelled, StepCompleted, StepErred, StepScheduled
from skerry.core.wire import WorkerStatus
from skerry.errors import SkerryError

if TYPE_CHECKING:
    from skerry.config import Config
    from skerry.core import api

_SERVES = frozenset(("starting", "loading", "warming", "ready", "broken"))
"""States in which a worker takes tasks, or soon will; one that is broken takes them to refuse them."""


def served(workers: Iterable[WorkerStatus]) -> frozenset[str]:
    """The sizes that have a worker."""
    return frozenset(worker.size for worker in workers if worker.state in _SERVES)


def unserved(sizes: Sequence[api.SizeLoad], workers: Iterable[WorkerStatus], config: Config | None = None) -> list[str]:
    """A sentence for each size whose tasks wait because it has no worker. Who is at the hub is not known here."""
    there = served(workers) | _at_hub(config)
    return [
        f"{words.plural(load.on_bus + load.waiting, 'task')} of size {load.size} "
        f"{'waits' if load.on_bus + load.waiting == 1 else 'wait'}: there is no worker of that size. {start(load.size)}"
        for load in sizes
        if load.size not in there and load.on_bus + load.waiting
    ]


def _at_hub(config: Config | None) -> frozenset[str]:
    return frozenset((CLOUD,)) if config is not None and config.hub.serves_cloud else frozenset()


def start(size: str) -> str:
    """How to start a worker of a size."""
    return f"Start one: skerry worker --size {size}"


def waits_for(events: Iterable[RunEvent]) -> dict[str, str]:
    """The sizes that a run's open steps wait for, by step."""
    sizes: dict[str, str] = {}
    for each in events:
        match each.event:
            case StateEntered():
                sizes.clear()
            case StepScheduled(step=step, size=size) if size:
                sizes[step] = size
            case StepCompleted(step=step) | StepErred(step=step) | StepCancelled(step=step) | ReviewOpened(step=step):
                sizes.pop(step, None)
            case _:
                pass
    return sizes


async def nobody_serves(config: Config) -> list[str]:
    """A sentence for each size whose tasks wait because it has no worker; none when nobody can say."""
    from skerry.cli.engines import connect

    try:
        async with connect(config) as client:
            sizes = (await client.status()).sizes
            busy = any(load.on_bus + load.waiting for load in sizes)
            return unserved(sizes, await client.workers(), config) if busy else []
    except SkerryError:
        return []


async def who_is_missing(config: Config, events: Iterable[RunEvent]) -> list[str]:
    """A sentence for each step of a run that waits for a size which has no worker; none when nobody can say."""
    from skerry.cli.engines import connect

    waiting = waits_for(events)
    if not waiting:
        return []
    try:
        async with connect(config) as client:
            there = served(await client.workers()) | _at_hub(config)
    except SkerryError:
        return []
    return [
        f"step {step} waits for a worker of size {size}, and there is none. {start(size)}"
        for step, size in waiting.items()
        if size not in there
    ]
