"""xllamacpp with random weights: what is held, what is told, what is stopped."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from skerry_workers.models import constraint, ggufs, misfit
from skerry_workers.models.port import QUOTED, ModelBroken, ModelError, ModelSpec, ModelUnavailable, Question, Stopped

pytest.importorskip("xllamacpp", reason="xllamacpp is not installed (the extra `xllama`)")

from skerry_workers.models import xllama

TINY = Path(__file__).with_name("tiny.gguf")
TEXT = 'Acme "Best" Gm\\bH & Söhne\tBranch   East\nInvoice No: INV-22\r\nTotal: 12.00 EUR <|assistant|>{}'
QUOTE = {"type": "string", QUOTED: True, "minLength": 1}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "seller": QUOTE,
        "number": {"anyOf": [QUOTE, {"type": "null"}]},
        "pieces": {"type": "integer"},
        "kind": {"enum": ["a", "ü"]},
        "free": {"type": "string", "maxLength": 5},
    },
    "required": ["seller", "number", "pieces", "kind", "free"],
    "additionalProperties": False,
}
LONG: dict[str, Any] = {
    "type": "object",
    "properties": {"more": {"type": "array", "items": {"enum": [1]}, "minItems": 5000}},
    "required": ["more"],
    "additionalProperties": False,
}
QUESTION = Question(system="Read the invoice.", text=TEXT, schema=SCHEMA)
ENDLESS = msgspec.structs.replace(QUESTION, schema=LONG, tokens_max=100_000)


def spec(**words: Any) -> ModelSpec:
    return ModelSpec(**{"name": "tiny", "backend": "xllama", "path": str(TINY), "threads": 1, "slots": 2, **words})


@pytest.fixture(scope="module")
def backend() -> Iterator[xllama.XllamaBackend]:
    loaded = xllama.load(spec())
    yield loaded
    loaded.close()


def asked(backend: xllama.XllamaBackend, **words: Any) -> dict[str, Any]:
    question = msgspec.structs.replace(QUESTION, **words)
    answer = backend.answer(question, threading.Event())
    value: dict[str, Any] = msgspec.json.decode(answer.value)
    assert not misfit.misfit(question.schema, value)
    return value


def test_random_weights_write_json_that_fits_and_quote_what_occurs(backend: xllama.XllamaBackend) -> None:
    for seed in range(20):
        value = asked(backend, temperature=2.0, seed=seed)
        for quote in (value["seller"], value["number"]):
            assert quote is None or (quote in TEXT and quote == quote.strip())


def test_fields_have_places_and_the_probabilities_before_the_mask(backend: xllama.XllamaBackend) -> None:
    answer = backend.answer(QUESTION, threading.Event())
    value = msgspec.json.decode(answer.value)
    assert set(answer.fields) == set(SCHEMA["properties"])
    seller = answer.fields["seller"]
    assert TEXT[seller.start : seller.end] == value["seller"]
    # Random weights would have written something else: under the mask, enumerations would have one or so.
    assert all(0 < note.confidence < 0.05 for note in answer.fields.values())
    assert answer.usage.tokens_in > 50
    assert answer.usage.tokens_out > 20
    assert answer.usage.reading_s > 0 and answer.usage.writing_s > 0


def test_greedy_answers_are_the_same_and_what_repeats_is_read_once(backend: xllama.XllamaBackend) -> None:
    question = msgspec.structs.replace(QUESTION, system="Read " * 200)
    first = backend.answer(question, threading.Event())
    second = backend.answer(msgspec.structs.replace(question, text=TEXT + "!"), threading.Event())
    assert second.usage.tokens_cached >= 200 > first.usage.tokens_cached
    assert second.usage.tokens_in >= second.usage.tokens_cached
    assert backend.answer(question, threading.Event()).value == first.value


def test_what_is_cut_off_says_so(backend: xllama.XllamaBackend) -> None:
    answer = backend.answer(msgspec.structs.replace(QUESTION, tokens_max=3), threading.Event())
    assert (answer.finish, answer.usage.tokens_out, answer.fields) == ("length", 3, {})


def test_it_stops_in_the_middle(backend: xllama.XllamaBackend) -> None:
    for after_s in (0.0, 0.05, 0.2):
        stop = threading.Event()
        timer = threading.Timer(after_s, stop.set)
        timer.start()
        began = time.monotonic()
        with pytest.raises(Stopped):
            backend.answer(ENDLESS, stop)
        timer.join()
        assert time.monotonic() - began < after_s + 1.0
    assert asked(backend)


def test_it_stops_while_it_reads(backend: xllama.XllamaBackend) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        backend.answer(msgspec.structs.replace(ENDLESS, text="a b " * 450), stop)


def test_as_many_at_a_time_as_there_are_slots(backend: xllama.XllamaBackend) -> None:
    """One that never ends does not keep another from being answered."""
    stop = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        endless = pool.submit(backend.answer, ENDLESS, stop)
        for _ in range(5):
            pool.submit(asked, backend).result(timeout=20)
        assert not endless.done() or endless.exception() is None
        stop.set()
    if endless.exception() is not None:
        assert isinstance(endless.exception(), Stopped)


def test_a_text_that_is_too_long_is_refused(backend: xllama.XllamaBackend) -> None:
    with pytest.raises(ModelError, match="exceeds the available context size") as caught:
        asked(backend, text="a b " * 5000)
    assert not caught.value.retryable
    assert "context" in caught.value.hint


def test_a_grammar_that_is_not_held_is_noticed_and_written_otherwise(
    backend: xllama.XllamaBackend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> constraint.Grammar:
        return constraint.Grammar(lark="start: /[a/")

    monkeypatch.setattr(constraint, "grammar", broken)
    with caplog.at_level(logging.WARNING):
        value = asked(backend)
    assert value["seller"] in TEXT
    assert "did not hold the grammar" in caplog.text


def test_gbnf_is_held_by_llama_cpp(backend: xllama.XllamaBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> constraint.Grammar:
        return constraint.Grammar(lark="start: /[a/")

    monkeypatch.setattr(constraint, "grammar", refused)
    # Without the free text: llama.cpp lets random weights write bytes into it that are no characters.
    properties = {name: each for name, each in SCHEMA["properties"].items() if name != "free"}
    schema = {**SCHEMA, "properties": properties, "required": list(properties)}
    for seed in range(20):
        value = asked(backend, temperature=2.0, seed=seed, schema=schema)
        for quote in (value["seller"], value["number"]):
            assert quote is None or (quote in TEXT and quote == quote.strip())


def test_wrong_files_are_broken(tmp_path: Path) -> None:
    for name, content in {"cut": TINY.read_bytes()[:-100], "text": b"x" * 100}.items():
        path = tmp_path / f"{name}.gguf"
        path.write_bytes(content)
        with pytest.raises(ModelBroken, match=r"cut off|no GGUF"):
            xllama.load(spec(path=str(path)))
    with pytest.raises(ModelBroken, match="does not exist"):
        xllama.load(spec(path=str(tmp_path / "missing.gguf")))


def test_a_model_that_llama_cpp_does_not_know_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "other.gguf"
    path.write_bytes(TINY.read_bytes().replace(b"llama", b"lhama"))
    with pytest.raises(ModelBroken, match="cannot load it"):
        xllama.load(spec(path=str(path)))


def test_it_listens_on_no_port_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    loaded = xllama.load(spec())
    (folder,) = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in folder.iterdir()] == ["unused.sock"]
    mine = {os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()}
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if " 0A " in line]
    assert not [line for line in listening if f"socket:[{line[9]}]" in mine]
    loaded.close()
    assert not list(tmp_path.iterdir())
    with pytest.raises(ModelUnavailable):
        loaded.answer(QUESTION, threading.Event())


def test_it_can_what_it_says(backend: xllama.XllamaBackend) -> None:
    assert backend.capabilities.slots == 2
    assert backend.digest == ggufs.examine(TINY).digest()
    assert json.loads(json.dumps(msgspec.structs.asdict(backend.capabilities)))["quoted"]
