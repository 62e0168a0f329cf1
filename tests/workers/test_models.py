"""A worker of a model size: what its model is asked, what becomes of the answer, and when there is none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pytest
from msgspec import Raw

from skerry.core import wire
from skerry.core.codec import encode_json
from skerry.core.ids import TaskId
from skerry.settings import Model, Workers
from skerry.testing.memory_broker import MemoryBroker
from skerry.testing.memory_bus import MemoryBus
from skerry_workers.models.port import Answer, ModelBroken, ModelUnavailable
from skerry_workers.service import Worker
from tests.models.service_kit import FakeHost, Hosts, gguf
from tests.support import wait_until
from tests.workers.conftest import StartWorker
from tests.workers.engine import FakeEngine
from tests.workers.sample import Note, Quotes

Serve: TypeAlias = Callable[..., Awaitable[Worker]]


@pytest.fixture
async def engine(broker: MemoryBroker) -> AsyncIterator[FakeEngine]:
    """The engine's side, which asks the size small."""
    async with FakeEngine(MemoryBus(broker), size="small") as running:
        yield running


@pytest.fixture
def hosts() -> Hosts:
    """The models' processes."""
    return Hosts(lambda question: {"number": "#47", "total": "12"})


@pytest.fixture
def serve(start_worker: StartWorker, hosts: Hosts, tmp_path: Path) -> Serve:
    """Starts a worker of the size small, with one model unless others are named, and waits until it is ready."""

    async def start(wait: bool = True, **options: Any) -> Worker:
        path = gguf(tmp_path / "m.gguf")
        models = options.pop("models", {"tiny": Model(path=path)})
        worker = await start_worker(name="w1", size="small", models=models, opens=hosts, **options)
        if wait:
            await wait_until(lambda: worker.status().state in ("ready", "broken"))
        return worker

    return start


def task(engine: FakeEngine, prompt: str = "note", about: Any = None, type: Any = Quotes, **more: Any) -> wire.Task:
    """An ask."""
    if about is None:
        about = engine.keep(b"note #47 about 12")
    schema = more.pop("schema", Raw(msgspec.json.encode(msgspec.json.schema(type))))
    given = {"prompt": "What does the note say?", "schema": schema, **more}
    return engine.task("ask", prompt, encode_json(about), **given)


async def ask(engine: FakeEngine, *given: Any, **more: Any) -> wire.Result:
    """Asks and waits for the result."""
    return await engine.result(await engine.send(task(engine, *given, **more)))


def kind(result: wire.Result) -> tuple[str, bool]:
    """Of a failure."""
    assert result.failure is not None, result
    return result.failure.kind, result.failure.retryable


# --- questions and answers -------------------------------------------------------------------------------------------


async def test_a_model_is_asked_and_its_quotes_are_read(engine: FakeEngine, serve: Serve, hosts: Hosts) -> None:
    await serve()
    result = await ask(engine, objections=("number 7 does not occur",), deadline_us=0, timeout_s=30.0)
    assert engine.value(result) == {"number": "47", "total": 1200}
    (question,) = hosts["tiny"].questions
    assert question.system.startswith("What does the note say?\n\nAnswer with one JSON object. Its fields:\n- number")
    assert (question.text, question.objections) == ("note #47 about 12", ("number 7 does not occur",))
    assert question.schema == msgspec.json.schema(Quotes)
    assert 29 < question.timeout_s < 32
    facts = result.model
    assert (facts["model"], facts["backend"], facts["size"], facts["digest"]) == (
        "tiny",
        "xllama",
        "small",
        "sha256:tiny",
    )
    assert (facts["tokens_in"], facts["tokens_out"], facts["tokens_cached"], facts["prompt_version"]) == (20, 5, 8, 3)
    assert (facts["reading_s"], facts["writing_s"]) == (0.01, 0.02)
    assert {"waiting_s", "loading_s", "seconds"} <= facts.keys()
    assert (result.fields["number"].confidence, result.fields["number"].start) == (0.75, 3)


async def test_only_some_fields_are_asked_again(engine: FakeEngine, serve: Serve, hosts: Hosts) -> None:
    hosts.answers = lambda question: {"number": "#48", "other": 1}
    await serve()
    schema = msgspec.json.schema(Quotes)
    assert engine.value(await ask(engine, fields=("number",))) == {"number": "48"}
    assert engine.value(await ask(engine, "plain", {"text": "x"}, Note, fields=("number",))) == {"number": "#48"}
    assert schema["$ref"]


async def test_without_functions_the_model_sees_the_text_or_the_json(
    engine: FakeEngine, serve: Serve, hosts: Hosts
) -> None:
    hosts.answers = lambda question: {"number": "1"}
    await serve()
    for about, shown in (({"text": "hello"}, "hello"), ("hello", "hello"), ({"a": 1}, '{"a":1}')):
        assert engine.value(await ask(engine, "plain", about, Note)) == {"number": "1"}
        assert hosts["tiny"].questions[-1].text == shown
    assert "- number: the number, as it is written" in hosts["tiny"].questions[-1].system


