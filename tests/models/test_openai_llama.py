"""A real llama.cpp server over HTTP, with a model that knows nothing: what sense there is comes from the endpoint."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from skerry_workers.models import openai
from skerry_workers.models.port import QUOTED, ModelBroken, ModelError, ModelSpec, Question, Stopped
from tests.models.llama_server import llama_server

TEXT = "Invoice INV-7 of Müller GmbH, 22 November, total 119.50 EUR"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "number": {"type": "string", QUOTED: True, "maxLength": 20},
        "kind": {"enum": ["goods", "work"]},
        "paid": {"type": "boolean"},
    },
    "required": ["number", "kind", "paid"],
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with llama_server() as url:
        yield url


def spec(url: str, **options: Any) -> ModelSpec:
    return ModelSpec(name="m", backend="openai", url=url, model="tiny", slots=2, options=options)


def question(**given: Any) -> Question:
    told: dict[str, Any] = {"system": "Read it.", "text": TEXT, "schema": SCHEMA, "tokens_max": 200, "timeout_s": 60.0}
    return Question(**{**told, **given})


def test_it_is_seen_to_hold_schemas_and_quotes(url: str) -> None:
    backend = openai.load(spec(url))
    can = backend.capabilities
    assert (can.schema, can.quoted, can.confidence, can.prefix, can.slots) == (True, True, True, True, 2)
    assert backend.digest.startswith("endpoint:tiny#")
    backend.close()


def test_a_quote_is_out_of_the_text_and_has_its_place(url: str) -> None:
    backend = openai.load(spec(url))
    for seed in range(3):
        answer = backend.answer(question(seed=seed, temperature=1.0), threading.Event())
        value = json.loads(bytes(answer.value))
        assert list(value) == ["number", "kind", "paid"]
        assert value["number"] in TEXT
        place = answer.fields["number"]
        assert not value["number"] or TEXT[place.start : place.end] == value["number"]
        assert all(0 < answer.fields[name].confidence < 1 for name in value)
        assert answer.usage.tokens_in > 20 and answer.usage.tokens_out > 5
        assert answer.usage.reading_s > 0 and answer.usage.writing_s > 0
    backend.close()


def test_what_was_read_before_is_not_read_again(url: str) -> None:
    backend = openai.load(spec(url))
    system = "Read it carefully, and say what you find. " * 10
    first = backend.answer(question(system=system), threading.Event())
    again = backend.answer(question(system=system), threading.Event())
    assert again.usage.tokens_cached > first.usage.tokens_in / 2
    backend.close()


def test_half_an_answer(url: str) -> None:
    backend = openai.load(spec(url))
    assert backend.answer(question(tokens_max=4), threading.Event()).finish == "length"
    backend.close()


def test_it_stops_when_nobody_waits(url: str) -> None:
    long = {"type": "object", "properties": {"a": {"type": "array", "items": {"const": 1}, "minItems": 900}}}
    backend = openai.load(spec(url))
    stop = threading.Event()
    timer = threading.Timer(0.1, stop.set)
    timer.start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        backend.answer(question(schema={**long, "required": ["a"]}, tokens_max=100_000, timeout_s=0.0), stop)
    assert time.monotonic() - began < 5
    assert backend.answer(question(), threading.Event()).finish == "stop", "its slot is free again"
    timer.join()
    backend.close()


def test_a_schema_with_limits_that_the_server_cannot_hold_is_asked_without_them(url: str) -> None:
    """llama.cpp counts to 2000, and refuses a schema with more items than that."""
    many = {"type": "object", "properties": {"a": {"type": "array", "items": {"const": 1}, "minItems": 5000}}}
    backend = openai.load(spec(url, grammar="none"))
    assert backend.answer(
        question(schema={**many, "required": ["a"]}, tokens_max=5), threading.Event()
    ).usage.tokens_out
    value = backend.answer(question(seed=1, temperature=1.0), threading.Event()).value
    assert bytes(value).lstrip().startswith(b"{"), "that was about this one schema"
    backend.close()


def test_two_at_a_time(url: str) -> None:
    backend = openai.load(spec(url))
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(backend.answer(question(), threading.Event()).finish))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == ["stop"] * 4
    backend.close()


def test_a_text_that_is_too_long_is_told_as_such(url: str) -> None:
    backend = openai.load(spec(url))
    with pytest.raises(ModelError, match="context") as told:
        backend.answer(question(text="word " * 4000), threading.Event())
    assert not isinstance(told.value, ModelBroken)
    backend.close()
