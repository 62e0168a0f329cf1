"""Workers that answer late, twice, with nonsense, or for another's task: fenced, recorded, and the engine goes on.

Issue, "What must survive": "A worker that answers late, twice, with nonsense, or for another's task: fenced, recorded."
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from skerry.client import Client
from skerry.core.events import AttemptFailed, ResultFenced, ReviewOpened, StepCompleted
from tests.faults.conftest import MakeNode
from tests.faults.harness import Node, bus_is_empty, disagreements, until_status
from tests.faults.plain import PlainWorker, Task, result_subject
from tests.support import wait_until

FLOWS = ("tests.faults.flows",)


@pytest.fixture
def node(make_node: MakeNode) -> Node:
    """A node without workers of its own."""
    return make_node(modules=FLOWS, lease_s=30.0).start()


async def ask(client: Client, text: str = "hello") -> str:
    """Starts a run that asks a worker."""
    return (await client.start("echoing", {"text": text})).run


async def fences(node: Node, run: str) -> list[ResultFenced]:
    """What was fenced in a run."""
    return [event for event in await node.history(run) if isinstance(event, ResultFenced)]


def encoded(task: Task, **what: Any) -> bytes:
    """A result as bytes."""
    return json.dumps(task.result(**what)).encode()


NONSENSE: dict[str, Callable[[Task], bytes]] = {
    "no bytes": lambda task: b"",
    "no JSON": lambda task: b"\x00\x01 this is not JSON {",
    "cut off": lambda task: encoded(task, value="hello")[:-4],
    "no text": lambda task: encoded(task, value="XX").replace(b"XX", b"\xff\xfe"),
    "a list": lambda task: b"[]",
    "a number": lambda task: b"12345678901234567890123456789012345678901234567890",
    "null": lambda task: b"null",
    "wrong types": lambda task: json.dumps({**task.result(value="x"), "run": 7}).encode(),
    "attempt as text": lambda task: json.dumps({**task.result(value="x"), "attempt": "1"}).encode(),
    "no names": lambda task: b'{"value": "hello"}',
    "endless depth": lambda task: encoded(task, value=0)[:-2] + b"[" * 300_000 + b"]" * 300_000 + b"}",
    "another run": lambda task: json.dumps({**task.result(value="x"), "run": "n1-01AAAAAAAAAAAAAAAAAAAAAAAA"}).encode(),
    "another step": lambda task: json.dumps({**task.result(value="x"), "step": "1-7"}).encode(),
    "another attempt": lambda task: json.dumps({**task.result(value="x"), "attempt": 2}).encode(),
    "an attempt beyond counting": lambda task: json.dumps({**task.result(value="x"), "attempt": 10**40}).encode(),
    "another size": lambda task: json.dumps({**task.result(value="x"), "size": "cloud"}).encode(),
    "no size": lambda task: json.dumps({**task.result(value="x"), "size": ""}).encode(),
    "a failure of the wrong shape": lambda task: encoded(task, failure={"kind": 3}),
}


async def test_nonsense_is_fenced_and_the_right_result_is_taken_afterwards(node: Node) -> None:
    """ "... with nonsense, or for another's task": each is recorded, none changes the outcome."""
    async with node.client() as client, PlainWorker(node.data) as worker:
        for name, nonsense in NONSENSE.items():
            run = await ask(client, name)
            task = await worker.take(run)
            assert await worker.publish(task.subject, nonsense(task))

            async def fenced(run: str = run) -> list[ResultFenced]:
                return await fences(node, run)

            try:
                found = await wait_until(fenced)
            except AssertionError:
                pytest.fail(f"{name} was not fenced; {await node.kinds(run)}")
            assert len(found) == 1 and found[0].step == task.id["step"] and found[0].reason, name
            assert (await client.row(run)).status == "running", name
            assert await worker.publish(task.subject, encoded(task, value=name))
            await task.message.ack()
            assert await client.result(run, timeout_s=10.0) == name
        await bus_is_empty(node)
    assert await disagreements(node) == []


async def test_nonsense_that_keeps_the_real_result_away_costs_time_and_nothing_else(node: Node) -> None:
    """One subject holds one message: a forged one lets the worker believe that its own is stored. Nothing is lost."""
    async with node.client() as client, PlainWorker(node.data) as worker:
        run = await ask(client)
        task = await worker.take(run)
        node.pause()
        try:
            assert await worker.publish(task.subject, b"forged")
            assert not await worker.publish(task.subject, encoded(task, value="hello")), "there is one already"
            await task.message.ack_sync()  # as docs/bus.md says: it is stored already, so the task is done
        finally:
            node.go_on()
        again = await worker.take(run)
        assert again.id == task.id, "the same attempt is sent again"
        assert await worker.publish(again.subject, encoded(again, value="hello"))
        await again.message.ack()
        assert await client.result(run, timeout_s=10.0) == "hello"
        assert len(await fences(node, run)) == 1
        await bus_is_empty(node)


async def test_a_result_that_comes_after_the_retry_has_begun_is_fenced(node: Node) -> None:
    """ "A worker that answers late": after the retry has begun, the first attempt's result counts no more."""
    async with node.client() as client, PlainWorker(node.data) as worker:
        run = await ask(client)
        first = await worker.take(run)
        failure = {"kind": "Tired", "message": "again, please", "retryable": True}
        await worker.publish(first.subject, encoded(first, failure=failure))
        await first.message.ack()
        second = await worker.take(run)
        assert (second.id["step"], second.id["attempt"]) == (first.id["step"], 2)
        await worker.publish(first.subject, encoded(first, value="too late"))
        await worker.results_taken()
        await worker.publish(second.subject, encoded(second, value="in time"))
        await second.message.ack()
        assert await client.result(run, timeout_s=10.0) == "in time"
        [fence] = await fences(node, run)
        assert (fence.attempt, "not the current one" in fence.reason) == (1, True)
        await bus_is_empty(node)
    assert await disagreements(node) == []


