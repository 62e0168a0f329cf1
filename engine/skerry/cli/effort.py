"""What answers of models took, in words: tokens, time, money, energy, as far as the workers say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from skerry.cli import words
from skerry.client.ended import RunEvent
from skerry.core.budget import Spent, spent_by
from skerry.core.events import AnswerJudged

Model: TypeAlias = Mapping[str, str | int | float]
"""The `model` of an `answer.judged`."""


def of_answer(judged: AnswerJudged) -> str:
    """Of one answer, with the model's name; empty for what a function answered."""
    model = judged.model
    if not _of_model(judged):
        return ""
    return ", ".join((str(model["model"]), *_parts(spent_by(model), str(model.get("currency", "")))))


def of_run(events: Iterable[RunEvent]) -> str:
    """Of all answers of models in a run, those that did not hold included; empty when there are none."""
    answers, spent, currency = 0, Spent(), ""
    for each in events:
        if isinstance(each.event, AnswerJudged) and _of_model(each.event):
            answers += 1
            spent = spent.plus(spent_by(each.event.model))
            currency = str(each.event.model.get("currency", "")) or currency
    return ", ".join((words.plural(answers, "answer") + " of models", *_parts(spent, currency))) if answers else ""


def _of_model(judged: AnswerJudged) -> bool:
    return judged.size != "rules" and bool(judged.model.get("model"))


def _parts(spent: Spent, currency: str) -> Iterable[str]:
    if spent.tokens:
        yield words.plural(int(spent.tokens), "token")
    if spent.seconds:
        yield words.duration(spent.seconds)
    if spent.money:
        yield f"{money(spent.money)} {currency}".rstrip()
    if spent.energy_j:
        yield f"{spent.energy_j:.3g} J" if spent.energy_j < 1000 else f"{spent.energy_j / 1000:,.1f} kJ"


def money(amount: float) -> str:
    """An amount; small ones to a millionth: what a token costs is less than any coin."""
    return f"{amount:,.2f}" if amount >= 1 else f"{amount:.6f}".rstrip("0").rstrip(".")
