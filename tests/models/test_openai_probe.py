"""What is found out about an endpoint, and what is done when that is not possible."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from skerry_workers.models import openai
from skerry_workers.models.openai_probe import Dialect, simpler
from skerry_workers.models.port import QUOTED, ModelBroken, ModelSpec, ModelUnavailable, Question
from tests.models.endpoint import IGNORES, EndpointServer, Exchange, Likeness

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 0}}, "required": ["a"]}
QUESTION = Question(system="s", text="t", schema=SCHEMA, timeout_s=20.0)


def spec(url: str, model: str = "m1", **options: Any) -> ModelSpec:
    return ModelSpec(name="m", backend="openai", url=url, model=model, options=options)


@pytest.mark.parametrize(
    ("word", "message", "then"),
    [
        ("logprobs", "logprobs are not supported", "top_logprobs"),
        ("seed", "Unknown field: seed", "seed"),
        ("stream_options", "stream_options is unknown", "stream_options"),
        ("temperature", "Unsupported value: 'temperature'", "temperature"),
        ("max_tokens", "'max_tokens' is not supported. Use 'max_completion_tokens' instead.", "max_tokens"),
    ],
)
def test_words_that_it_minds_are_left_out(word: str, message: str, then: str) -> None:
    with EndpointServer(Likeness(minds={word: message}, answer={"a": 1})) as server:
        backend = openai.load(spec(server.url))
        assert backend.capabilities.schema
        before = len(server.asked)
        assert bytes(backend.answer(QUESTION, threading.Event()).value) == b'{"a": 1}'
        assert then not in server.last
        assert len(server.asked) == before + 1, "it is remembered"
        backend.close()


def test_limits_that_it_minds_are_left_out_of_the_schema() -> None:
    minds = {"minimum": "Invalid schema for response_format 'answer': 'minimum' is not permitted."}
    with EndpointServer(Likeness(minds=minds, answer={"a": 1})) as server:
        backend = openai.load(spec(server.url))
        assert bytes(backend.answer(QUESTION, threading.Event()).value) == b'{"a": 1}'
        assert "minimum" not in str(server.last["response_format"])
        assert backend.capabilities.schema
        backend.close()


def test_an_endpoint_that_minds_everything_and_says_nothing() -> None:
    old = Likeness(minds=dict.fromkeys(("response_format", "logprobs", "seed"), "bad request"), text='{"a": 1}')
    with EndpointServer(old) as server:
        backend = openai.load(spec(server.url))
        assert not backend.capabilities.schema
        assert bytes(backend.answer(QUESTION, threading.Event()).value) == b'{"a": 1}'
        assert set(server.last) == {"model", "messages", "max_tokens", "temperature", "stream"}
        backend.close()


@pytest.mark.parametrize(("owner", "word"), [("llamacpp", "grammar"), ("vllm", "structured_outputs")])
def test_an_endpoint_that_takes_grammars_holds_quotes(owner: str, word: str) -> None:
    quoted = {"type": "object", "properties": {"a": {"type": "string", QUOTED: True}}, "required": ["a"]}
    likeness = Likeness(grammar=word, models=[{"id": "m1", "owned_by": owner}], answer={"a": "text"})
    with EndpointServer(likeness) as server:
        backend = openai.load(spec(server.url))
        assert len(server.asked) == 1
        assert backend.capabilities.schema and backend.capabilities.quoted
        question = Question(system="s", text="some text", schema=quoted)
        answer = backend.answer(question, threading.Event())
        assert (answer.fields["a"].start, answer.fields["a"].end) == (5, 9)
        assert "some" in str(server.last[word]) and "response_format" not in server.last
        assert server.last["messages"][0]["content"] == "s"
        backend.close()


def test_a_grammar_that_it_does_not_take_is_a_schema_instead() -> None:
    likeness = Likeness(grammar="grammar", models=[{"id": "m1", "owned_by": "llamacpp"}], answer={"a": 1})
    with EndpointServer(likeness) as server:
        backend = openai.load(spec(server.url))
        likeness.minds = {"grammar": "failed to parse grammar"}
        assert bytes(backend.answer(QUESTION, threading.Event()).value) == b'{"a": 1}'
        assert "response_format" in server.last
        likeness.minds = {}
        assert bytes(backend.answer(QUESTION, threading.Event()).value) == b'{"a": 1}'
        assert "grammar" in server.last, "the next one it may take"
        backend.close()


def test_an_endpoint_that_ignores_grammars_is_asked_with_a_schema() -> None:
    with EndpointServer(Likeness(models=[{"id": "m1", "owned_by": "vllm"}], answer={"a": 1})) as server:
        backend = openai.load(spec(server.url))
        assert backend.capabilities.schema and not backend.capabilities.quoted
        backend.answer(QUESTION, threading.Event())
        assert "structured_outputs" not in server.last
        backend.close()


def test_a_template_without_a_system_role() -> None:
    def template(exchange: Exchange) -> None:
        if exchange.body["messages"][0]["role"] == "system":
            exchange.error(400, "System role not supported")
        else:
            exchange.say('{"skerry_probe":"k7"}')

    with EndpointServer() as server:
        server.fault = template
        backend = openai.load(spec(server.url))
        assert backend.capabilities.schema
        assert [each["role"] for each in server.last["messages"]] == ["user"]
        backend.close()


def test_a_model_that_was_cut_off_before_it_could_be_seen_may_have_meant_it() -> None:
    with EndpointServer(replace(IGNORES, text="", finish="length")) as server:
        backend = openai.load(spec(server.url))
        assert not backend.capabilities.schema
        server.likeness = Likeness(answer={"a": 1})
        assert bytes(backend.answer(QUESTION, threading.Event()).value) == b'{"a": 1}'
        assert server.last["response_format"]["json_schema"]["name"] == "answer"
        backend.close()


def test_the_only_model_need_not_be_named() -> None:
    with EndpointServer(Likeness(answer={"a": 1})) as server:
        backend = openai.load(spec(server.url, model=""))
        assert bytes(backend.answer(QUESTION, threading.Event()).value) == b'{"a": 1}'
        assert server.last["model"] == "m1"
        backend.close()


def test_of_several_models_one_has_to_be_named() -> None:
    with EndpointServer(Likeness(models=[{"id": "big"}, {"id": "small"}])) as server:
        with pytest.raises(ModelBroken, match=r"(?s)big, small"):
            openai.load(spec(server.url, model="")).answer(QUESTION, threading.Event())


def test_a_model_that_is_not_there() -> None:
    with EndpointServer(Likeness(models=[{"id": "big"}, {"id": "small"}])) as server:
        with pytest.raises(ModelBroken, match="no model 'm1'; there are: big, small"):
            openai.load(spec(server.url))


def test_an_endpoint_without_a_list_of_models() -> None:
    with EndpointServer(Likeness(models=None, answer={"a": 1})) as server:
        backend = openai.load(spec(server.url))
        assert backend.capabilities.schema
        assert backend.digest == "endpoint:m1"
        backend.close()


def test_digests() -> None:
    library = Likeness(
        models=[{"id": "m1", "owned_by": "library"}], tags={"models": [{"name": "m1:latest", "digest": "ab" * 32}]}
    )
    with EndpointServer(library) as server:
        backend = openai.load(spec(server.url))
        assert backend.digest == "sha256:" + "ab" * 32
        backend.close()
    found: list[str] = []
    for size, created in ((7, 1), (7, 2), (8, 1)):
        meta = {"id": "m1", "owned_by": "llamacpp", "created": created, "meta": {"n_params": size}}
        with EndpointServer(Likeness(models=[meta])) as server:
            backend = openai.load(spec(server.url))
            found.append(backend.digest)
            backend.close()
    assert found[0] == found[1] != found[2]
    assert found[0].startswith("endpoint:m1#")


def test_ollama_of_an_older_version_has_no_digest() -> None:
    for tags in (None, {"models": [{"name": "other", "digest": "ab"}]}, {"models": 5}):
        with EndpointServer(Likeness(models=[{"id": "m1", "owned_by": "library"}], tags=tags)) as server:
            backend = openai.load(spec(server.url))
            assert backend.digest == "endpoint:m1"
            backend.close()


def test_probing_that_takes_too_long_is_given_up_and_nothing_is_promised() -> None:
    with EndpointServer(Likeness(answer={"a": 1})) as server:
        server.fault = lambda exchange: exchange.until_gone()
        backend = openai.load(spec(server.url, probe_s=0.2))
        assert not backend.capabilities.schema
        server.fault = None
        assert bytes(backend.answer(QUESTION, threading.Event()).value) == b'{"a": 1}'
        assert backend.capabilities.confidence, "what an answer shows is learned all the same"
        backend.close()


def test_an_endpoint_that_comes_up_later_is_probed_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai, "_AGAIN_S", 0.0)
    with EndpointServer(Likeness(answer={"a": 1})) as server:
        server.fault = lambda exchange: exchange.error(503, "Loading model")
        backend = openai.load(spec(server.url))
        before = backend.capabilities
        with pytest.raises(ModelUnavailable, match="Loading model"):
            backend.answer(QUESTION, threading.Event())
        server.fault = None
        backend.answer(QUESTION, threading.Event())
        assert (before.schema, backend.capabilities.schema) == (False, True)
        backend.close()


def test_what_the_user_says_is_not_probed() -> None:
    with EndpointServer(Likeness(enforces=frozenset(("llama",)), answer={"a": 1})) as server:
        backend = openai.load(spec(server.url, probe=False, schema="llama", logprobs=False, stream=False))
        assert server.asked == []
        assert bytes(backend.answer(QUESTION, threading.Event()).value) == b'{"a": 1}'
        assert "logprobs" not in server.last and server.last["stream"] is False
        backend.close()


def test_a_dialect_that_is_set_is_the_only_one_that_is_tried() -> None:
    with EndpointServer(replace(IGNORES, text='{"a": 1}')) as server:
        backend = openai.load(spec(server.url, schema="foundry"))
        assert len(server.asked) == 1
        backend.answer(QUESTION, threading.Event())
        assert "properties" in server.last["response_format"]["json_schema"]
        backend.close()


def test_options_that_do_not_exist() -> None:
    with pytest.raises(ModelBroken, match="dialekt"):
        openai.load(spec("http://127.0.0.1:9/v1", dialekt="openai"))


def test_simpler_comes_to_an_end() -> None:
    dialect, steps = Dialect(), 0
    words = "schema stream seed temperature logprobs stream_options max_completion_tokens system role"
    while (easier := simpler(dialect, words)) is not None:
        dialect, steps = easier, steps + 1
    assert steps <= 15
    assert simpler(Dialect(), "something else is wrong") is None
