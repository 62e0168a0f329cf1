"""The training: on documents made up as it goes, on the CPU, for as many minutes as it is given.

    python -m training.train --minutes 60 --threads 2 [--folder .training] [--fresh]

Started again it goes on where the last checkpoint was; a checkpoint is written aside and then renamed, so that one can
kill it at any time. The first run makes the tokenizer. Every few minutes it notes in `log.jsonl` how many fields of new
documents it gets right, on known layouts and on held-out ones.
"""

# pyright: reportMissingImports=false
# (the extra `training` need not be installed where this is checked)

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import torch
from tokenizers import Tokenizer
from torch.nn import functional

from training import copying, model, tokenizer
from training.documents import Set
from training.pace import Pace
from training.samples import IGNORED, Stream
from training.scores import Scores, answered, documents

_BATCH_TOKENS = 4_096
_RATE = 2e-3
_WARM_UP_STEPS = 80
_STEADY = 0.4
"""For this part of the time the rate stays, then it falls in a line."""
_RATE_LAST = 0.02
_DECIDING = 4.0
_CHECKPOINT_S = 120.0
_SCORE_S = 420.0
_SCORED = 30


class Options(msgspec.Struct, frozen=True):
    """What the command line says."""

    minutes: float
    threads: int
    folder: Path
    fresh: bool = False
    batch_tokens: int = _BATCH_TOKENS
    scored: int = _SCORED
    shape: model.Shape = model.Shape()


def rate(step: int, progress: float) -> float:
    """The learning rate: a short rise, a plateau, a line down."""
    falling = 1.0 if progress < _STEADY else max(_RATE_LAST, (1 - progress) / (1 - _STEADY))
    return _RATE * min(1.0, (step + 1) / _WARM_UP_STEPS) * falling


