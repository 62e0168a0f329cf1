"""What a worker tells of its tasks, and what their code sees of it."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from opentelemetry import trace

from skerry import Prompt, task
from skerry.core import wire
from skerry.core.codec import encode_json
from skerry.ports import Message
from skerry.registry import Registry
from skerry.telemetry import genai
from skerry.telemetry.settings import Telemetry
from skerry.telemetry.spool import batches
from skerry.testing.memory_broker import MemoryBroker
from skerry.testing.memory_bus import MemoryBus
from skerry_workers.failures import Outcome
from skerry_workers.service import Worker
from skerry_workers.tracing import Tracing
from tests.support import wait_until
from tests.telemetry.collector import Told, spans_of
from tests.workers.engine import NODE, FakeEngine


def _current() -> list[str]:
    context = trace.get_current_span().get_span_context()
    return [trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)]


@task(size="rules")
async def seen() -> list[str]:
    """The span that code sees as the current one."""
    await asyncio.sleep(0)
    return _current()


@task(size="rules")
def seen_sync() -> list[str]:
    """The same in a thread."""
    return _current()


@task(size="rules")
async def breaks() -> int:
    """Raises."""
    raise ValueError("nobody's business")


@task(size="rules")
async def waits() -> int:
    """For ever."""
    await asyncio.Event().wait()
    return 0


TASKS = (seen, seen_sync, breaks, waits)
Told1 = Callable[[int], Awaitable[list[Told]]]


@pytest.fixture
async def engine() -> AsyncIterator[FakeEngine]:
    """The engine's side."""
    async with FakeEngine(MemoryBus(MemoryBroker())) as running:
        yield running


@pytest.fixture
async def told(engine: FakeEngine, tmp_path: Path) -> AsyncIterator[Told1]:
    """A worker, and what it has told: so many spans, once they are there."""
    tracing = Tracing(Telemetry(keep=True, every_s=0.02), tmp_path, "w1", "rules")
    tracing.start()
    registry = Registry()
    for each in TASKS:
        registry.add(each)
    worker = Worker(engine.bus, registry, "rules", name="w1", tracer=tracing)
    running = asyncio.create_task(worker.run())

    def found() -> list[Told]:
        return [span for b in batches(tmp_path) for span in spans_of(gzip.decompress(b.path.read_bytes()))]

    async def spans(count: int) -> list[Told]:
        await wait_until(lambda: len(found()) >= count)
        return found()

    yield spans
    await worker.drain(0.0)
    await running
    await asyncio.to_thread(tracing.close)


@pytest.mark.parametrize("name", ["seen", "seen_sync"])
async def test_what_a_task_does_itself_belongs_to_its_span(engine: FakeEngine, told: Told1, name: str) -> None:
    trace_id, span_id = engine.value(await engine.call(name))
    (span,) = await told(1)
    assert (span.trace, span.id) == (trace_id, span_id)
    assert (span.name, span.kind, span.service) == (f"work {name}", 5, "skerry-worker")
    assert _current() == ["0" * 32, "0" * 16], "and nothing of it is left behind"


async def test_a_failure_is_told_by_its_kind_alone(engine: FakeEngine, told: Told1) -> None:
    await engine.call("breaks")
    (span,) = await told(1)
    assert span.failed and span.named["error.type"] == "ValueError" and "business" not in repr(span)


async def test_a_task_that_is_stopped_is_told_as_well(engine: FakeEngine, told: Told1) -> None:
    begun = await engine.begin("waits")
    await engine.bus.notify(Message(wire.cancel_subject("rules", begun), b"{}"))

    async def stopped() -> list[Told]:
        await engine.cancel(begun)
        return [span for span in await told(0) if span.named["skerry.outcome"] == "stopped (cancel)"]

    assert len(await wait_until(stopped)) == 1


async def test_without_a_header_the_span_finds_its_place_all_the_same(engine: FakeEngine, told: Told1) -> None:
    asked = engine.task("call", "seen", encode_json({}))
    await engine.bus.publish(Message(wire.task_subject("rules", asked.id), wire.encode(asked)))
    await engine.result(asked.id)
    (span,) = await told(1)
    assert span.parent == wire.traceparent(asked.run, f"{asked.step}/1").split("-")[2]
    assert asked.run.startswith(NODE)


def test_of_a_model_the_worker_tells_itself_and_says_so(tmp_path: Path) -> None:
    tracing = Tracing(Telemetry(keep=True), tmp_path, "w1", "small")
    tracing.start()
    asked = wire.Task(
        run=f"{NODE}-X", step="1-1", attempt=2, workflow="w", kind="ask", target="fields", size="small", key="k"
    )
    began = tracing.begin(asked, {})
    model: dict[str, str | int | float] = {"model": "tiny", "backend": "onnx", "tokens_in": 7, "seconds": 0.0}
    outcome = tracing.ended(began, asked, Outcome(value=b'"secret"', model=model), "")
    assert outcome is not None and outcome.value == b'"secret"'
    tracing.close()
    (batch,) = batches(tmp_path)
    work, chat = spans_of(gzip.decompress(batch.path.read_bytes()))
    assert (work.name, chat.name, chat.parent) == ("work fields", "chat tiny", work.id)
    assert outcome.model[genai.TOLD] == chat.id, "so that the engine does not tell of it again"
    assert (chat.named["gen_ai.provider.name"], chat.named["gen_ai.usage.input_tokens"]) == ("onnxruntime", 7)
    assert "secret" not in repr((work, chat))


def test_a_rules_function_is_no_model() -> None:
    prompt = Prompt(name="p", rules=len)
    assert prompt.rules is not None and not genai.is_model("rules", {"model": "builtins.len"})
