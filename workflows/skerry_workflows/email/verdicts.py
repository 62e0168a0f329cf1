"""What is said of a message that may be unwanted.

Apart from `spam`, which looks for it: the engine needs no more than this, and does not compile what `spam` looks with.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Verdict: TypeAlias = Literal["spam", "ham", "unsure"]

SURE_SPAM, SURE_HAM = 0.985, 0.3
"""From and up to which probability nobody is asked. Losing a good message costs more than reading a bad one."""


class Sign(msgspec.Struct, frozen=True):
    """One reason for or against: `weight` in log-odds (above 0: unwanted), `said` for people."""

    name: str
    weight: float
    said: str


def verdict_of(probability: float) -> Verdict:
    """What a probability of being unwanted means: whether somebody is asked."""
    return "spam" if probability >= SURE_SPAM else "ham" if probability <= SURE_HAM else "unsure"
