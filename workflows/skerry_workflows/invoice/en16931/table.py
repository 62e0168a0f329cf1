"""What a rule is, and what its conditions are made of. All of it is pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

from skerry_workflows.invoice.en16931.terms import Terms

Condition: TypeAlias = Callable[[Terms], bool]

_CENT = Decimal("0.01")
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Rule:
    """A business rule: its id in EN 16931-1, what it asks for in words for people, and whether an invoice keeps it."""

    id: str
    words: str
    kept: Condition


def cents(amount: Decimal) -> Decimal:
    """Rounded to two decimals, half up, as the rules of the standard are published."""
    return amount.quantize(_CENT, ROUND_HALF_UP)


def total(amounts: Iterable[Decimal | None]) -> Decimal:
    """Their sum, without those that are not there."""
    return sum((amount for amount in amounts if amount is not None), ZERO)


def equal(stated: Decimal | None, computed: Decimal | None) -> bool:
    """Whether an amount is there and is what it should be, to the cent."""
    return stated is not None and computed is not None and stated == cents(computed)


def near(stated: Decimal | None, computed: Decimal, tolerance: Decimal) -> bool:
    """Whether an amount is there and differs by less than `tolerance`."""
    return stated is not None and abs(stated - computed) < tolerance
