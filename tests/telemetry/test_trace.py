"""One trace from the event to the model: through an engine, a real nats-server, and a worker in its own process."""

from __future__ import annotations

from pathlib import Path

import msgspec

from skerry.config import Config, Model, Workers
from skerry.core import api, wire
from skerry.node import open_node
from skerry.telemetry.otlp import ids
from tests.models.endpoint import EndpointServer, Likeness
from tests.support import wait_until
from tests.telemetry.collector import Collector, Told
from tests.telemetry.conftest import SmallWorker, config_of, ended
from tests.telemetry.flows import SECRET

MODEL = {
    "model": "tiny",
    "backend": "xllama",
    "digest": "sha256:0123",
    "tokens_in": 120,
    "tokens_out": 14,
    "tokens_cached": 80,
    "waiting_s": 0.001,
    "reading_s": 0.002,
    "writing_s": 0.003,
    "seconds": 0.006,
}


async def told_of(config: Config, collector: Collector, *, count: int = 1) -> tuple[str, SmallWorker]:
    """A run from an event to its end, with everything that is told of it."""
    config = msgspec.structs.replace(config, workers={"rules": Workers(processes=1), "small": Workers(processes=0)})
    async with open_node(config, workers=True) as node:
        assert node.engine.bus is not None
        small = SmallWorker(node.engine.bus, {"number": "4711"}, MODEL)
        await node.engine.bus.ensure(wire.task_queue("small"))
        subscription = await node.engine.bus.consume(wire.task_queue("small"), small, window=1)
        published = api.Publish(type="letter.came", data={"text": SECRET}, source="post", id="7")
        run = (await node.verbs.publish(published)).runs[0]
        await ended(node, run)
        await subscription.close()
    await wait_until(lambda: len([span for span in collector.spans if span.service == "skerry-worker"]) >= 5)
    return run, small


async def test_one_connected_trace_from_the_event_to_the_model(tmp_path: Path, collector: Collector) -> None:
    run, small = await told_of(config_of(tmp_path / "data", collector.url), collector)
    spans = collector.spans
    trace, _ = ids(run)
    assert {span.trace for span in spans} == {trace}
    by_id = {span.id: span for span in spans}
    assert len(by_id) == len(spans), "everything comes once"
    roots = [span for span in spans if not span.parent]
    assert [span.name for span in roots] == ["event letter.came"]
    orphans = [span for span in spans if span.parent and span.parent not in by_id]
    assert not orphans

    def way(span: Told) -> list[str]:
        names = [span.name]
        while span.parent:
            span = by_id[span.parent]
            names.insert(0, span.name)
        return names

    ways = [way(span) for span in spans]
    begin = ["event letter.came", "run tell", "state Begin"]
    ask = ["event letter.came", "run tell", "state Ask", "ask fields"]
    assert [*begin, "call here"] in ways
    assert [*begin, "call there", "task there", "work there"] in ways
    assert [*ask, "task fields", "work fields"] in ways, "rules, in a worker's process"
    assert [*ask, "task fields", "chat tiny"] in ways, "of a worker that tells nothing itself"
    stumbles = [span for span in spans if span.name == "task stumbles"]
    assert [span.failed for span in sorted(stumbles, key=lambda span: span.start_us)] == [True, False]

    (chat,) = [span for span in spans if span.name == "chat tiny"]
    assert chat.named["gen_ai.operation.name"] == "chat"
    assert chat.named["gen_ai.provider.name"] == "llama.cpp"
    assert chat.named["gen_ai.request.model"] == chat.named["gen_ai.response.model"] == "tiny"
    assert (chat.named["gen_ai.usage.input_tokens"], chat.named["gen_ai.usage.output_tokens"]) == (120, 14)
    assert chat.named["gen_ai.usage.cache_read.input_tokens"] == 80
    assert 5_000 <= chat.end_us - chat.start_us <= 6_000

    header = small.headers[0]["traceparent"]
    assert by_id[header.split("-")[2]].name == "task fields", "the span that travels with a task is there"
    for span in spans:
        parent = by_id.get(span.parent)
        if parent is not None and span.service == "skerry" and parent.kind != 5:
            assert parent.start_us <= span.start_us and span.end_us <= parent.end_us, (parent, span)
    (escalated,) = [note for span in spans for note in span.notes if note[1].get("skerry.choice") == "escalate"]
    assert escalated[1]["skerry.objections"] == ["right"] and escalated[1]["skerry.next"] == "small"


