"""Looking again at what was accepted without a person: a share of it, chosen by lot, is shown to one after the fact.

Answers that were doubted get an outcome because somebody looked; what was accepted at once has none, so thresholds
would rest on the doubted alone, and nobody would know how often an accepted answer is wrong. Both take a sample that
nobody chose: an answer is in it by the hash of its place, so everybody finds the same one at any time, whatever was
answered, and a bigger share has the smaller one in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import msgspec
from msgspec import Raw

from skerry.core import events as ev
from skerry.core.calibration import upper_limit
from skerry.core.codec import encode_json
from skerry.core.outcomes import same
from skerry.core.recall import Placed, effective
from skerry.core.structs import NOTHING, Frozen
from skerry.errors import Conflict, DataError


class Accepted(Frozen):
    """An answer that was taken without a person, of a size (and a model, unless a function gave it), and its audit."""

    run: str
    step: str
    prompt: str
    size: str
    model: str
    value: Raw
    audit: ev.AnswerAudited | None = None


class Risk(Frozen):
    """What the sample says of a prompt's answers of a size: of `accepted` ones `sampled` are in it.

    Of these `audited` were looked at, and `wrong` had a field that was not right. The share of wrong ones among all
    that were accepted is at most `bound`, by Clopper and Pearson.
    """

    prompt: str
    size: str
    accepted: int
    sampled: int
    audited: int
    wrong: int
    bound: float


def sampled(run: str, step: str, share: float) -> bool:
    """Whether an answer is in the sample of so big a share."""
    lot = hashlib.blake2b(f"{run}/{step}".encode(), digest_size=8, person=b"audit").digest()
    return int.from_bytes(lot) < share * 2**64


def accepted(run: str, events: Sequence[Placed]) -> list[Accepted]:
    """The answers in a run's events, values in place, that were taken without a person."""
    asks: set[str] = set()
    taken: dict[str, ev.AnswerJudged] = {}
    found: dict[str, Accepted] = {}
    for _, _, event in effective(events)[0]:
        if isinstance(event, ev.StepScheduled) and event.kind == "ask":
            asks.add(event.step)
        elif isinstance(event, ev.AnswerJudged) and event.choice == "accept":
            taken[event.step] = event
        elif isinstance(event, ev.StepCompleted) and event.step in taken and event.step in asks:
            judged = taken.pop(event.step)
            found[event.step] = Accepted(
                run=run,
                step=event.step,
                prompt=event.target,
                size=judged.size,
                model=str(judged.model.get("digest", "")),
                value=event.value,
            )
        elif isinstance(event, ev.AnswerAudited) and event.step in found:
            found[event.step] = msgspec.structs.replace(found[event.step], audit=event)
    return list(found.values())


def audited(
    answers: Sequence[Accepted], step: str, changes: Mapping[str, Any], by: str, reason: str
) -> ev.AnswerAudited:
    """What a person says of one of a run's accepted answers; `changes` is what its fields should have been.

    Raises `Conflict` when there is none such, or several and none is named, `DataError` for a field that it has not.
    """
    which = [each for each in answers if step in ("", each.step)]
    if not which:
        raise Conflict("no answer there was taken without a person" + (f" at step {step}" if step else ""))
    if len(which) > 1:
        steps = ", ".join(each.step for each in which)
        raise Conflict(f"{len(which)} answers there were taken without a person", hint=f"name one of the steps {steps}")
    answer: Any = msgspec.json.decode(which[0].value)
    fields = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}
    unknown = [name for name in changes if name not in fields]
    if unknown:
        known = ", ".join(fields) or "none"
        raise DataError(f"the answer has no field {', '.join(unknown)}", hint=f"its fields: {known}")
    wrong = {name: value for name, value in changes.items() if not same(value, fields[name])}
    return ev.AnswerAudited(
        step=which[0].step,
        by=by,
        reason=reason,
        changed=tuple(sorted(wrong)),
        value=Raw(encode_json(wrong)) if wrong else NOTHING,
    )


def risks(answers: Iterable[Accepted], share: float, confidence: float) -> list[Risk]:
    """What the sample says, by prompt and size. Audits of answers outside of it do not count: somebody chose them."""
    groups: dict[tuple[str, str], list[Accepted]] = {}
    for each in answers:
        groups.setdefault((each.prompt, each.size), []).append(each)
    found: list[Risk] = []
    for (prompt, size), group in sorted(groups.items()):
        drawn = [each for each in group if sampled(each.run, each.step, share)]
        looked = [each.audit for each in drawn if each.audit is not None]
        wrong = sum(bool(audit.changed) for audit in looked)
        found.append(
            Risk(
                prompt=prompt,
                size=size,
                accepted=len(group),
                sampled=len(drawn),
                audited=len(looked),
                wrong=wrong,
                bound=upper_limit(wrong, len(looked), 1 - confidence),
            )
        )
    return found
