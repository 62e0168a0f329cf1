"""Workers and a fake engine on one bus in memory; everything is stopped after each test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from skerry.registry import load
from skerry.testing.memory_broker import MemoryBroker
from skerry.testing.memory_bus import MemoryBus
from skerry_workers.sandbox import Sandbox
from skerry_workers.service import Worker
from tests.support import wait_until
from tests.workers.engine import FakeEngine

MODULES = ("tests.workers.sample",)
StartWorker: TypeAlias = Callable[..., Awaitable[Worker]]


@pytest.fixture
def broker() -> MemoryBroker:
    """The bus that all share."""
    return MemoryBroker()


@pytest.fixture
async def engine(broker: MemoryBroker) -> AsyncIterator[FakeEngine]:
    """The engine's side."""
    async with FakeEngine(MemoryBus(broker)) as running:
        yield running


@pytest.fixture(autouse=True)
def no_sandbox_unless_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox takes 0.1 s to start, and most tests have no use for one: its first call starts it as well."""

    async def nothing(self: Sandbox) -> None:
        pass

    monkeypatch.setattr(Sandbox, "warm_up", nothing)


@pytest.fixture
async def start_worker(broker: MemoryBroker) -> AsyncIterator[StartWorker]:
    """Starts a worker and waits until it is ready."""
    running: list[tuple[Worker, asyncio.Task[bool], MemoryBus]] = []

    async def start(bus: MemoryBus | None = None, **options: Any) -> Worker:
        bus = bus or MemoryBus(broker)
        settings = {"size": "rules", "modules": MODULES, **options}
        worker = Worker(bus, load(settings["modules"]), settings.pop("size"), **settings)
        running.append((worker, asyncio.create_task(worker.run()), bus))
        await wait_until(lambda: worker.status().state != "starting")
        return worker

    yield start
    for worker, run, bus in running:
        await worker.drain(0.0)
        await run
        await bus.close()


@pytest.fixture
async def worker(start_worker: StartWorker) -> Worker:
    """One worker."""
    return await start_worker(name="w1")