async def test_a_prompt_that_only_the_engine_knows(engine: FakeEngine, serve: Serve, hosts: Hosts) -> None:
    await serve()
    assert engine.value(await ask(engine, "typed.in", {"text": "x"}, Note))["number"] == "#47"
    assert hosts["tiny"].questions[0].system.startswith("What does the note say?")


async def test_a_model_can_be_told_in_its_own_words(
    engine: FakeEngine, serve: Serve, hosts: Hosts, tmp_path: Path
) -> None:
    model = Model(path=gguf(tmp_path / "m.gguf"), hints=False, words={"note": "Read it."}, options={"tokens_max": 9})
    await serve(models={"tiny": model})
    await ask(engine)
    (question,) = hosts["tiny"].questions
    assert (question.system, question.tokens_max) == ("Read it.", 9)


async def test_a_model_that_knows_one_shape_is_asked_for_all_of_it(
    engine: FakeEngine, serve: Serve, hosts: Hosts, tmp_path: Path
) -> None:
    await serve(models={"tiny": Model(path=gguf(tmp_path / "m.gguf"), whole=True)})
    result = await ask(engine, fields=("total",), objections=("the total is wrong",))
    assert set(engine.value(result)) == {"total"}
    assert set(result.fields) <= {"total"}
    (question,) = hosts["tiny"].questions
    assert set(question.schema["$defs"]["Quotes"]["properties"]) == {"number", "total"}
    assert question.objections == ()
    result = await ask(engine, fields=("total", "lines"))
    assert result.failure is not None
    assert result.failure.message == "model tiny: it was not made for that question: it knows nothing of lines"
    result = await ask(engine, "plain", {"text": "x"}, Note)
    assert result.failure is not None and result.failure.message.endswith("it knows nothing of this prompt")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"number": 3, "total": "1"}, "does not fit Quotes: Expected `str`, got `int` - at `$.number`"),
        ({"number": "1", "total": "twelve"}, "what the model quoted cannot be read: ValueError"),
        ("prose", "the model answered no JSON object"),
    ],
)
async def test_an_answer_that_does_not_fit_is_a_failure(
    engine: FakeEngine, serve: Serve, hosts: Hosts, answer: Any, words: str
) -> None:
    hosts.answers = lambda question: answer
    await serve()
    result = await ask(engine)
    assert kind(result) == ("DataError", False)
    assert result.failure is not None and words in result.failure.message
    assert result.failure.message.startswith("model tiny: ")
    assert result.model["model"] == "tiny" and result.model["tokens_out"] == 5


async def test_half_an_answer_is_none(engine: FakeEngine, serve: Serve, hosts: Hosts) -> None:
    hosts.answers = lambda question: Answer(value=Raw(b'{"number":"'), finish="length")
    await serve()
    assert kind(await ask(engine)) == ("CutOff", False)


async def test_no_answer_is_said_as_it_is(engine: FakeEngine, serve: Serve, hosts: Hosts) -> None:
    def busy(question: Any) -> Any:
        raise ModelUnavailable("all slots are taken", retry_after_s=7.0)

    hosts.answers = busy
    await serve()
    result = await ask(engine)
    assert kind(result) == ("ModelUnavailable", True)
    assert result.retry_after_s == 7.0
    assert result.failure is not None and result.failure.message == "model tiny: all slots are taken"


async def test_a_prompt_without_a_model(engine: FakeEngine, serve: Serve, tmp_path: Path) -> None:
    await serve(models={"tiny": Model(path=gguf(tmp_path / "m.gguf"), prompts=("other",))})
    assert kind(await ask(engine)) == ("NoAnswer", False)


@pytest.mark.parametrize(("url", "stays"), [("https://models.example/v1", False), ("http://127.0.0.1:9/v1", True)])
async def test_what_stays_here_is_not_asked_elsewhere(
    engine: FakeEngine, serve: Serve, hosts: Hosts, url: str, stays: bool
) -> None:
    await serve(models={"far": Model(url=url, model="m")})
    result = await ask(engine, local_only=True)
    assert (result.failure is None) is stays
    assert stays or kind(result) == ("NoAnswer", False)
    assert bool(hosts["far"].questions) is stays
    assert engine.value(await ask(engine))["number"] == "47"


# --- models that do not work ------------------------------------------------------------------------------------------


async def test_a_missing_file_is_a_refusal_and_the_worker_says_it_is_broken(
    engine: FakeEngine, serve: Serve, tmp_path: Path
) -> None:
    worker = await serve(models={"tiny": Model(path=tmp_path / "gone.gguf")})
    status = worker.status()
    assert status.state == "broken"
    assert status.reason == f"model tiny: there is no {tmp_path / 'gone.gguf'}"
    result = await ask(engine)
    assert kind(result) == ("ModelBroken", False)
    assert result.failure is not None and "there is no" in result.failure.message
    assert worker.status().failed == 1


