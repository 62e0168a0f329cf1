"""What answers cost: from the prices of the settings, through a real worker, into the journal and the budget."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from skerry import Budget, Done, State, Step, Workflow
from skerry.clock import SystemClock
from skerry.core import api
from skerry.core import events as ev
from skerry.core.answers import Objection
from skerry.core.codec import encode_json
from skerry.registry import Registry
from skerry.runtime.engine import Engine
from skerry.runtime.service import Service
from skerry.runtime.verbs import Verbs
from skerry.settings import Model, ModelSize, Price
from skerry.testing.memory_broker import MemoryBroker
from skerry.testing.memory_bus import MemoryBus
from skerry.testing.memory_journal import MemoryDisk, MemoryJournal
from skerry_workers.models.port import Answer, Usage
from tests.models.service_kit import Hosts, gguf
from tests.support import wait_until
from tests.workers.conftest import StartWorker
from tests.workers.sample import Note, plain

PRICE = Price(tokens_in=1000.0, tokens_cached=100.0, tokens_out=4000.0, currency="EUR")
"""Of a million tokens: an answer as `answered` has it costs 12 * 0.001 + 8 * 0.0001 + 5 * 0.004 EUR."""
COST = 0.0328


def is_big(note: Note, about: object) -> list[Objection]:
    return [Objection(rule="big", message="it is small")] if note.total < 10 else []


class Look(State):
    """Asks with a budget of money."""

    money: float

    async def run(self, step: Step) -> Done[Note]:
        asked = step.ask(
            Note, plain, about="note 4711", sizes=("small", "medium"), verify=(is_big,), budget=Budget(money=self.money)
        )
        return Done(await asked)


look = Workflow("look", version=1, start=Look, result=Note)


@pytest.fixture
async def verbs(broker: MemoryBroker) -> AsyncIterator[Verbs]:
    """An engine in memory, that asks two sizes."""
    registry = Registry()
    registry.add(look)
    async with AsyncExitStack() as stack:
        clock = SystemClock()
        journal, bus = MemoryJournal(MemoryDisk(), entropy=clock.entropy), MemoryBus(broker)
        engine = Engine(journal, bus, clock, registry, sizes=("small", "medium"))
        verbs = Verbs(engine)
        service = Service(engine, verbs)
        stack.push_async_callback(journal.close)
        stack.push_async_callback(bus.close)
        stack.push_async_callback(engine.drain, 0.0)
        stack.push_async_callback(service.stop)
        await engine.recover()
        await service.start()
        yield verbs


async def events(verbs: Verbs, run: str) -> list[Any]:
    """Of a run, once it waits for nobody but a person."""

    async def still() -> bool:
        return (await verbs.show(api.Show(run=run))).row.status in ("done", "review", "failed")

    await wait_until(still, 20.0)
    shown = await verbs.show(api.Show(run=run))
    return [msgspec.json.decode(each.event, type=ev.AnyEvent) for each in shown.events]


async def serve(start_worker: StartWorker, tmp_path: Path, size: ModelSize, total: int, price: Price) -> None:
    """A worker of a size, whose model always answers the same."""
    usage = Usage(tokens_in=20, tokens_out=5, tokens_cached=8, energy_j=1.5)
    hosts = Hosts(lambda question: Answer(value=Raw(encode_json({"number": "4711", "total": total})), usage=usage))
    models = {size: Model(path=gguf(tmp_path / f"{size}.gguf"), sizes=(size,), price=price)}
    worker = await start_worker(name=size, size=size, models=models, opens=hosts)
    await wait_until(lambda: worker.status().state == "ready")


async def test_a_budget_of_money_ends_a_cascade(verbs: Verbs, start_worker: StartWorker, tmp_path: Path) -> None:
    await serve(start_worker, tmp_path, "small", 1, PRICE)
    await serve(start_worker, tmp_path, "medium", 100, PRICE)

    started = await verbs.start(api.Start(workflow="look", data={"money": 1.0}))
    enough = [each for each in await events(verbs, started.runs[0]) if isinstance(each, ev.AnswerJudged)]
    assert [(each.size, each.choice) for each in enough] == [("small", "escalate"), ("medium", "accept")]
    for each in enough:
        assert each.model["cost"] == pytest.approx(COST)
        assert (each.model["currency"], each.model["energy_j"]) == ("EUR", 1.5)

    started = await verbs.start(api.Start(workflow="look", data={"money": COST * 1.5}))
    little = await events(verbs, started.runs[0])
    assert [each.size for each in little if isinstance(each, ev.AnswerJudged)] == ["small"]
    (passed,) = (each for each in little if isinstance(each, ev.SizePassed))
    assert (passed.size, passed.why) == ("medium", "budget")
    assert passed.message == "it takes about 0.0328 money, and 0.0164 of 0.0492 are left"
    assert isinstance(little[-1], ev.ReviewOpened)


async def test_without_a_price_nothing_is_said_of_money(
    verbs: Verbs, start_worker: StartWorker, tmp_path: Path
) -> None:
    await serve(start_worker, tmp_path, "small", 100, Price())
    started = await verbs.start(api.Start(workflow="look", data={"money": 0.001}))
    (judged,) = (each for each in await events(verbs, started.runs[0]) if isinstance(each, ev.AnswerJudged))
    assert not {"cost", "currency"} & judged.model.keys()


def test_prices() -> None:
    assert PRICE.of(20, 8, 5) == pytest.approx(COST)
    assert Price(tokens_in=2.0).of(1_000_000, 500_000, 7) == pytest.approx(2.0)  # cached ones as much as any
    assert Price(tokens_out=1.0).of(5, 9, 1_000_000) == pytest.approx(1.0)  # more cached than read: none is fresh
    assert not Price(currency="EUR").known
