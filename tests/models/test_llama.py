"""llama-cpp-python: one at a time, templates that fail, grammars that it does not take, AMX."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from skerry_workers.models import gbnf, machine
from skerry_workers.models.port import ModelError, ModelSpec, Stopped
from tests.models.gguf_kit import ENDLESS, QUESTION, TINY, asked

pytest.importorskip("llama_cpp", reason="the extra `llama` is not installed")

from skerry_workers.models import llama

library: Any = import_module("llama_cpp")  # it has no types

SPEC = ModelSpec(name="tiny", backend="llama", path=str(TINY), threads=1, slots=4)


@pytest.fixture(scope="module")
def backend() -> Iterator[llama.LlamaBackend]:
    loaded = llama.load(SPEC)
    yield loaded
    loaded.close()


def test_others_wait_and_can_be_taken_back_while_they_do(backend: llama.LlamaBackend) -> None:
    assert backend.capabilities.slots == 1
    stops = [threading.Event(), threading.Event()]
    with ThreadPoolExecutor(2) as pool:
        first, second = (pool.submit(backend.answer, ENDLESS, stop) for stop in stops)
        stops[1].set()
        with pytest.raises(Stopped):
            second.result(timeout=20)
        stops[0].set()
        assert first.exception(timeout=20) is None or isinstance(first.exception(), Stopped)
    answer = backend.answer(QUESTION, threading.Event())
    assert answer.usage.waiting_s < 1


def test_from_several_threads_each_has_its_own_answer(backend: llama.LlamaBackend) -> None:
    texts = [f"Seller {n} Ltd\nInvoice INV-{n * 37}" for n in range(8)]
    alone = [asked(backend, text=text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: asked(backend, text=text), texts)) == alone


def test_a_grammar_that_it_does_not_take_is_an_error(
    backend: llama.LlamaBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(gbnf, "grammar", lambda *_, **__: gbnf.Gbnf("root ::= nothing\n"))
        with pytest.raises(ModelError, match="does not take the grammar"):
            asked(backend)
    asked(backend)


SCHEMAS: list[dict[str, Any]] = [
    {"type": "array", "items": {"type": "array", "items": {"type": "string"}, "maxItems": 1000}, "maxItems": 1000},
    {"type": "array", "minItems": 5000, "maxItems": 9000},
    {"type": "string", "minLength": 5000},
    {"type": "object", "additionalProperties": {"type": "array", "maxItems": 900}},
    {},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_it_takes_what_is_large(backend: llama.LlamaBackend, schema: dict[str, Any]) -> None:
    question = msgspec.structs.replace(QUESTION, schema=schema, tokens_max=5)
    assert backend.answer(question, threading.Event()).usage.tokens_out > 0


def test_a_template_without_a_system_gets_its_words_above_the_text(
    backend: llama.LlamaBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[dict[str, str]]] = []

    def template(*, messages: list[dict[str, str]], **_: object) -> SimpleNamespace:
        seen.append(messages)
        if messages[0]["role"] == "system":
            raise ValueError("System role not supported")
        return SimpleNamespace(prompt=messages[0]["content"])

    monkeypatch.setattr(backend, "_template", template)
    asked(backend)
    assert seen[-1][0]["content"].startswith("Read the invoice.\n\nAcme")


def test_a_template_that_fails_is_an_error(backend: llama.LlamaBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    def template(**_: object) -> None:
        raise ValueError("no such filter")

    monkeypatch.setattr(backend, "_template", template)
    with pytest.raises(ModelError, match="the chat template of tiny fails: no such filter"):
        asked(backend)


def test_llama_cpp_fails_and_the_next_question_is_answered(
    backend: llama.LlamaBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = asked(backend)

    def fails(_: object) -> None:
        raise RuntimeError("llama_decode returned 1")

    with monkeypatch.context() as patched:
        patched.setattr(backend._llama, "eval", fails)
        with pytest.raises(ModelError, match="llama_decode returned 1"):
            asked(backend)
    assert asked(backend) == before


def test_amx_is_left_alone_where_there_is_any(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = library.llama_cpp.llama_model_default_params
    made: list[Any] = []

    def spied() -> Any:
        made.append(usual())
        return made[-1]

    monkeypatch.setattr(library.llama_cpp, "llama_model_default_params", spied)
    for flags, used in (((), True), (("amx_int8",), False)):
        found = msgspec.structs.replace(machine.detect(), flags=flags)
        monkeypatch.setattr(llama, "detect", lambda found=found: found)
        llama.load(SPEC).close()
        assert made[-1].use_extra_bufts is used
        assert library.llama_cpp.llama_model_default_params is spied
