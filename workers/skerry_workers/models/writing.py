"""One answer while it is written, token by token, for backends that hand out logits and take tokens.

The grammar's mask is applied here and not in the backend: so the probability of a token is known before the mask, the
grammar may be another one for each question although the backend keeps what it has read, and what a grammar does not
survive costs an answer its grammar and not the process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Literal

from skerry_workers.models.confidence import Token
from skerry_workers.models.port import ModelError, Question

Logits = Any
"""The logits of one position (or a row for each of several): float32 numbers of numpy, one for each token."""


class GrammarFailed(ModelError):
    """The grammar cannot be read, or has got stuck; without it an answer may still come out well."""


class Vocabulary:
    """A tokenizer as grammars need it. From the text of a `tokenizer.json`; raises `ValueError` if it is none."""

    def __init__(self, tokenizer: str, size: int, ends: Sequence[int]) -> None:
        self.size = size
        self.ends = frozenset(ends)
        self._guidance: Any = import_module("llguidance")
        self._numpy: Any = import_module("numpy")
        self._tokenizer = self._guidance.LLTokenizer(tokenizer, n_vocab=size, eos_token=list(ends))

    def matcher(self, lark: str) -> Any:
        """A fresh state of a grammar. Raises `GrammarFailed`."""
        matcher = self._guidance.LLMatcher(self._tokenizer, lark)
        if matcher.is_error():
            raise GrammarFailed(f"the grammar cannot be read: {matcher.get_error()[:300]}")
        return matcher

    def mask(self, matcher: Any, row: Logits) -> Logits:
        """The row, with minus infinity for what the grammar does not allow."""
        allowed = self._numpy.frombuffer(matcher.compute_logit_bias(), dtype=self._numpy.uint8)
        return self._numpy.where(allowed, row, -self._numpy.inf)


class Writing:
    """What is written of one answer. `lark` empty: without a grammar, until the model ends by itself."""

    def __init__(
        self, question: Question, vocabulary: Vocabulary, lark: str, tokens_max: int, decode: Callable[[int], str]
    ) -> None:
        self.finish: Literal["", "stop", "length"] = ""
        """Empty while there is more to write."""
        self.count = 0
        self._tokens: list[Token] = []
        self._question = question
        self._vocabulary = vocabulary
        self._matcher = vocabulary.matcher(lark) if lark else None
        self._tokens_max = tokens_max
        self._decode = decode
        self._numpy: Any = import_module("numpy")
        self._dice: Any = self._numpy.random.default_rng(question.seed)

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(token.text for token in self._tokens)

    @property
    def tokens(self) -> Sequence[Token]:
        """Its tokens with their probabilities."""
        return self._tokens

    def next(self, row: Logits) -> list[int]:
        """Chooses the next token, and adds those that the grammar forces after it: `told` wants the logits of these.

        Empty when the answer is done. Raises `GrammarFailed`.
        """
        token = self._choose(row)
        if token in self._vocabulary.ends:
            self.finish = "stop"
            return []
        self._put([token], row.reshape(1, -1))
        following: list[int] = []
        if self._matcher is not None:
            if not self._matcher.consume_token(token):
                raise GrammarFailed(f"the grammar got stuck: {self._matcher.get_error()[:300]}")
            if self._matcher.is_stopped():
                self.finish = "stop"
                return []
            following = list(self._matcher.compute_ff_tokens())[: self._tokens_max - self.count]
            if following and not self._matcher.consume_tokens(following):
                raise GrammarFailed(f"the grammar got stuck: {self._matcher.get_error()[:300]}")
        if self.count >= self._tokens_max:
            self.finish = "length"
            return []
        return [token, *following]

    def told(self, forced: Sequence[int], rows: Logits) -> None:
        """The logits at the positions of forced tokens, a row for each."""
        if forced:
            self._put(forced, rows)
        if self._matcher is not None and self._matcher.is_stopped():
            self.finish = "stop"
        elif self.count >= self._tokens_max:
            self.finish = "length"

    def _put(self, tokens: Sequence[int], rows: Logits) -> None:
        numpy = self._numpy
        tops = rows.max(axis=1, keepdims=True)
        totals = tops[:, 0] + numpy.log(numpy.exp(rows - tops, dtype=numpy.float64).sum(axis=1))
        logprobs: list[float] = (rows[numpy.arange(len(tokens)), tokens] - totals).tolist()
        for token, logprob in zip(tokens, logprobs, strict=True):
            self._tokens.append(Token(self._decode(token), min(0.0, logprob)))
        self.count += len(tokens)

    def _choose(self, row: Logits) -> int:
        if self._matcher is not None:
            row = self._vocabulary.mask(self._matcher, row)
        if self._question.temperature <= 0:
            return int(row.argmax())
        scaled = row.astype(self._numpy.float64) / self._question.temperature
        weights = self._numpy.exp(scaled - scaled.max())
        return int(self._dice.choice(len(weights), p=weights / weights.sum()))
