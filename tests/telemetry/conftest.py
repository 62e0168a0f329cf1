"""A node whose telemetry goes to a collector here."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from skerry.config import Config
from skerry.core import wire
from skerry.core.codec import encode_json
from skerry.node import Node
from skerry.ports import Bus, Delivery, Message
from skerry.telemetry.settings import Telemetry
from tests.support import wait_until
from tests.telemetry.collector import Collector

FLOWS = "tests.telemetry.flows"


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings but those of the test."""
    for name in [name for name in os.environ if name.startswith(("SKERRY_", "OTEL_"))]:
        monkeypatch.delenv(name)


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A running one."""
    with Collector() as running:
        yield running


def config_of(data: Path, endpoint: str = "", **telemetry: Any) -> Config:
    """Settings of a node here; telemetry is told every 50 ms."""
    told = Telemetry(endpoint=endpoint, **{"every_s": 0.05, "metrics_s": 0.2, **telemetry})
    return Config(data=data, node="edge1", modules=(FLOWS,), telemetry=told)


async def ended(node: Node, run: str, status: str = "done", timeout_s: float = 20.0) -> None:
    """Waits until a run has come to its end."""

    async def over() -> bool:
        row = await node.engine.journal.row(run)
        return row is not None and row.status == status

    await wait_until(over, timeout_s)


class SmallWorker:
    """A worker of size small, written by somebody else: it knows of no telemetry, and says which model answered."""

    def __init__(self, bus: Bus, answer: Any, model: dict[str, Any]) -> None:
        self.bus = bus
        self.answer = answer
        self.model = model
        self.headers: list[dict[str, str]] = []

    async def __call__(self, delivery: Delivery) -> None:
        task = wire.decode_task.decode(delivery.message.data)
        self.headers.append(dict(delivery.message.headers))
        await asyncio.sleep(float(self.model["seconds"]))  # it takes as long as it says
        result = wire.Result(
            run=task.run,
            step=task.step,
            attempt=task.attempt,
            size="small",
            worker="other",
            value=Raw(encode_json(self.answer)),
            model=self.model,
        )
        await self.bus.publish(Message(wire.result_subject(task.id), msgspec.json.encode(result)))
        await delivery.ack()
