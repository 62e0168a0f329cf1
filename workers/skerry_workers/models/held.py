"""What both backends of llama.cpp make of the text that a model has written under a grammar."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from skerry_workers.models import confidence
from skerry_workers.models.confidence import Token
from skerry_workers.models.port import Answer, ModelError, Question, Usage


class NotHeld(ModelError):
    """The grammar was not held."""

    def __init__(self, text: str) -> None:
        super().__init__(f"llama.cpp did not hold the grammar, the answer is no JSON: {text[:80]!r}")


def answer(question: Question, text: str, tokens: Sequence[Token], usage: Usage, *, ended: bool) -> Answer:
    """The answer, with notes on its fields; what has not `ended` was cut off. Raises `NotHeld`."""
    value = text.encode(errors="replace")
    if not ended:
        return Answer(value=Raw(value), usage=usage, finish="length")
    try:
        msgspec.json.decode(value)
    except msgspec.DecodeError:
        raise NotHeld(text) from None
    notes = confidence.notes(question.schema, question.text, value, confidence.confidences(tokens))
    return Answer(value=Raw(value), fields=notes, usage=usage)
