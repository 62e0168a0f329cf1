"""Both backends of llama.cpp with random weights: what is held, what is told, what is stopped."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from skerry_workers.models import ggufs
from skerry_workers.models.machine import PACKAGES
from skerry_workers.models.port import (
    Backend,
    BackendName,
    ModelBroken,
    ModelError,
    ModelSpec,
    ModelUnavailable,
    Stopped,
)
from tests.models.gguf_kit import ENDLESS, QUESTION, SCHEMA, TEXT, TINY, asked

Load = Callable[..., Backend]


@pytest.fixture(scope="module", params=["xllama", "llama"])
def load(request: pytest.FixtureRequest) -> Load:
    name: BackendName = request.param
    pytest.importorskip(PACKAGES[name][0], reason=f"the extra `{name}` is not installed")
    module = importlib.import_module(f"skerry_workers.models.{name}")

    def loaded(**words: Any) -> Backend:
        spec = {"name": "tiny", "backend": name, "path": str(TINY), "threads": 1, **words}
        return cast(Backend, module.load(ModelSpec(**spec)))

    return loaded


@pytest.fixture(scope="module")
def backend(load: Load) -> Iterator[Backend]:
    loaded = load()
    yield loaded
    loaded.close()


def test_random_weights_write_json_that_fits_and_quote_what_occurs(backend: Backend) -> None:
    found = {str(asked(backend, temperature=2.0, seed=seed)) for seed in range(20)}
    assert len(found) > 10


def test_a_seed_is_one_answer(backend: Backend) -> None:
    assert asked(backend, temperature=1.0, seed=7) == asked(backend, temperature=1.0, seed=7)


def test_fields_have_places_and_the_probabilities_before_the_mask(backend: Backend) -> None:
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


def test_greedy_answers_are_the_same_and_what_repeats_is_read_once(backend: Backend) -> None:
    question = msgspec.structs.replace(QUESTION, system="Read " * 200)
    first = backend.answer(question, threading.Event())
    second = backend.answer(msgspec.structs.replace(question, text="The other one. " + TEXT), threading.Event())
    assert second.usage.tokens_cached >= 200 > first.usage.tokens_cached
    assert second.usage.tokens_in >= second.usage.tokens_cached
    assert bytes(backend.answer(question, threading.Event()).value) == bytes(first.value)


def test_what_is_cut_off_says_so(backend: Backend) -> None:
    answer = backend.answer(msgspec.structs.replace(QUESTION, tokens_max=3), threading.Event())
    assert (answer.finish, answer.usage.tokens_out, answer.fields) == ("length", 3, {})


def test_a_full_context_cuts_it_off(load: Load) -> None:
    backend = load(context=256)
    answer = backend.answer(ENDLESS, threading.Event())
    assert answer.finish == "length"
    assert answer.usage.tokens_in + answer.usage.tokens_out in range(250, 260)
    backend.close()


@pytest.mark.parametrize("after_s", [0.0, 0.03, 0.1])
def test_it_stops_in_the_middle(backend: Backend, after_s: float) -> None:
    stop = threading.Event()
    timer = threading.Timer(after_s, stop.set)
    timer.start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        backend.answer(ENDLESS, stop)
    timer.join()
    assert time.monotonic() - began < after_s + 1.0
    asked(backend)


def test_it_stops_while_it_reads(backend: Backend) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        backend.answer(msgspec.structs.replace(ENDLESS, text="a b " * 450), stop)


def test_a_text_that_is_too_long_is_refused(backend: Backend) -> None:
    with pytest.raises(ModelError, match="exceeds the available context size") as caught:
        asked(backend, text="a b " * 5000)
    assert not caught.value.retryable
    assert "context" in caught.value.hint
    asked(backend)


def test_many_schemas_one_after_the_other(backend: Backend) -> None:
    for count in range(1, 12):
        properties = {f"f{n}": {"type": "boolean"} for n in range(count)}
        schema = {"type": "object", "properties": properties, "required": [], "additionalProperties": False}
        answer = backend.answer(msgspec.structs.replace(QUESTION, schema=schema), threading.Event())
        assert set(msgspec.json.decode(answer.value)) <= set(properties)


def test_wrong_files_are_broken(load: Load, tmp_path: Path) -> None:
    for name, content in {"cut": TINY.read_bytes()[:-100], "text": b"x" * 100}.items():
        path = tmp_path / f"{name}.gguf"
        path.write_bytes(content)
        with pytest.raises(ModelBroken, match=r"cut off|no GGUF"):
            load(path=str(path))
    with pytest.raises(ModelBroken, match="does not exist"):
        load(path=str(tmp_path / "missing.gguf"))
    with pytest.raises(ModelBroken, match="options of tiny"):
        load(options={"nonsense": 1})


def test_a_model_that_llama_cpp_does_not_know_is_broken(load: Load, tmp_path: Path) -> None:
    path = tmp_path / "other.gguf"
    path.write_bytes(TINY.read_bytes().replace(b"llama", b"lhama"))
    with pytest.raises(ModelBroken, match="cannot load it"):
        load(path=str(path))


def test_closed_it_is_not_there(load: Load) -> None:
    backend = load()
    asked(backend)
    backend.close()
    with pytest.raises(ModelUnavailable, match="closed"):
        asked(backend)
    backend.close()


def test_it_can_what_it_says(backend: Backend) -> None:
    can = backend.capabilities
    assert can.schema and can.quoted and can.confidence and can.prefix and can.slots == 1
    assert backend.digest == ggufs.examine(TINY).digest()


def test_little_is_said_on_standard_error(load: Load, capfd: pytest.CaptureFixture[str]) -> None:
    backend = load()
    asked(backend)
    backend.close()
    said = capfd.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) < 10, said.err
