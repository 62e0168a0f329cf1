"""What a verifier says about an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from skerry.core.structs import Frozen


class Objection(Frozen, omit_defaults=True):
    """One reason why an answer does not hold.

    `rule` is a short stable name for programs ("grounded", "totals"), `message` one sentence for people,
    `fields` the names of the answer's fields that it is about (empty: all of them).
    """

    rule: str
    message: str
    fields: tuple[str, ...] = ()


class FieldNote(Frozen, omit_defaults=True):
    """What is known of one field of an answer.

    `confidence` is the smallest probability of a token of its value, before any mask (-1: the model does not say).
    `start` and `end` are the place that it was quoted from, in characters of the text that the model was shown
    (-1: none).
    """

    confidence: float = -1.0
    start: int = -1
    end: int = -1


Verifier: TypeAlias = Callable[[Any, Any], Iterable[Objection]]
"""A pure function from (answer, what it is about) to objections; none means that the answer holds."""
