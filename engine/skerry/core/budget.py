"""What the attempts of an `ask` may use together, and what they have used."""

from __future__ import annotations

from collections.abc import Mapping

from skerry.core.structs import Frozen
from skerry.errors import DefinitionError


class Budget(Frozen, omit_defaults=True):
    """What all attempts of one `ask` together may use; None: as much as they need.

    `seconds` are those of models at work, not of waiting (that is what a deadline is for). `tokens` are those read
    and written. `money` is in whatever currency the node's prices are in, `energy_j` in joules. What a model does not
    say, it has not used: the budget bounds only what is known.

    A size is passed over when nothing is left, or less than what its answers lately took on average. An attempt is
    not stopped in the middle for its tokens, so that the last one may use more than was left; `seconds` do stop it.
    The size `rules` costs nothing but seconds.

    Raises `DefinitionError` when one of them is negative or no number.
    """

    seconds: float | None = None
    tokens: int | None = None
    money: float | None = None
    energy_j: float | None = None

    def __post_init__(self) -> None:
        """Refuses what could never be kept to."""
        for name in _NAMES:
            limit: float | None = getattr(self, name)
            if limit is not None and not limit >= 0:
                raise DefinitionError(f"a budget of {limit} {_NAMES[name]}", hint="give 0 or more, or leave it out")


class Spent(Frozen, omit_defaults=True):
    """What attempts have used, as far as their workers said."""

    seconds: float = 0.0
    tokens: float = 0
    money: float = 0.0
    energy_j: float = 0.0

    def plus(self, more: Spent) -> Spent:
        """Both together."""
        return Spent(**{name: getattr(self, name) + getattr(more, name) for name in _NAMES})


_NAMES = {"seconds": "seconds", "tokens": "tokens", "money": "money", "energy_j": "joules"}


def spent_by(model: Mapping[str, str | int | float]) -> Spent:
    """What an attempt used, from what its result says of the model."""

    def said(name: str) -> float:
        value = model.get(name, 0)
        return max(0.0, value) if isinstance(value, int | float) else 0.0

    return Spent(
        seconds=said("seconds"),
        tokens=said("tokens_in") + said("tokens_out"),
        money=said("cost"),
        energy_j=said("energy_j"),
    )


def unpayable(budget: Budget | None, spent: Spent, next: Spent, *, rules: bool) -> str:
    """Why an attempt that would use about `next` cannot be paid; empty when it can."""
    if budget is None:
        return ""
    for name, unit in _NAMES.items():
        limit: float | None = getattr(budget, name)
        if limit is None or (rules and name != "seconds"):
            continue
        used: float = getattr(spent, name)
        about: float = getattr(next, name)
        if used >= limit:
            return f"the budget of {limit:g} {unit} is used up"
        if about > limit - used:
            return f"it takes about {about:.3g} {unit}, and {limit - used:.3g} of {limit:g} are left"
    return ""
