"""Training learns, writes checkpoints that another run goes on from, and its model can be exported and answers."""

# pyright: reportMissingImports=false
# (the extra `training` need not be installed where this is checked)

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra `training`")
pytest.importorskip("tokenizers", reason="needs the extra `training`")

import torch

from training import copying, model, tokenizer, train
from training.documents import make
from training.samples import IGNORED, Stream

SMALL = model.Shape(hidden=128, layers=2, heads=4, inner=96, vocabulary=512)


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with a tokenizer that was trained quickly, and no model."""
    folder = tmp_path_factory.mktemp("words")
    tokenizer.save(tokenizer.train(vocabulary=SMALL.vocabulary, samples=600), folder)
    return folder


def begin(folder: Path, words: Path) -> train.Training:
    """A training in this folder, resumed if there is something to resume."""
    tokenizer.save(tokenizer.load(words), folder / "model")
    return train.start(train.Options(1.0, 1, folder, batch_tokens=1_024, scored=2, shape=SMALL))


def steps(training: train.Training, count: int) -> None:
    """So many steps."""
    for tokens, labels in training.stream.batches(0.0):
        if count == 0:
            return
        count -= 1
        training.learn(tokens, labels)


def same(one: model.Weights, other: model.Weights) -> bool:
    """Whether two sets of weights are the same, to the bit."""
    return all(torch.equal(one[name], other[name]) for name in one)


def test_fresh_weights_can_copy() -> None:
    shape = model.Shape(layers=2)
    weights = model.new(shape)
    copying.prepare(weights, shape)
    dice = torch.Generator().manual_seed(4)
    text = torch.randperm(1_000, generator=dice)[:40] + len(tokenizer.SPECIAL)
    states = model.hidden(weights, shape, torch.cat((text, text)).unsqueeze(0), model.rotations(shape))
    said = model.logits(weights, states[0, 40:-1]).argmax(-1)
    assert (said == text[1:]).float().mean() > 0.7


def test_steps_change_every_weight(tmp_path: Path, words: Path) -> None:
    training = begin(tmp_path, words)
    fresh = {name: weight.detach().clone() for name, weight in training.weights.items()}
    steps(training, 2)
    assert training.step == 2
    assert all(not torch.equal(fresh[name], weight.detach()) for name, weight in training.weights.items())


def test_a_training_goes_on_from_its_checkpoint(tmp_path: Path, words: Path) -> None:
    first = begin(tmp_path, words)
    steps(first, 2)
    first.checkpoint()
    second = begin(tmp_path, words)
    assert (second.step, second.tokens, second.stream.position) == (2, first.tokens, first.stream.position)
    steps(first, 1)
    steps(second, 1)
    assert same(first.weights, second.weights)


def test_a_checkpoint_that_was_cut_short_is_not_taken(tmp_path: Path, words: Path) -> None:
    training = begin(tmp_path, words)
    steps(training, 1)
    training.checkpoint()
    (tmp_path / "checkpoint.part").write_bytes(b"half a chec")
    assert begin(tmp_path, words).step == 1


def test_the_rate_rises_stays_and_falls() -> None:
    assert train.rate(0, 0.0) < train.rate(50, 0.0) < train.rate(200, 0.1) == train.rate(300, 0.3)
    assert train.rate(300, 0.3) > train.rate(900, 0.7) > train.rate(1200, 1.0) > 0


def test_only_answers_are_learnt_and_a_stream_can_be_taken_up_again(words: Path) -> None:
    stream = Stream(tokenizer.load(words), 1_024)
    batches = list(stream.batches(1.0))
    for tokens, labels in batches:
        assert tokens.shape == labels.shape
        wanted = labels != IGNORED
        assert torch.equal(labels[:, :-1][wanted[:, :-1]], tokens[:, 1:][wanted[:, :-1]])
        assert (labels == tokenizer.END).sum() == len(tokens)
    again = Stream(tokenizer.load(words), 1_024)
    assert all(torch.equal(a, b) for (a, _), (b, _) in zip(batches, again.batches(1.0), strict=True))


def test_a_cache_changes_nothing(words: Path) -> None:
    weights = model.new(SMALL, seed=3)
    document = make(7)
    prompt = tokenizer.prompt(tokenizer.load(words), document.kind, document.text)
    answer = model.greedy(weights, SMALL, prompt, tokens_max=5)
    turns = model.rotations(SMALL)
    for i, token in enumerate(answer):
        states = model.hidden(weights, SMALL, torch.tensor([prompt + answer[:i]]), turns)
        assert int(model.logits(weights, states[0, -1]).argmax()) == token


def test_a_model_folder_can_be_read_again(tmp_path: Path) -> None:
    weights = model.new(SMALL, seed=1)
    model.save(weights, SMALL, tmp_path)
    found, shape = model.load(tmp_path)
    assert shape == SMALL
    assert same(weights, found)
    assert json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))["architectures"] == ["LlamaForCausalLM"]