async def test_a_value_of_the_wrong_type_fails_the_step_with_words_for_people(node: Node) -> None:
    """A worker whose answer does not fit will not get better: the run fails, says why, and can be retried."""
    async with node.client() as client, PlainWorker(node.data) as worker:
        run = await ask(client)
        task = await worker.take(run)
        await worker.publish(task.subject, encoded(task, value={"not": "a string"}))
        await task.message.ack()
        row = await until_status(client, run, "failed")
        assert "does not fit" in row.note and "echo" in row.note
        await client.retry(run, reason="the worker was mended")
        task = await worker.take(run)
        await worker.publish(task.subject, encoded(task, value="hello"))
        await task.message.ack()
        assert await client.result(run, timeout_s=10.0) == "hello"
        await bus_is_empty(node)
    assert await disagreements(node) == []


async def test_a_result_that_comes_twice_counts_once(node: Node) -> None:
    """ "... twice": the second one finds a run that is over, and is written into its history."""
    async with node.client() as client, PlainWorker(node.data) as worker:
        run = await ask(client)
        task = await worker.take(run)
        await worker.publish(task.subject, encoded(task, value="once"))
        await task.message.ack()
        assert await client.result(run, timeout_s=10.0) == "once"
        for number in range(3):
            assert await worker.publish(task.subject, encoded(task, value=f"again {number}"))
            await worker.results_taken()
        assert [f.reason for f in await fences(node, run)] == ["the run is done"] * 3
        assert await client.result(run, timeout_s=10.0) == "once"
        history = await node.history(run)
        assert sum(isinstance(event, StepCompleted) for event in history) == 1
        # Many at the same time, too.
        subjects = [result_subject(run, task.id["step"], attempt) for attempt in range(2, 22)]
        for attempt, subject in enumerate(subjects, 2):
            await worker.publish(subject, json.dumps({**task.result(value="x"), "attempt": attempt}).encode())
        await worker.results_taken()
        assert len(await fences(node, run)) == 23
    assert await disagreements(node) == []


async def test_results_for_nobody_are_dropped_and_the_engine_goes_on(node: Node) -> None:
    """Unknown runs and names that are none: nothing to record them in, so they end in the log."""
    async with node.client() as client, PlainWorker(node.data) as worker:
        run = await ask(client)
        task = await worker.take(run)
        step = task.id["step"]
        for subject in (
            result_subject("n1-01AAAAAAAAAAAAAAAAAAAAAAAA", step, 1),
            result_subject(run, step, "x"),
            result_subject(run, step, "\u00b2"),
            result_subject(run, step, "9" * 30),
            result_subject(run, step, "9" * 3000),
            result_subject(run, step, "-1"),
            result_subject(run, "s" * 2000, 1),
            f"result.n1.{run}",
            f"result.n1.{run}.{step}.1.more",
        ):
            assert await worker.publish(subject, encoded(task, value="x")), subject[:80]
        await worker.results_taken()
        await worker.publish(task.subject, encoded(task, value="hello"))
        await task.message.ack()
        assert await client.result(run, timeout_s=10.0) == "hello"
    assert await disagreements(node) == []