def _optimizers(weights: model.Weights) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside; AdamW for embeddings, head and norms, for which Muon is not made."""
    inside = [each for name, each in weights.items() if each.ndim == 2 and ".layers." in name]
    rest = [each for name, each in weights.items() if each.ndim == 1 or ".layers." not in name]
    return [
        torch.optim.Muon(inside, lr=_RATE, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=_RATE, betas=(0.9, 0.98), weight_decay=0.0),
    ]


@dataclass
class Training:
    """A training under way."""

    options: Options
    tokenizer: Tokenizer
    weights: model.Weights
    stream: Stream
    step: int = 0
    tokens: int = 0
    spent_s: float = 0.0
    loss: float = 0.0
    optimizers: list[torch.optim.Optimizer] = field(init=False)
    turns: tuple[torch.Tensor, torch.Tensor] = field(init=False)

    def __post_init__(self) -> None:
        for each in self.weights.values():
            each.requires_grad_()
        self.optimizers = _optimizers(self.weights)
        self.turns = model.rotations(self.options.shape)
        self.colon, self.quote = tokenizer.encode(self.tokenizer, ':"')

    @property
    def progress(self) -> float:
        return min(1.0, self.spent_s / (self.options.minutes * 60))

    def learn(self, tokens: torch.Tensor, labels: torch.Tensor) -> None:
        """One step."""
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate(self.step, self.progress)
        wanted = labels != IGNORED
        with torch.autocast("cpu", torch.bfloat16):
            states = model.hidden(self.weights, self.options.shape, tokens, self.turns)
            expected = model.logits(self.weights, states[wanted])
        losses = functional.cross_entropy(expected.float(), labels[wanted], reduction="none")
        weights = self._weights(tokens)[wanted]
        loss = (losses * weights).sum() / weights.sum()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.weights.values(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.loss = float(loss.detach()) if self.step == 0 else 0.95 * self.loss + 0.05 * float(loss.detach())
        self.step += 1
        self.tokens += tokens.numel()

    def _weights(self, tokens: torch.Tensor) -> torch.Tensor:
        """How much each token's successor counts: a value's first one more, since it decides, and the rest follows.

        Otherwise a kind of mail, or a currency, is one token among a hundred that are nearly certain.
        """
        before = tokens.roll(1, dims=1)
        decides = (tokens == self.colon) | ((tokens == self.quote) & (before == self.colon))
        return torch.where(decides, _DECIDING, 1.0)

    def checkpoint(self) -> None:
        """Everything that a later run needs to go on, in place of the last one."""
        path = self.options.folder / "checkpoint.pt"
        partial = path.with_suffix(".part")
        state = {
            "weights": {name: each.detach() for name, each in self.weights.items()},
            "optimizers": [each.state_dict() for each in self.optimizers],
            "counts": (self.step, self.tokens, self.spent_s, self.loss, self.stream.position),
        }
        with partial.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)

    def resume(self) -> bool:
        """Goes on from the last checkpoint, if there is one."""
        path = self.options.folder / "checkpoint.pt"
        if self.options.fresh or not path.exists():
            return False
        state: dict[str, Any] = torch.load(path, weights_only=True)
        with torch.no_grad():
            for name, each in self.weights.items():
                each.copy_(state["weights"][name])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.step, self.tokens, self.spent_s, self.loss, self.stream.position = state["counts"]
        return True

    def score(self, of: Set) -> Scores:
        """How many fields it gets right now, answering freely."""
        scores = Scores()
        weights = {name: each.detach() for name, each in self.weights.items()}
        for made in documents(of, self.options.scored):
            prompt = tokenizer.prompt(self.tokenizer, made.kind, made.text)
            tokens = model.greedy(weights, self.options.shape, prompt)
            scores.add(made, answered(made.kind, self.tokenizer.decode(tokens)))
        return scores

    def note(self, **more: Any) -> None:
        """A line of the log."""
        line = {
            "step": self.step,
            "minutes": round(self.spent_s / 60, 2),
            "loss": round(self.loss, 4),
            "samples": self.stream.position,
            "tokens": self.tokens,
            **more,
        }
        with (self.options.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def start(options: Options) -> Training:
    """A training: resumed, or fresh with its tokenizer."""
    torch.set_num_threads(options.threads)
    folder = options.folder / "model"
    if options.fresh or not (folder / "tokenizer.json").exists():
        tokenizer.save(tokenizer.train(vocabulary=options.shape.vocabulary), folder)
    words = tokenizer.load(folder)
    weights = model.new(options.shape)
    copying.prepare(weights, options.shape)
    training = Training(options, words, weights, Stream(words, options.batch_tokens))
    if training.resume():
        training.note(resumed=True)
    return training


def run(training: Training) -> None:
    """Trains until the time is spent, then writes the model's folder."""
    saved = scored = noted = last = time.perf_counter()
    pace = Pace(training.options.threads)
    while training.progress < 1:
        for tokens, labels in training.stream.batches(training.progress):
            threads = pace.threads()
            torch.set_num_threads(threads)
            training.learn(tokens, labels)
            now = time.perf_counter()
            pace.ran(threads, tokens.numel(), now - last)
            training.spent_s += now - last
            last = now
            if now - noted > 15:
                noted = now
                training.note(threads=threads)
            if training.progress >= 1:
                break
        # Between two draws, so that the stream's position says exactly what has been learnt from.
        if last - saved > _CHECKPOINT_S:
            training.checkpoint()
            model.save(training.weights, training.options.shape, training.options.folder / "model")
            saved = last
        if last - scored > _SCORE_S:
            training.note(known=training.score("known").rates(), layouts=training.score("layouts").rates())
            scored = last = time.perf_counter()  # scoring is no training
    training.checkpoint()
    model.save(training.weights, training.options.shape, training.options.folder / "model")
    training.note(known=training.score("known").rates(), layouts=training.score("layouts").rates(), done=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Trains the shipped model.")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument(
        "--threads", type=int, default=os.cpu_count() or 1, help="at most; fewer where fewer are faster"
    )
    parser.add_argument("--folder", type=Path, default=Path(".training"))
    parser.add_argument("--fresh", action="store_true", help="forget the last checkpoint and tokenizer")
    asked = parser.parse_args()
    run(start(Options(asked.minutes, asked.threads, asked.folder, asked.fresh)))


if __name__ == "__main__":
    main()