async def test_nothing_of_the_users_is_told_unless_it_is_asked_for(tmp_path: Path, collector: Collector) -> None:
    await told_of(config_of(tmp_path / "data", collector.url), collector)
    assert SECRET not in repr(collector.spans) and SECRET.upper() not in repr(collector.spans)
    assert SECRET not in repr(collector.points)
    collector.spans.clear()
    await told_of(config_of(tmp_path / "other", collector.url, content=True), collector)
    assert SECRET in repr(collector.spans)
    (chat,) = [span for span in collector.spans if span.name == "chat tiny"]
    assert "gen_ai.output.messages" in chat.named or chat.named["gen_ai.output.type"] == "json"


async def test_metrics_are_told(tmp_path: Path, collector: Collector) -> None:
    await told_of(config_of(tmp_path / "data", collector.url), collector)
    for name, labels, value in (
        ("skerry.runs.started", {"skerry.workflow": "tell"}, 1),
        ("skerry.runs.ended", {"skerry.workflow": "tell", "skerry.status": "done"}, 1),
        ("skerry.run.duration", {"skerry.workflow": "tell", "skerry.status": "done"}, 1),
        ("skerry.steps", {"skerry.step.kind": "call", "skerry.outcome": "done"}, 5),
        ("skerry.escalations", {"skerry.from": "rules", "skerry.to": "small"}, 1),
        ("skerry.attempts.failed", {"error.type": "RetryableError"}, 1),
        ("gen_ai.client.token.usage", {"gen_ai.token.type": "input"}, 1),
        ("gen_ai.client.operation.duration", {"gen_ai.request.model": "tiny"}, 1),
    ):
        point = collector.last(name, **{key.replace(".", "__"): text for key, text in labels.items()})
        assert point is not None and point.value == value, (name, point)
    usage = collector.last("gen_ai.client.token.usage", gen_ai__token__type="input")
    assert usage is not None and usage.sum == 120
    commits, spent = collector.last("skerry.journal.commits"), collector.last("skerry.journal.commit.time")
    assert commits is not None and spent is not None and commits.value > 0 and 0 < spent.value < 60
    assert collector.last("skerry.queue.length", skerry__size="rules", skerry__queue="bus") is not None


async def test_the_trace_ends_at_the_model_that_a_worker_asked(tmp_path: Path, collector: Collector) -> None:
    with EndpointServer(Likeness(answer={"number": "4711"})) as endpoint:
        config = msgspec.structs.replace(
            config_of(tmp_path / "data", collector.url),
            workers={"rules": Workers(processes=1), "small": Workers(processes=1)},
            models={"tiny": Model(url=endpoint.url, model="m1", sizes=("small",))},
        )
        async with open_node(config, workers=True) as node:
            published = api.Publish(type="letter.came", data={"text": SECRET})
            run = (await node.verbs.publish(published)).runs[0]
            await ended(node, run, timeout_s=60.0)
    await wait_until(lambda: [span for span in collector.spans if span.named.get("skerry.size") == "small"])
    by_id = {span.id: span for span in collector.spans}
    (chat,) = [span for span in collector.spans if span.name.startswith("chat ")]
    work = by_id[chat.parent]
    task = by_id[work.parent]
    assert (chat.service, work.service, task.service) == ("skerry-worker", "skerry-worker", "skerry")
    assert (work.name, task.name, by_id[task.parent].name) == ("work fields", "task fields", "ask fields")
    assert work.start_us <= chat.start_us <= chat.end_us <= work.end_us
    assert chat.named["gen_ai.provider.name"] == "openai" and chat.named["gen_ai.request.model"] == "tiny"
    assert chat.named["gen_ai.usage.input_tokens"] > 0
