"""What became of the answers of models: which field was right, as far as a person or a bigger size has said so since.

A field has an outcome when somebody other than the model itself settled it: a person who answered the step's review
(what they left as it was, was right), a bigger size that answered this field and whose answer was accepted, or a
person who looked again at an accepted answer (`core.audit`). Else, what was accepted at once has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, cast

import msgspec

from skerry.core import events as ev
from skerry.core.cascade import confidences
from skerry.core.recall import Placed, effective
from skerry.core.structs import Frozen
from skerry.core.wire import SIZES


class FieldOutcome(Frozen):
    """One field of one answer: how sure the model was, and whether it was right; `by` "person", "size" or "audit"."""

    prompt: str
    field: str
    model: str
    confidence: float
    right: bool
    by: str


class _Asked:
    """One `ask` on its way through the events."""

    def __init__(self, prompt: str) -> None:
        self.prompt = prompt
        self.judged: list[ev.AnswerJudged] = []
        self.by_person = False


def outcomes(events: Sequence[Placed]) -> list[FieldOutcome]:
    """The outcomes in a run's events, values in place. Models without a digest, and removed values, have none."""
    asked: dict[str, _Asked] = {}
    found: list[FieldOutcome] = []
    kept = effective(events)[0]
    audits = {event.step: event for _, _, event in kept if isinstance(event, ev.AnswerAudited)}
    for _, _, event in kept:
        if isinstance(event, ev.StepScheduled) and event.kind == "ask":
            asked.setdefault(event.step, _Asked(event.target))
        elif isinstance(event, ev.AnswerJudged) and event.step in asked:
            asked[event.step].judged.append(event)
        elif isinstance(event, ev.ReviewAnswered) and event.step in asked:
            asked[event.step].by_person = event.approved
        elif isinstance(event, ev.StepCompleted) and event.step in asked:
            found.extend(_settled(asked.pop(event.step), event, audits.get(event.step)))
    return found


def _settled(asked: _Asked, completed: ev.StepCompleted, audit: ev.AnswerAudited | None) -> Iterator[FieldOutcome]:
    final = _read(completed.value)
    if audit is not None and audit.changed:
        final = {**final, **_read(audit.value)}
    by = "audit" if audit is not None else "person" if asked.by_person else "size"
    for place, judged in enumerate(asked.judged):
        digest = str(judged.model.get("digest", ""))
        value = completed.value if judged.choice == "accept" else judged.value
        if not digest or not bytes(value):
            continue
        answer = _read(value)
        later = [] if by != "size" else [each for each in asked.judged[place + 1 :] if _bigger(each, judged)]
        for field, confidence in confidences(judged.fields).items():
            if judged.asked and field not in judged.asked:
                continue  # it said something about a field that is not its own
            if by != "size" or any(_answers(each, field) for each in later):
                yield FieldOutcome(
                    prompt=asked.prompt,
                    field=field,
                    model=digest,
                    confidence=confidence,
                    right=same(_part(answer, field), _part(final, field)),
                    by=by,
                )


def _bigger(one: ev.AnswerJudged, other: ev.AnswerJudged) -> bool:
    order: tuple[str, ...] = SIZES
    return order.index(one.size) > order.index(other.size)


def _answers(judged: ev.AnswerJudged, field: str) -> bool:
    """Whether an accepted answer, or one that was gone on from, has this field from its own size."""
    came = judged.choice == "accept" or bytes(judged.value) != b""
    return came and (not judged.asked or field in judged.asked)


def _read(value: bytes | msgspec.Raw) -> Any:
    return msgspec.json.decode(value)


def _part(answer: Any, field: str) -> Any:
    if not field:
        return answer
    return cast("dict[str, Any]", answer).get(field) if isinstance(answer, dict) else None


def same(one: Any, other: Any) -> bool:
    """Whether two values of a field say the same: 1.50 is 1.5, and a field that is left out is null."""
    if one == other:
        return True
    left, right = _number(one), _number(other)
    return left is not None and left == right


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def by_field(found: Iterable[FieldOutcome]) -> dict[tuple[str, str, str], list[FieldOutcome]]:
    """The outcomes of each (prompt, field, model), in the order of their names."""
    groups: dict[tuple[str, str, str], list[FieldOutcome]] = {}
    for each in found:
        groups.setdefault((each.prompt, each.field, each.model), []).append(each)
    return dict(sorted(groups.items()))
