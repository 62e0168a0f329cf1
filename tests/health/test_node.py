"""An engine over HTTP: whether it lives, whether it is ready, and what it counts of its cascade."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from skerry.config import Config, Workers
from skerry.core import api, wire
from skerry.core.codec import encode_json
from skerry.errors import Unavailable
from skerry.health.metrics import Metrics
from skerry.health.tally import KINDS, Tally
from skerry.node import Node, open_node
from skerry.ports import Delivery, Message
from tests.support import wait_until
from tests.support.http import page


def config_of(data: Path, port: int) -> Config:
    """Settings of a node that starts no workers."""
    workers: dict[wire.Size, Workers] = {"rules": Workers(processes=0), "small": Workers(processes=0)}
    return Config(data=data, node="edge1", modules=("tests.health.flows",), workers=workers, http_port=port)


@pytest.fixture
async def node(tmp_path: Path, free_port: int) -> AsyncIterator[Node]:
    """A running node, with somebody in its own process who answers for the size rules."""
    async with open_node(config_of(tmp_path / "data", free_port)) as running:
        await answers(running, "rules", "12")
        yield running


async def answers(node: Node, size: str, number: str, **model: Any) -> None:
    """Serves a size: always the same answer."""
    bus = node.engine.bus
    assert bus is not None

    async def work(delivery: Delivery) -> None:
        task = wire.decode_task.decode(delivery.message.data)
        result = wire.Result(
            run=task.run,
            step=task.step,
            attempt=task.attempt,
            size=size,
            worker="other",
            value=Raw(encode_json({"number": number})),
            model={"model": size, **model} if model else {},
        )
        await bus.publish(Message(wire.result_subject(task.id), msgspec.json.encode(result)))
        await delivery.ack()

    await bus.consume(wire.task_queue(size), work, window=4)


async def run(node: Node, until: str) -> None:
    """A run, until it stands so."""
    name = (await node.verbs.start(api.Start(workflow="counted", data={"text": "x"}))).runs[0]

    async def there() -> bool:
        row = await node.engine.journal.row(name)
        return row is not None and row.status == until

    await wait_until(there, 20.0)


async def test_what_became_of_answers_is_counted(node: Node) -> None:
    await answers(node, "small", "4711", cost=0.25, currency="EUR", energy_j=2.0)
    await run(node, "done")
    await run(node, "done")
    code, text = await page(node.config.http_port, "/metrics")
    assert code == 200
    for line in text.splitlines():
        assert line.startswith("# ") or re.fullmatch(r'[a-z0-9_]+\{([a-z_]+="[^"]*",?)*\} [0-9.e+-]+', line), line
    whose = 'node="edge1",workflow="counted"'
    for expected in (
        f'slm_verification_total{{{whose},size="rules",check="right",result="objected"}} 2',
        f'slm_verification_total{{{whose},size="rules",check="kind",result="objected"}} 2',
        f'slm_verification_total{{{whose},size="small",check="all",result="passed"}} 2',
        f'slm_escalations_total{{{whose},from="rules",to="small",reason="right"}} 2',
        f'slm_answer_cost_total{{{whose},size="small",currency="EUR"}} 0.5',
        f'slm_answer_energy_joules_total{{{whose},size="small"}} 4',
        f"skerry_runs_started_total{{{whose}}} 2",
        f'skerry_runs_ended_total{{{whose},status="done"}} 2',
        'skerry_runs{node="edge1",status="review"} 0',
        'skerry_queue_tasks{node="edge1",size="small",queue="bus"} 0',
        'skerry_metrics_behind_events{node="edge1"} 0',
    ):
        assert expected in text.splitlines(), text
    again = (await page(node.config.http_port, "/metrics"))[1].splitlines()
    assert [line for line in text.splitlines() if "_total" in line and line not in again] == [], (
        "nothing is counted twice"
    )


async def test_an_audit_is_counted(node: Node) -> None:
    await answers(node, "small", "4711")
    await run(node, "done")
    name = (await node.verbs.runs(api.ListRuns())).rows[0].run
    await node.verbs.audit(api.Audit(run=name, by="ada"))
    await node.verbs.audit(api.Audit(run=name, changes={"number": "4712"}, by="ada"))
    _, text = await page(node.config.http_port, "/metrics")
    for right in ("true", "false"):
        line = f'skerry_answers_audited_total{{node="edge1",workflow="counted",right="{right}"}} 1'
        assert line in text.splitlines(), text


async def test_a_person_who_is_asked_is_counted(node: Node) -> None:
    await answers(node, "small", "9999")
    await run(node, "review")
    name = (await node.verbs.runs(api.ListRuns())).rows[0].run
    await node.verbs.answer(api.Answer(run=name, approved=False, by="ada"))
    _, text = await page(node.config.http_port, "/metrics")
    whose = 'node="edge1",workflow="counted"'
    for expected in (
        f'slm_escalations_total{{{whose},from="small",to="person",reason="right"}} 1',
        f"skerry_reviews_opened_total{{{whose}}} 1",
        f'skerry_reviews_answered_total{{{whose},approved="false"}} 1',
        f'skerry_runs_ended_total{{{whose},status="failed"}} 1',
        'skerry_runs{node="edge1",status="failed"} 1',
    ):
        assert expected in text.splitlines(), text


async def test_ready_is_who_answers_over_the_bus(node: Node) -> None:
    code, text = await page(node.config.http_port, "/readyz")
    assert (code, text.splitlines()[0]) == (200, "ready")
    assert text.splitlines()[1].startswith("bus: answered in ")
    assert await page(node.config.http_port, "/livez") == (200, "ready\n")
    assert await page(node.config.http_port, "/startupz") == (200, "ready\n")
    assert (await page(node.config.http_port, "/else"))[0] == 404
    node.engine.draining = True
    assert await page(node.config.http_port, "/readyz") == (503, "draining\n")
    assert (await page(node.config.http_port, "/livez"))[0] == 200
    node.engine.draining = False
    assert node.server is not None
    await node.server.stop()
    code, text = await page(node.config.http_port, "/readyz")
    assert (code, text.partition(":")[0]) == (503, "the bus")


async def test_a_port_that_somebody_has(tmp_path: Path, node: Node) -> None:
    with pytest.raises(Unavailable, match=f"cannot answer on port {node.config.http_port}"):
        async with open_node(config_of(tmp_path / "other", node.config.http_port)):
            pass


async def test_only_what_comes_after_a_place_is_counted_and_not_without_end(node: Node) -> None:
    await answers(node, "small", "4711")
    await run(node, "done")
    middle = node.engine.journal.head.seq
    await run(node, "done")
    metrics = Metrics(KINDS)
    tally = Tally(node.config.data, middle, metrics)
    tally.catch_up(5.0)
    assert 'skerry_runs_started_total{workflow="counted"} 1' in metrics.text().splitlines()
    whole = Metrics(KINDS)
    slow = Tally(node.config.data, 0, whole)
    slow._seq = middle - 3  # in the middle of a run: its first event says whose it is
    slow.catch_up(0.0)
    assert 'skerry_runs_ended_total{workflow="counted",status="done"} 2' in whole.text().splitlines()


def test_rules_without_number_are_counted_together(tmp_path: Path) -> None:
    tally = Tally(tmp_path, 0, Metrics(KINDS))
    names = {tally._named("w", "small", f"rule {number}") for number in range(1000)}
    assert (len(names), "other" in names) == (501, True)
    assert tally._named("w", "small", "rule 7") == "rule 7"
