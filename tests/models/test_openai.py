"""Questions to endpoints of every kind, and what becomes of what they say."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from skerry_workers.models import openai
from skerry_workers.models.openai import OpenAIBackend
from skerry_workers.models.port import QUOTED, Answer, ModelError, ModelSpec, Question
from tests.models.endpoint import FOUNDRY, IGNORES, LOGPROB, EndpointServer, Exchange, Likeness

SCHEMA: dict[str, Any] = {
    "$ref": "#/$defs/Invoice",
    "$defs": {
        "Invoice": {
            "type": "object",
            "title": "Invoice",
            "properties": {
                "seller": {"type": "string", QUOTED: True, "maxLength": 60},
                "total": {"type": "number"},
                "paid": {"type": "boolean", "default": False},
            },
            "required": ["seller", "total"],
        }
    },
}
ANSWER = {"seller": "Müller & Söhne", "total": 119.5, "paid": True}
TEXT = "Invoice of Müller & Söhne, total 119.50, paid."


def spec(url: str, **options: Any) -> ModelSpec:
    return ModelSpec(name="m", backend="openai", url=url, model="m1", options={"probe_s": 5.0, **options})


def question(**given: Any) -> Question:
    return Question(**{"system": "Read the invoice.", "text": TEXT, "schema": SCHEMA, "timeout_s": 20.0, **given})


@contextmanager
def served(likeness: Likeness, **options: Any) -> Iterator[tuple[EndpointServer, OpenAIBackend]]:
    with EndpointServer(likeness) as server:
        backend = openai.load(spec(server.url, **options))
        try:
            yield server, backend
        finally:
            backend.close()


def ask(backend: OpenAIBackend, **given: Any) -> Answer:
    return backend.answer(question(**given), threading.Event())


def test_an_endpoint_that_keeps_to_schemas() -> None:
    with served(Likeness(answer=ANSWER)) as (server, backend):
        answer = ask(backend)
        assert json.loads(bytes(answer.value)) == ANSWER
        assert answer.finish == "stop"
        assert backend.capabilities.schema
        assert backend.capabilities.confidence
        assert backend.capabilities.prefix
        wanted = server.last["response_format"]["json_schema"]["schema"]
        assert wanted["properties"]["seller"] == {"type": "string", "maxLength": 60}
        assert wanted["required"] == ["seller", "total", "paid"]
        assert wanted["additionalProperties"] is False
        assert server.last["temperature"] == 0 and server.last["seed"] == 0 and server.last["max_tokens"] == 512


def test_what_it_says_of_tokens_and_time() -> None:
    with served(Likeness(answer=ANSWER)) as (_, backend):
        usage = ask(backend).usage
        assert (usage.tokens_in, usage.tokens_cached) == (40, 32)
        assert usage.tokens_out > 10
        assert usage.reading_s > 0 and usage.writing_s > 0 and usage.waiting_s == 0


def test_confidence_and_place_of_each_field() -> None:
    with served(Likeness(answer=ANSWER)) as (_, backend):
        fields = ask(backend).fields
        assert set(fields) == {"seller", "total", "paid"}
        assert all(math.isclose(note.confidence, math.exp(LOGPROB)) for note in fields.values())
        assert TEXT[fields["seller"].start : fields["seller"].end] == "Müller & Söhne"
        assert fields["total"].start == -1


def test_an_answer_without_probabilities_has_places_only() -> None:
    with served(Likeness(answer=ANSWER, logprobs=False)) as (_, backend):
        fields = ask(backend).fields
        assert set(fields) == {"seller"}
        assert fields["seller"].confidence < 0
        assert not backend.capabilities.confidence


def test_the_dialect_of_foundry_local() -> None:
    with served(replace(FOUNDRY, answer=ANSWER)) as (server, backend):
        assert json.loads(bytes(ask(backend).value)) == ANSWER
        assert backend.capabilities.schema
        assert "properties" in server.last["response_format"]["json_schema"]


def test_the_dialect_of_llama() -> None:
    with served(Likeness(enforces=frozenset(("llama",)), answer=ANSWER)) as (server, backend):
        assert json.loads(bytes(ask(backend).value)) == ANSWER
        assert backend.capabilities.schema
        assert server.last["response_format"]["type"] == "json_object"


def test_the_probe_is_done_once() -> None:
    with served(Likeness(answer=ANSWER)) as (server, backend):
        ask(backend)
        ask(backend)
        assert len(server.asked) == 3


def test_an_endpoint_that_ignores_schemas_is_told_in_words() -> None:
    said = json.dumps(ANSWER)
    with served(replace(IGNORES, text=said)) as (server, backend):
        assert not backend.capabilities.schema
        assert json.loads(bytes(ask(backend).value)) == ANSWER
        system = server.last["messages"][0]["content"]
        assert system.startswith("Read the invoice.")
        assert '"seller"' in system and "response_format" not in server.last


def test_quoted_fields_are_asked_for_in_words_and_the_text_stands_alone() -> None:
    with served(Likeness(answer=ANSWER)) as (server, backend):
        ask(backend, objections=("the total is not\nthe sum",))
        system, user = server.last["messages"]
        assert (system["role"], user["role"]) == ("system", "user")
        assert "seller" in system["content"] and "total" not in system["content"]
        assert user["content"].startswith(TEXT)
        assert "the total is not" in user["content"]


@pytest.mark.parametrize(
    "said",
    [
        "```json\n{}\n```",
        "```\n{}\n```",
        "Here it is:\n{}\nAnything else?",
        "<think>maybe {{1}}</think>\n{}",
        "Sure!\n```json\n{}\n```\nThe {{braces}} are mine.",
        "\n\t {} \n",
    ],
)
def test_json_in_fences_and_prose_is_cut_out(said: str) -> None:
    said = said.replace("{{", "<<").replace("}}", ">>").replace("{}", json.dumps(ANSWER)).replace("<<", "{")
    said = said.replace(">>", "}")
    with served(replace(IGNORES, text=said)) as (_, backend):
        answer = ask(backend)
        assert json.loads(bytes(answer.value)) == ANSWER
        assert math.isclose(answer.fields["total"].confidence, math.exp(LOGPROB))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("I am afraid I cannot do that.", "no JSON but 'I am afraid I cannot do that.'"),
        ("", "no JSON"),
        ('{"seller": "M"}', "total is missing"),
        ('{"seller": "M", "total": "119.5"}', "total: a string, not number"),
        ('{"seller": null, "total": 1}', "seller: null, not string"),
        ('["M", 1]', "an array, not object"),
        ('{"seller": "M", "total": NaN}', "no JSON"),
        ('{"seller": "M", "total": 1} or {"seller": "N", "total": 1}', "more than one answer"),
        ("[" * 5000, "no JSON"),
        ('{"a":' * 5000, "no JSON"),
    ],
)
def test_prose_and_wrong_shapes_are_errors_with_what_was_said(said: str, why: str) -> None:
    with served(replace(IGNORES, text=said)) as (_, backend):
        with pytest.raises(ModelError) as refused:
            ask(backend)
        assert why in refused.value.message
        assert not refused.value.retryable
        assert len(refused.value.message) < 500


def test_an_endpoint_that_stops_keeping_to_schemas_is_found_out() -> None:
    with served(Likeness(answer={"seller": "M"})) as (_, backend):
        assert backend.capabilities.schema
        with pytest.raises(ModelError, match="total is missing"):
            ask(backend)


def test_half_an_answer_is_handed_over_as_such() -> None:
    with served(replace(IGNORES, text='{"seller": "Mü', finish="length")) as (_, backend):
        answer = ask(backend)
        assert answer.finish == "length"
        assert bytes(answer.value).decode() == '{"seller": "Mü'
        assert answer.usage.tokens_out > 0


def test_a_whole_answer_that_used_up_its_tokens_is_whole() -> None:
    with served(Likeness(answer=ANSWER, finish="length")) as (_, backend):
        assert ask(backend).finish == "stop"


def test_a_refusal_is_an_error() -> None:
    def refuse(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.event({"choices": [{"delta": {"refusal": "I must not read this."}, "finish_reason": "stop"}]})
        exchange.chunk(b"data: [DONE]\n\n")
        exchange.raw(b"0\r\n\r\n")

    with served(Likeness(answer=ANSWER)) as (server, backend):
        server.fault = refuse
        with pytest.raises(ModelError, match=r"declines to answer: 'I must not read this\.'"):
            ask(backend)


def test_an_endpoint_that_does_not_stream() -> None:
    with served(Likeness(answer=ANSWER, streams=False)) as (_, backend):
        answer = ask(backend)
        assert json.loads(bytes(answer.value)) == ANSWER
        assert set(answer.fields) == {"seller", "total", "paid"}
        assert answer.usage.tokens_in == 40
        assert answer.usage.reading_s > 0


def test_the_times_of_llama_server() -> None:
    timings = {"timings": {"cache_n": 7, "prompt_ms": 0.001, "predicted_ms": 2.0}}
    with served(Likeness(answer=ANSWER, extra=timings)) as (_, backend):
        usage = ask(backend).usage
        assert usage.reading_s == pytest.approx(1e-6)
        assert usage.waiting_s > 0


def test_an_endpoint_that_counts_nothing() -> None:
    with served(Likeness(answer=ANSWER, usage=False, logprobs=False)) as (_, backend):
        usage = ask(backend).usage
        assert (usage.tokens_in, usage.tokens_out, usage.tokens_cached) == (0, 0, 0)
        assert not backend.capabilities.prefix


def test_tokens_that_end_within_a_character_count() -> None:
    """A character in two tokens: the unlikelier of them is the field's confidence."""
    parts = [(b'{"seller": "M', -0.1), (b"\xc3", -2.0), (b"\xbc", -0.1), (b'ller", "total": ', -0.1), (b"1}", -0.1)]

    def bytewise(exchange: Exchange) -> None:
        exchange.start_stream()
        for data, logprob in parts:
            piece = {"token": data.decode(errors="replace"), "logprob": logprob, "bytes": list(data)}
            text = {b"\xc3": "", b"\xbc": "ü"}.get(data, piece["token"])
            choice = {"delta": {"content": text}, "logprobs": {"content": [piece]}}
            exchange.event({"choices": [choice]})
        exchange.event({"choices": [{"delta": {}, "finish_reason": "stop"}]})
        exchange.chunk(b"data: [DONE]\n\n")
        exchange.raw(b"0\r\n\r\n")

    with served(Likeness(answer=ANSWER)) as (server, backend):
        server.fault = bytewise
        fields = ask(backend).fields
        assert fields["seller"].confidence == pytest.approx(math.exp(-2.0))
        assert fields["total"].confidence == pytest.approx(math.exp(-0.1))


def test_tokens_that_do_not_add_up_to_the_answer_say_nothing() -> None:
    def other(exchange: Exchange) -> None:
        exchange.start_stream()
        choice = {
            "delta": {"content": json.dumps(ANSWER)},
            "logprobs": {"content": [{"token": "x", "logprob": -0.1}]},
            "finish_reason": "stop",
        }
        exchange.event({"choices": [choice]})
        exchange.raw(b"0\r\n\r\n")

    with served(Likeness(answer=ANSWER)) as (server, backend):
        server.fault = other
        assert set(ask(backend).fields) == {"seller"}


def test_several_questions_at_a_time() -> None:
    with served(Likeness(answer=ANSWER)) as (_, backend):
        found: list[Answer] = []
        threads = [threading.Thread(target=lambda: found.append(ask(backend))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert [json.loads(bytes(answer.value)) for answer in found] == [ANSWER] * 8


def test_words_of_the_user_go_into_every_request() -> None:
    with served(Likeness(answer=ANSWER), body={"keep_alive": "10m", "seed": 7}) as (server, backend):
        ask(backend)
        assert server.last["keep_alive"] == "10m"
        assert server.last["seed"] == 7
