"""Models that a worker has loaded: how many, how much memory, for how long."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from skerry.settings import Model, Workers
from skerry_workers.metrics import Metrics
from skerry_workers.models import loaded
from skerry_workers.models.catalog import Offer
from skerry_workers.models.loaded import Models
from skerry_workers.models.port import ModelBroken, ModelSpec, ModelUnavailable, Question
from tests.models.service_kit import FakeHost, Hosts
from tests.support import wait_until

QUESTION = Question(system="s", text="t", schema={})


def offer(name: str, needs_mb: int = 100, **more: Any) -> Offer:
    spec = ModelSpec(name=name, backend="xllama", path=name)
    return Offer(spec, Model(path=Path(name), **more), needs_mb, ())


@asynccontextmanager
async def models(
    hosts: Hosts, *offers: Offer, limits: Workers | None = None, **more: Any
) -> AsyncIterator[tuple[Models, Metrics]]:
    metrics = Metrics()
    made = Models(offers, limits or Workers(), open_host=hosts, metrics=metrics, tick_s=0.01, **more)
    keeping = asyncio.create_task(made.keep())
    try:
        yield made, metrics
    finally:
        keeping.cancel()
        await made.close()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping
        assert hosts.alive == []


async def test_a_model_is_loaded_when_it_is_asked_and_once() -> None:
    hosts = Hosts()
    async with models(hosts, offer("a"), offer("b")) as (made, metrics):
        answers = await asyncio.gather(*(made.answer("a", QUESTION) for _ in range(3)))
        assert hosts.alive == ["a"]
        assert made["a"].status().state == "ready" and made["b"].status().state == "unloaded"
        assert all(answer.usage.loading_s + answer.usage.waiting_s >= 0 for answer, _ in answers)
        assert 'slm_model_load_seconds_count{model="a"} 1' in metrics.text()


async def test_the_time_of_loading_is_in_the_answer() -> None:
    hosts, gate = Hosts(), asyncio.Event()
    hosts.prepare = lambda host: setattr(host, "loads", gate)
    async with models(hosts, offer("a")) as (made, _):
        asking = asyncio.create_task(made.answer("a", QUESTION))
        await wait_until(lambda: hosts.opened)
        await asyncio.sleep(0.05)
        gate.set()
        answer, _ = await asking
        assert answer.usage.loading_s >= 0.04


async def test_the_one_asked_longest_ago_makes_room() -> None:
    hosts = Hosts()
    limits = Workers(models_max=2)
    async with models(hosts, offer("a"), offer("b"), offer("c"), limits=limits) as (made, _):
        for name in ("a", "b", "a", "c"):
            await made.answer(name, QUESTION)
        assert sorted(hosts.alive) == ["a", "c"]


async def test_one_at_work_is_waited_for() -> None:
    hosts = Hosts()
    async with models(hosts, offer("a"), offer("b"), limits=Workers(models_max=1)) as (made, _):
        await made.answer("a", QUESTION)
        hosts["a"].go.clear()
        first = asyncio.create_task(made.answer("a", QUESTION))
        await wait_until(lambda: len(hosts["a"].questions) == 2)
        second = asyncio.create_task(made.answer("b", QUESTION))
        await asyncio.sleep(0.05)
        assert hosts.alive == ["a"], "it is not unloaded in the middle of an answer"
        hosts["a"].go.set()
        await first
        await second
        assert hosts.alive == ["b"]


async def test_a_model_for_which_there_is_never_room_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaded, "ROOM_S", 0.0)
    hosts = Hosts()
    async with models(hosts, offer("a"), offer("b"), limits=Workers(models_max=1)) as (made, _):
        await made.answer("a", QUESTION)
        hosts["a"].go.clear()
        first = asyncio.create_task(made.answer("a", QUESTION))
        await wait_until(lambda: len(hosts["a"].questions) == 2)
        with pytest.raises(ModelUnavailable, match="no room for model b: at most 1 are loaded at a time") as caught:
            await made.answer("b", QUESTION)
        assert caught.value.retry_after_s == 5
        hosts["a"].go.set()
        await first


def measured(monkeypatch: pytest.MonkeyPatch, by_name: dict[str, int]) -> Callable[[FakeHost], None]:
    """Each model's process has so much memory."""
    by_pid: dict[int, int] = {}

    def prepare(host: FakeHost) -> None:
        host.pid = 1_000_000 + len(by_pid)
        by_pid[host.pid] = by_name[host.spec.name]

    monkeypatch.setattr(loaded, "memory_of", lambda pid: by_pid[pid])
    return prepare


async def test_memory_is_measured_and_room_made_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = Hosts()
    hosts.prepare = measured(monkeypatch, {"a": 300, "b": 250, "c": 500})
    limits = Workers(memory_mb=600)
    async with models(hosts, offer("a"), offer("b"), offer("c"), limits=limits) as (made, _):
        await made.answer("a", QUESTION)
        await made.answer("b", QUESTION)
        assert sorted(hosts.alive) == ["a", "b"]
        assert [each.status().memory_mb for each in made.all] == [300, 250, 0]
        await made.answer("c", QUESTION)
        assert hosts.alive == ["c"], "what it was thought to need would have fitted; what it has does not"