async def test_a_model_that_cannot_be_loaded_refuses_and_the_next_one_answers(
    engine: FakeEngine, serve: Serve, hosts: Hosts, tmp_path: Path
) -> None:
    def prepare(host: FakeHost) -> None:
        if host.spec.name == "bad":
            host.fails = ModelBroken("the file is cut off", hint="fetch it again")

    hosts.prepare = prepare
    path = gguf(tmp_path / "m.gguf")
    worker = await serve(models={"bad": Model(path=path, prompts=("note",)), "good": Model(path=path)})
    result = await ask(engine)
    assert (engine.value(result)["number"], result.model["model"]) == ("47", "good")
    assert worker.status().state == "ready"
    by_name = {model.name: model for model in worker.status().models}
    assert (by_name["bad"].state, by_name["bad"].reason) == ("broken", "the file is cut off (fetch it again)")
    assert (by_name["good"].state, by_name["good"].digest) == ("ready", "sha256:good")


async def test_all_models_broken(engine: FakeEngine, serve: Serve, hosts: Hosts) -> None:
    hosts.prepare = lambda host: setattr(host, "fails", ModelBroken("the file is cut off"))
    worker = await serve()
    assert (worker.status().state, worker.status().reason) == ("broken", "model tiny: the file is cut off")
    assert kind(await ask(engine)) == ("ModelBroken", False)
    assert len(hosts.opened) == 1, "it is not started again for each task"


# --- how it lives -----------------------------------------------------------------------------------------------------


async def test_it_is_ready_once_its_models_have_answered(serve: Serve, hosts: Hosts) -> None:
    gate = asyncio.Event()
    hosts.prepare = lambda host: setattr(host, "loads", gate)
    worker = await serve(wait=False)
    await wait_until(lambda: worker.status().state == "loading")
    gate.set()
    await wait_until(lambda: worker.status().state == "ready")
    assert hosts["tiny"].probes == 1


async def test_it_leaves_while_it_loads(serve: Serve, hosts: Hosts) -> None:
    hosts.prepare = lambda host: setattr(host, "loads", asyncio.Event())
    worker = await serve(wait=False)
    await wait_until(lambda: worker.status().state == "loading")
    async with asyncio.timeout(5):
        await worker.drain(0.0)
    await wait_until(lambda: hosts.opened and hosts.opened[0].closed)


async def test_as_many_tasks_as_models_answer_and_one_more(serve: Serve, tmp_path: Path) -> None:
    worker = await serve(models={"tiny": Model(path=gguf(tmp_path / "m.gguf"), slots=2)}, slots=16)
    assert worker.status().slots == 3


async def begin(engine: FakeEngine, hosts: Hosts, **more: Any) -> TaskId:
    """A question that is being answered, for ever."""
    hosts["tiny"].go.clear()
    id = await engine.send(task(engine, **more))
    await wait_until(lambda: hosts["tiny"].questions)
    return id


async def test_a_cancel_stops_the_model(engine: FakeEngine, serve: Serve, hosts: Hosts) -> None:
    worker = await serve()
    await engine.cancel(await begin(engine, hosts))
    await wait_until(lambda: hosts["tiny"].stopped == 1)
    await wait_until(lambda: worker.status().busy == 0)
    hosts["tiny"].go.set()
    assert engine.value(await ask(engine))["number"] == "47"


async def test_the_deadline_stops_the_model(engine: FakeEngine, serve: Serve, hosts: Hosts) -> None:
    await serve()
    result = await engine.result(await begin(engine, hosts, timeout_s=0.1))
    assert kind(result) == ("TimedOut", True)
    await wait_until(lambda: hosts["tiny"].stopped == 1)


async def test_a_drain_gives_the_question_back_and_stops_the_model(
    engine: FakeEngine, serve: Serve, hosts: Hosts
) -> None:
    worker = await serve()
    id = await begin(engine, hosts)
    await worker.drain(0.05)
    await wait_until(lambda: hosts["tiny"].stopped == 1 and hosts["tiny"].closed)
    assert id not in engine.results


async def test_the_status_has_the_models_and_the_age(engine: FakeEngine, serve: Serve, tmp_path: Path) -> None:
    path = gguf(tmp_path / "m.gguf")
    worker = await serve(
        models={"tiny": Model(path=path), "cold": Model(path=path, warm=False)}, limits=Workers(threads=1)
    )
    status = worker.status()
    assert [(model.name, model.state, model.threads) for model in status.models] == [
        ("tiny", "ready", 1),
        ("cold", "unloaded", 1),
    ]
    assert status.models[0].memory_mb > 0
    assert status.started_us > 0
    assert "note" in status.prompts and "fields" in status.prompts
    assert json.loads(wire.encode(status))["models"][0]["name"] == "tiny"
