"""What training reads: documents with their answers, and at first plain exercises in copying; cut into batches.

Copying is a skill of its own, and most of an answer to a document is not copied: the exercises are there so that fresh
weights do not unlearn what they bring along (see `training.copying`) before they know what it is good for.
"""

# pyright: reportMissingImports=false
# (the extra `training` need not be installed where this is checked)

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import torch
from tokenizers import Tokenizer
from torch import Tensor

from training.documents import make, names, values
from training.documents.words import LANGUAGES, readings
from training.task import write
from training.tokenizer import ASSISTANT, BOS, END, PAD, SYSTEM, USER, encode, prompt

IGNORED = -100
"""The label of a token on which there is no loss."""

_ROUND = 64  # lengths are rounded up to this, so that there are few different ones
_POOL = 6  # batches that are drawn together and sorted by length


@dataclass(frozen=True)
class Sample:
    """Tokens up to the answer, and the answer with its end sign."""

    prompt: list[int]
    answer: list[int]

    @property
    def length(self) -> int:
        return len(self.prompt) + len(self.answer)


def document(tokenizer: Tokenizer, seed: str) -> Sample:
    """A document of the training set."""
    made = make(seed)
    return Sample(prompt(tokenizer, made.kind, made.text), [*encode(tokenizer, write(made.answer)), END])


def _piece(r: Random) -> str:
    language = r.choice(LANGUAGES)
    date = values.write_date(values.day(r), values.date_style(r, language), language)
    return r.choice(
        (names.company(r, language), names.person(r), values.number(r, 2020), date, str(r.randrange(100_000)))
    )


def repeat(tokenizer: Tokenizer, r: Random) -> Sample:
    """Text to be said again, word for word."""
    text = encode(tokenizer, " ".join(_piece(r) for _ in range(r.randint(2, 8))))
    return Sample([BOS, SYSTEM, *encode(tokenizer, "Repeat."), USER, *text, ASSISTANT], [*text, END])


def recall(tokenizer: Tokenizer, r: Random) -> Sample:
    """Labels with values; some of the values are asked for by their labels, in another order."""
    language = r.choice(LANGUAGES)
    words = r.sample(("number", "date", "due", "total", "po", "seller", "buyer", "customer", "net"), r.randint(2, 7))
    pairs = {r.choice(readings(language, word)[0]): _piece(r) for word in words}
    between = r.choice((": ", " ", "\n", " - ", "   "))
    text = r.choice(("\n", "\n", " | ", "   ")).join(f"{label}{between}{value}" for label, value in pairs.items())
    asked = r.sample(sorted(pairs), r.randint(1, len(pairs)))
    question = encode(tokenizer, f"{text}\n\n{'; '.join(asked)}")
    answer = encode(tokenizer, "; ".join(f'"{pairs[each]}"' for each in asked))
    return Sample([BOS, SYSTEM, *encode(tokenizer, "Recall."), USER, *question, ASSISTANT], [*answer, END])


@dataclass
class Stream:
    """An endless stream of batches. `position` says how many samples it has drawn: to go on, that is all one needs."""

    tokenizer: Tokenizer
    tokens: int
    position: int = 0

    def _one(self, progress: float) -> Sample:
        self.position += 1
        r = Random(f"sample {self.position}")
        exercises = max(0.03, 0.25 - 1.5 * progress)
        if r.random() < exercises:
            return r.choice((repeat, recall))(self.tokenizer, r)
        longest = 250 + 5_000 * progress
        made = document(self.tokenizer, f"train {self.position}")
        for again in range(3):
            if made.length <= longest:
                break
            made = document(self.tokenizer, f"train {self.position} {again}")
        return made

    def batches(self, progress: float) -> Iterator[tuple[Tensor, Tensor]]:
        """Some batches of about as many tokens each, in random order; `progress` goes from 0 to 1 over the training."""
        drawn: list[Sample] = []
        while sum(each.length for each in drawn) < _POOL * self.tokens:
            drawn.append(self._one(progress))
        drawn.sort(key=lambda each: each.length)
        groups: list[list[Sample]] = [[]]
        for each in drawn:
            if groups[-1] and _rounded(each.length) * (len(groups[-1]) + 1) > self.tokens:
                groups.append([])
            groups[-1].append(each)
        Random(self.position).shuffle(groups)
        return map(_tensors, groups)


def _rounded(length: int) -> int:
    return -(-length // _ROUND) * _ROUND


def _tensors(samples: list[Sample]) -> tuple[Tensor, Tensor]:
    """Token rows, padded, and for each token the one that should follow, where it belongs to an answer."""
    length = _rounded(max(each.length for each in samples))
    tokens = torch.full((len(samples), length), PAD)
    labels = torch.full((len(samples), length), IGNORED)
    for i, each in enumerate(samples):
        tokens[i, : each.length] = torch.tensor(each.prompt + each.answer)
        labels[i, len(each.prompt) - 1 : each.length - 1] = torch.tensor(each.answer)
    return tokens, labels