async def test_a_model_that_takes_more_than_it_may_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = Hosts()
    hosts.prepare = measured(monkeypatch, {"a": 700})
    async with models(hosts, offer("a"), limits=Workers(memory_mb=600)) as (made, _):
        for _ in range(2):
            with pytest.raises(ModelBroken, match="takes 700 MB of memory, and may have 600"):
                await made.answer("a", QUESTION)
        assert made["a"].status().state == "broken" and len(hosts.opened) == 1
        assert made.broken.startswith("model a: model a takes 700 MB")


async def test_a_model_that_grows_is_unloaded_when_it_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts, sizes = Hosts(), {"a": 100}
    hosts.prepare = lambda host: None
    monkeypatch.setattr(loaded, "memory_of", lambda pid: sizes["a"])
    async with models(hosts, offer("a"), limits=Workers(memory_mb=600)) as (made, _):
        await made.answer("a", QUESTION)
        sizes["a"] = 900
        await wait_until(lambda: not hosts.alive)
        assert made["a"].status().state == "unloaded"


async def test_an_idle_model_is_unloaded_and_comes_back() -> None:
    hosts = Hosts()
    async with models(hosts, offer("a", idle_s=0.05), offer("b", idle_s=0)) as (made, _):
        await made.answer("a", QUESTION)
        await made.answer("b", QUESTION)
        await wait_until(lambda: hosts.alive == ["b"])
        await made.answer("a", QUESTION)
        assert sorted(hosts.alive) == ["a", "b"]


async def test_a_pass_is_no_use_of_a_model() -> None:
    hosts = Hosts()
    async with models(hosts, offer("a", idle_s=0.1)) as (made, _):
        await made.answer("a", QUESTION)
        while hosts.alive:
            await made.probe("a")
            await asyncio.sleep(0.01)
            if hosts["a"].closed:
                break
        assert hosts.opened[0].probes > 0


async def test_a_broken_model_is_tried_again_after_a_while() -> None:
    hosts = Hosts()
    hosts.prepare = lambda host: setattr(host, "fails", ModelBroken("cut off"))
    async with models(hosts, offer("a"), broken_s=0.05) as (made, _):
        with pytest.raises(ModelBroken):
            await made.answer("a", QUESTION)
        hosts.prepare = lambda host: None

        async def mended() -> bool:
            with contextlib.suppress(ModelBroken):
                await made.answer("a", QUESTION)
                return True
            return False

        await wait_until(mended)
        assert made.broken == ""


async def test_one_that_breaks_while_it_answers() -> None:
    def answers(_: Question) -> Any:
        raise ModelBroken("crashed too often")

    hosts = Hosts(answers)
    async with models(hosts, offer("a")) as (made, _):
        with pytest.raises(ModelBroken):
            await made.answer("a", QUESTION)
        assert made["a"].status().state == "broken" and hosts.alive == []


async def test_whoever_gives_up_waiting_does_not_stop_the_loading() -> None:
    hosts, gate = Hosts(), asyncio.Event()
    hosts.prepare = lambda host: setattr(host, "loads", gate)
    async with models(hosts, offer("a")) as (made, _):
        first = asyncio.create_task(made.answer("a", QUESTION))
        second = asyncio.create_task(made.answer("a", QUESTION))
        await wait_until(lambda: hosts.opened)
        first.cancel()
        gate.set()
        await second
        assert len(hosts.opened) == 1


async def test_a_broken_model_that_is_mended_comes_back_by_itself() -> None:
    hosts = Hosts()
    hosts.prepare = lambda host: setattr(host, "fails", ModelBroken("cut off"))
    async with models(hosts, offer("a"), broken_s=0.01) as (made, _):
        with pytest.raises(ModelBroken):
            await made.load("a")
        hosts.prepare = lambda host: None
        await wait_until(lambda: made["a"].status().state == "ready")


async def test_an_endpoint_that_is_away_is_looked_out_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaded, "AWAY_S", 0.05)
    hosts = Hosts()
    far = Offer(
        ModelSpec(name="far", backend="openai", url="http://localhost:1"), Model(url="http://localhost:1"), 0, ()
    )
    async with models(hosts, far, offer("near")) as (made, _):
        await made.answer("far", QUESTION)
        assert made["far"].status().away == ""
        host = hosts["far"]
        host.fails = ModelUnavailable("no route")
        hosts.answers = _raises(ModelUnavailable("no route"))
        with pytest.raises(ModelUnavailable):
            await made.answer("far", QUESTION)
        assert made["far"].status().away == "no route"
        await wait_until(lambda: host.probes > 2)
        assert made["far"].status().away == "no route"
        host.fails = None
        await wait_until(lambda: made["far"].status().away == "")
        with pytest.raises(ModelUnavailable):
            await made.answer("near", QUESTION)
        assert made["near"].status().away == "", "what runs here cannot be away"


async def test_an_endpoint_says_itself_when_to_come_back() -> None:
    hosts = Hosts(_raises(ModelUnavailable("busy", retry_after_s=300)))
    far = Offer(
        ModelSpec(name="far", backend="openai", url="http://localhost:1"), Model(url="http://localhost:1"), 0, ()
    )
    now = 1000.0
    async with models(hosts, far, now=lambda: now) as (made, _):
        with pytest.raises(ModelUnavailable):
            await made.answer("far", QUESTION)
        now += 299
        await asyncio.sleep(0.05)
        assert hosts["far"].probes == 0
        now += 2
        await wait_until(lambda: made["far"].status().away == "")


def _raises(error: Exception) -> Callable[[Question], Any]:
    def answer(question: Question) -> Any:
        raise error

    return answer
