"""People and what they may do: `[people.NAME]` in skerry.toml. The engine asks here before it takes a person's word.

    [people.ada]
    roles = ["approve"]
    limit = "5000"
    currency = "EUR"
    workflows = ["invoice"]

    [people."*"]                # whoever else; without it, nobody else may do anything
    roles = ["view"]

Without any `[people]`, everybody who reaches the engine may do everything. Pure: no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeAlias, cast

from skerry.core.ids import person_of
from skerry.core.structs import Frozen
from skerry.errors import Denied

Role: TypeAlias = Literal["view", "review", "approve", "operate", "admin"]
ANYBODY = "*"
LOOKING = frozenset(("runs", "show", "status"))
_VERBS: dict[Role, frozenset[str]] = {
    "view": LOOKING,
    "review": LOOKING | {"answer", "audit"},
    "approve": LOOKING | {"answer", "audit"},
    "operate": LOOKING | {"publish", "start", "signal", "cancel", "retry"},
}
"""What each role may ask of an engine; `admin` may ask everything."""


class Person(Frozen):
    """Somebody's roles. All may look; what else:

    `review`: confirm or correct what models have read. `approve`: also say yes or no to what a workflow asks, a yes up
    to `limit` (None: any) of `currency`. `operate`: publish, start, signal, cancel, retry. `admin`: everything.
    `workflows` bounds all of it to runs of these (none: of all).
    """

    roles: tuple[Role, ...] = ("view",)
    limit: Decimal | None = None
    currency: str = ""
    workflows: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises `ValueError` for a limit that is none."""
        if self.limit is not None and not (self.limit.is_finite() and self.limit >= 0):
            raise ValueError(f"a limit is an amount from 0, not {self.limit}")

    def has(self, verb: str) -> bool:
        """Whether one of the roles allows it."""
        return "admin" in self.roles or any(verb in _VERBS.get(role, ()) for role in self.roles)


class Question(Frozen):
    """What somebody answers: of a run of `workflow`; `decision`: a yes or no, and not what a model has read.

    `worth` and `currency` say what a decision is about, where that is known.
    """

    workflow: str
    decision: bool
    approved: bool
    worth: Decimal | None = None
    currency: str = ""


class People:
    """Those of the settings. `worth` says by workflow where the amount stands on which people decide."""

    def __init__(self, people: Mapping[str, Person], worth: Mapping[str, str]) -> None:
        self._people = people
        self._worth = worth

    def check(self, verb: str, by: str, workflow: str = "") -> Person:
        """Who it is. Raises `Denied` when they may not ask that of runs of this workflow ("" for no certain one)."""
        name = person_of(by)
        person = self._people.get(name) or self._people.get(ANYBODY)
        if person is None or not name:
            raise Denied(f"{name or 'somebody without a name'} is not known here", hint="[people.NAME] in the settings")
        if not person.has(verb):
            raise Denied(f"{name} may not {verb}", hint=f"roles of {name}: {', '.join(person.roles) or 'none'}")
        if person.workflows and workflow not in person.workflows and verb != "status":
            named = ", ".join(person.workflows)
            raise Denied(f"{name} may {verb} only what belongs to {named}", hint="name one of these workflows")
        return person

    def check_answer(self, by: str, asked: Question) -> None:
        """Raises `Denied` when they may not answer that, or not so."""
        person = self.check("answer", by, asked.workflow)
        name = person_of(by)
        if not asked.decision or "admin" in person.roles:
            return
        if "approve" not in person.roles:
            raise Denied(f"{name} may not decide this", hint="somebody with the role approve may")
        if person.limit is None or not asked.approved:
            return
        if asked.worth is None:
            raise Denied(
                f"{name} approves up to {person.limit}, and it is not known what this is worth",
                hint="say where the amount stands: [worth] in the settings",
            )
        if person.currency and asked.currency != person.currency:
            raise Denied(f"{name} approves amounts in {person.currency}, and this is in {asked.currency or 'none'}")
        if abs(asked.worth) > person.limit:
            raise Denied(
                f"{name} approves up to {person.limit} {person.currency}".rstrip() + f", and this is {asked.worth}",
                hint="somebody with a higher limit may approve it",
            )

    def worth(self, workflow: str, state: Any) -> tuple[Decimal | None, str]:
        """The amount in the value of a run's state, and the `currency` beside it; None and "" where there is none."""
        path = self._worth.get(workflow, "").split(".")
        at = state
        for key in path[:-1]:
            at = _inside(at, key)
        amount = _inside(at, path[-1])
        try:
            worth = Decimal(str(amount)) if isinstance(amount, str | int | float) else None
        except InvalidOperation:
            worth = None
        currency = _inside(at, "currency")
        finite = worth is not None and worth.is_finite() and not isinstance(amount, bool)
        return worth if finite else None, currency if isinstance(currency, str) else ""


def _inside(value: Any, key: str) -> Any:
    return cast("dict[str, Any]", value).get(key) if isinstance(value, dict) else None
