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


Verifier: TypeAlias = Callable[[Any, Any], Iterable[Objection]]
"""A pure function from (answer, what it is about) to objections; none means that the answer holds."""
