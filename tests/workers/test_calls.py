"""What a task asks for is run, and what comes of it is said in the words of the protocol."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from skerry.core import wire
from skerry.core.codec import encode_json
from skerry_workers.service import Worker
from tests.workers.engine import RUN, FakeEngine

pytestmark = pytest.mark.usefixtures("worker")


@pytest.mark.parametrize("target", ["add", "add_sync"])
async def test_a_call_is_answered(engine: FakeEngine, target: str) -> None:
    result = await engine.call(target, a=1, b=2)
    assert engine.value(result) == 3
    assert (result.worker, result.size, result.failure, result.model) == ("w1", "rules", None, {})


@pytest.mark.parametrize("target", ["who", "who_sync"])
async def test_a_task_knows_its_context(engine: FakeEngine, target: str) -> None:
    task = engine.task("call", target, b"{}", attempt=3, key="k")
    result = await engine.result(await engine.send(task))
    assert engine.value(result) == [RUN, task.step, 3, "k"]


@pytest.mark.parametrize(
    ("target", "how", "kind", "message", "retryable", "retry_after_s"),
    [
        ("fail", "terminal", "TerminalError", "never", False, 0),
        ("fail", "retryable", "RetryableError", "later", True, 7.5),
        ("fail", "for ever", "RetryableError", "later", True, 0),
        ("fail", "half", "ValueError", "file ?", True, 0),
        ("fail", "value", "ValueError", "odd", True, 0),
        ("fail", "silent", "KeyError", "KeyError", True, 0),
        ("fail", "exit", "SystemExit", "3", True, 0),
        ("fail", "cancelled", "CancelledError", "CancelledError", True, 0),
        ("fail_sync", "odd", "ValueError", "odd", True, 0),
        ("fail_sync", "exit", "SystemExit", "3", True, 0),
        ("fail_sync", "stop", "RuntimeError", "StopIteration:", True, 0),
    ],
)
async def test_a_failure_has_a_kind_and_words(
    engine: FakeEngine, target: str, how: str, kind: str, message: str, retryable: bool, retry_after_s: float
) -> None:
    result = await engine.call(target, how=how)
    assert result.failure is not None
    assert (result.failure.kind, result.failure.message, result.failure.retryable) == (kind, message, retryable)
    assert (result.retry_after_s, bytes(result.value)) == (retry_after_s, b"")


async def test_the_traceback_goes_to_the_log_only(engine: FakeEngine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "skerry.worker"):
        result = await engine.call("fail", how="value")
    assert 'raise ValueError("odd")' in caplog.text
    assert b"Traceback" not in wire.encode(result)


async def test_a_long_message_is_cut(engine: FakeEngine) -> None:
    result = await engine.call("fail_sync", how="x" * 10_000)
    assert result.failure is not None
    assert len(result.failure.message) == 2000


@pytest.mark.parametrize(
    ("kind", "target", "args", "failure", "words"),
    [
        ("call", "nothing", {}, "NotFound", "has no task nothing (modules loaded: tests.workers.sample)"),
        ("ask", "nothing", {}, "NotFound", "has no prompt nothing (modules loaded: tests.workers.sample)"),
        ("ask", "models.only", {}, "NoAnswer", "models.only has no rules function"),
        ("call", "add", {"a": "x"}, "DataError", "Expected `int`, got `str` - at `$.a`"),
        ("call", "add", {"c": 1}, "DataError", "unknown field `c`"),
        ("ask", "fields", {"x": 1}, "DataError", "what prompt fields is about"),
        ("call", "fail", {"how": ""}, "DataError", "return value of task fail"),
    ],
)
async def test_what_cannot_work_is_not_tried_again(
    engine: FakeEngine, kind: str, target: str, args: Any, failure: str, words: str
) -> None:
    result = await engine.result(await engine.send(engine.task(kind, target, encode_json(args))))
    assert result.failure is not None
    assert (result.failure.kind, result.failure.retryable) == (failure, False)
    assert words in result.failure.message


async def test_missing_arguments_are_a_failure_of_the_task(engine: FakeEngine) -> None:
    task = wire.Task(run=RUN, step="x", attempt=1, workflow="w", kind="call", target="add", size="rules", key="k")
    result = await engine.result(await engine.send(task))
    assert result.failure is not None
    assert result.failure.kind == "DataError"


@pytest.mark.parametrize("prompt", ["fields", "later"])
async def test_rules_answer_an_ask(engine: FakeEngine, prompt: str) -> None:
    about: Any = engine.keep(b"A123 and more") if prompt == "fields" else {"n": 13}
    result = await engine.ask(prompt, about)
    assert engine.value(result)["total"] == 13
    assert result.model["model"] in ("tests.workers.sample._fields", "tests.workers.sample._later")
    assert result.model["prompt_version"] == 1
    assert float(result.model["seconds"]) >= 0


async def test_without_a_model_other_sizes_have_no_answer(engine: FakeEngine, start_worker: Any) -> None:
    engine.size = "small"
    await start_worker(size="small")
    result = await engine.ask("fields", engine.keep(b"x"))
    assert result.failure is not None
    assert (result.failure.kind, result.failure.message) == ("NoAnswer", "this worker of size small has no model")


async def test_a_result_carries_the_trace_of_its_task(engine: FakeEngine) -> None:
    heard: list[dict[str, str]] = []
    subscription = await engine.bus.listen("trace.>", lambda message: heard.append(dict(message.headers)))
    publish = engine.bus.broker.publish  # type: ignore[attr-defined]

    def spy(message: Any) -> None:
        heard.append(dict(message.headers))
        publish(message)

    engine.bus.broker.publish = spy  # type: ignore[attr-defined]
    await engine.call("add", a=1)
    await subscription.close()
    task, result = heard
    assert result["traceparent"] == task["traceparent"]
    assert result["ce-id"] == task["ce-id"]
    assert (result["ce-type"], result["ce-source"]) == ("skerry.result", "skerry/worker/rules/w1")


async def test_the_status_tells(engine: FakeEngine, worker: Worker) -> None:
    await engine.call("add", a=1)
    await engine.call("nothing")
    status = worker.status()
    assert (status.state, status.busy, status.done, status.failed, status.lost) == ("ready", 0, 1, 1, 0)
    assert "add" in status.tasks
    assert status.prompts == ("fields", "fields.limited", "later")
