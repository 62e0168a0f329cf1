"""A tiny random model, exported: both files answer as PyTorch does, and a grammar keeps them to the document."""

from __future__ import annotations

import hashlib
import itertools
import string
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra `training`")
pytest.importorskip("tokenizers", reason="needs the extra `training`")
pytest.importorskip("gguf", reason="needs the extra `training`")
pytest.importorskip("onnx_ir", reason="needs the extra `training`")
pytest.importorskip("onnxruntime_genai", reason="needs the extra `training`")

from training import export, model, tokenizer
from training.engine import Engine
from training.scores import answered, documents
from training.task import quoted

SMALL = model.Shape(hidden=128, layers=1, heads=2, inner=128, vocabulary=512)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    words = tokenizer.train(vocabulary=SMALL.vocabulary, samples=600)
    weights = model.new(SMALL, seed=2)
    # It says the alphabet: after each letter the next one. Random decisions are so close that rounding would turn them.
    letters = tokenizer.encode(words, " ".join(string.ascii_lowercase))[::2]
    for token, after in itertools.pairwise([tokenizer.ASSISTANT, *letters, tokenizer.END]):
        weights["lm_head.weight"][after] = 20 * weights["model.embed_tokens.weight"][token]
    model.save(weights, SMALL, folder)
    tokenizer.save(words, folder)
    return folder


@pytest.fixture(scope="module")
def exported(source: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float]]:
    target = tmp_path_factory.mktemp("exported")
    return target, export.export(source, target, checked=4)


@pytest.mark.slow
def test_both_files_answer_as_pytorch_does(exported: tuple[Path, dict[str, float]]) -> None:
    folder, found = exported
    assert export.ONNX in found
    assert set(found.values()) == {1.0}
    assert Engine(folder / export.ONNX).answer("mail", "Hello") == string.ascii_lowercase


@pytest.mark.slow
def test_the_sums_are_those_of_the_files(exported: tuple[Path, dict[str, float]]) -> None:
    folder, _ = exported
    listed = [line.split("  ") for line in (folder / export.SUMS).read_text(encoding="utf-8").splitlines()]
    assert f"{export.ONNX}/model.onnx.data" in [name for _, name in listed]
    for expected, name in listed:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == expected


@pytest.mark.slow
@pytest.mark.parametrize("tails", [False, True])
def test_grounded_answers_stand_in_the_document_even_of_a_random_model(
    exported: tuple[Path, dict[str, float]], tails: bool
) -> None:
    engine = Engine(exported[0] / export.ONNX)
    for document in documents("layouts", 6, salt="test"):
        answer = answered(document.kind, engine.answer(document.kind, document.text, grounded=True, tails=tails))
        assert answer is not None
        assert all(value in document.text for value in quoted(answer).values())
    assert engine.grammar_failures == 0