async def test_a_result_for_a_review_does_not_answer_it(node: Node) -> None:
    """A question to a person is answered by a person."""
    async with node.client() as client, PlainWorker(node.data) as worker:
        run = (await client.start("agreeing", {"question": "Shall we?"})).run
        row = await until_status(client, run, "review")
        step = next(event.step for event in await node.history(run) if isinstance(event, ReviewOpened))
        body = {"run": run, "step": step, "attempt": 1, "size": "rules", "worker": "plain", "value": {"approved": True}}
        await worker.publish(result_subject(run, step, 1), body)
        await worker.results_taken()
        assert (await client.row(run)).status == row.status
        assert len(await fences(node, run)) == 1
        await client.answer(run, False)
        assert await client.result(run, timeout_s=10.0) is False


async def test_enormous_words_about_a_failure_do_not_bloat_the_journal(node: Node) -> None:
    """J8: history grows with what happens, not with what a worker cares to say."""
    async with node.client() as client, PlainWorker(node.data) as worker:
        run = await ask(client)
        for attempt in (1, 2, 3):
            task = await worker.take(run)
            assert task.id["attempt"] == attempt
            failure = {"kind": "K" * 50_000, "message": "M" * 500_000, "retryable": True}
            result = {**task.result(failure=failure, retry_after_s=0.0), "worker": "W" * 100_000}
            result["model"] = {"M" * 1000: 1, "n": 10**40, "s": "S" * 50_000}
            await worker.publish(task.subject, result)
            await task.message.ack()
        row = await until_status(client, run, "failed")
        assert len(row.note) < 20_000
        for event in (await client.show(run)).events:
            assert len(bytes(event.event)) < 20_000
    assert await disagreements(node) == []


@pytest.mark.parametrize("seconds", [1e300, 1e18, -5.0])
async def test_a_senseless_retry_after_harms_nobody(node: Node, seconds: float) -> None:
    """The attempt has failed; when the next one is due is ours to bound."""
    async with node.client() as client, PlainWorker(node.data) as worker:
        run = await ask(client)
        task = await worker.take(run)
        failure = {"kind": "Odd", "message": "later", "retryable": True}
        await worker.publish(task.subject, task.result(failure=failure, retry_after_s=seconds))
        await task.message.ack()
        await worker.results_taken()
        assert any(isinstance(event, AttemptFailed) for event in await node.history(run))
        await client.cancel(run)
        await until_status(client, run, "cancelled")


async def test_answers_in_blobs_that_are_missing_or_no_json_are_failed_attempts(node: Node) -> None:
    """What a worker names must be there and be JSON; else the attempt has failed, and the journal stays readable."""
    garbage = b"}} no JSON \xff"
    async with node.client() as client, PlainWorker(node.data) as worker:
        run = await ask(client)
        task = await worker.take(run)
        await worker.publish(task.subject, task.result(value_blob="0" * 64))
        await task.message.ack()
        task = await worker.take(run)
        name = hashlib.sha256(garbage).hexdigest()
        assert (await worker.put_blob("n1", name, garbage)).get("ok", True)
        await worker.publish(task.subject, task.result(value_blob=name))
        await task.message.ack()
        task = await worker.take(run)
        good = b'"hello"'
        name = hashlib.sha256(good).hexdigest()
        await worker.put_blob("n1", name, good)
        await worker.publish(task.subject, task.result(value_blob=name))
        await task.message.ack()
        assert await client.result(run, timeout_s=10.0) == "hello"
        assert sum(isinstance(e, AttemptFailed) for e in await node.history(run)) == 2
    assert await disagreements(node) == []


async def test_a_message_that_is_no_task_is_a_dead_letter_that_holds_nobody_up(make_node: MakeNode) -> None:
    """Somebody writes into the task stream: workers reject it, and dead letters after it are still seen to."""
    node = make_node(modules=FLOWS, workers={"rules": (1, 2)}).start()
    async with node.client() as client, PlainWorker(node.data) as worker:
        for subject in ("task.rules.x", "task.rules.n1-0.1.x", "task.rules.n1-01AAAAAAAAAAAAAAAAAAAAAAAA.1-1.1"):
            await worker.js.publish(subject, b"not a task")
        assert await client.result(await ask(client), timeout_s=20.0) == "hello"
        await bus_is_empty(node)

        async def notes() -> bool:
            return (await worker.js.stream_info("SKERRY_TASK_rules_DEAD")).state.messages == 0

        await wait_until(notes)
