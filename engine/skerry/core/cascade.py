"""The cascade: which size is asked next and which are passed over, and what an answer is worth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from skerry.core.answers import FieldNote, Objection
from skerry.core.asking import fields_of
from skerry.core.budget import Spent, unpayable
from skerry.core.codec import encode_json
from skerry.core.commands import Ask
from skerry.core.events import SizePassed
from skerry.core.failures import readable
from skerry.core.fleet import Fleet
from skerry.core.thresholds import NEVER, field_of
from skerry.core.wire import Size
from skerry.errors import DataError

CLOUD: Size = "cloud"
"""The size beyond the node: it may be out of reach, and data that stays local never goes there."""
UNREACHED = frozenset(("ModelUnavailable", "Unavailable"))
"""Failures of the size `cloud` that say that it could not be reached; any other one counts as an answer."""


def ladder(ask: Ask, available: Sequence[Size]) -> list[Size]:
    """The sizes that may be asked, in order: those of the `ask` that this node has (and `rules` only with rules)."""
    usable: Iterator[Size] = (s for s in ask.sizes if s in available and (s != "rules" or ask.prompt.rules is not None))
    return list(dict.fromkeys(usable))


class Climb(NamedTuple):
    """The size to ask (None: a person), and what is to be told of those before it."""

    size: Size | None
    passed: list[SizePassed]


def climb(ask: Ask, fleet: Fleet, step: str, *, after: str = "", spent: Spent, left_s: float) -> Climb:
    """The next size that can be asked now. `left_s` is the time to the deadline; `after` is where it stands now."""
    rungs = ladder(ask, fleet.sizes)
    passed: list[SizePassed] = []
    for size in rungs[rungs.index(after) + 1 if after in rungs else 0 :]:
        why, told = _against(ask, fleet, size, spent, fleet.wait_s(size), left_s)
        if not why and size == CLOUD and not fleet.reachable(size):
            passed.append(unreached(ask, step, "it cannot be reached"))
            if ask.offline == "wait":
                return Climb(size, passed)
            if ask.offline == "review":
                return Climb(None, passed)
        elif why:
            passed.append(SizePassed(step=step, size=size, why=why, message=told))
        else:
            return Climb(size, passed)
    return Climb(None, passed)


def unreached(ask: Ask, step: str, told: str) -> SizePassed:
    """That the size `cloud` cannot be asked now, and what the `ask` wants to be done then."""
    return SizePassed(step=step, size=CLOUD, why="offline", choice=ask.offline, message=told)


def too_late(ask: Ask, fleet: Fleet, step: str, *, spent: Spent, left_s: float) -> SizePassed | None:
    """Why the size `cloud`, which was chosen before, is not to be asked any more; None when it is."""
    why, told = _against(ask, fleet, CLOUD, spent, fleet.expected(CLOUD).seconds, left_s)
    return SizePassed(step=step, size=CLOUD, why=why, message=told) if why else None


def _against(ask: Ask, fleet: Fleet, size: Size, spent: Spent, wait_s: float, left_s: float) -> tuple[str, str]:
    """Why a size is passed over, for programs and for people; empty when it is not."""
    if ask.local_only and size == CLOUD:
        return "local_only", "what this is about stays on this node"
    if told := unpayable(ask.budget, spent, fleet.expected(size), rules=size == "rules"):
        return "budget", told
    if wait_s > left_s:
        return "queue", f"an answer would take about {wait_s:.3g} s, and {max(0.0, left_s):.3g} s are left"
    return "", ""


def judge(ask: Ask, answer: Raw, *, model: bool = False) -> list[Objection]:
    """All objections to an answer: it must fit its type and hold against every verifier. `model`: one had a part in it.

    A verifier that raises objects: an answer that could not be checked is not accepted.
    """
    try:
        value = ask.answer.decode(answer)
    except DataError as error:
        return [Objection(rule="schema", message=readable(str(error)))]
    objections: list[Objection] = []
    for verifier in (*ask.verify, *ask.verify_models) if model else ask.verify:
        objections.extend(_object(verifier, value, ask.about))
    return objections


def _object(verifier: Any, value: Any, about: Any) -> Iterable[Objection]:
    name = getattr(verifier, "__name__", type(verifier).__name__)
    try:
        # Crossed as it will be when it is read from the journal: one that could not be read would lose the run.
        return [msgspec.json.decode(encode_json(each), type=Objection) for each in verifier(value, about)]
    except Exception as error:
        return [Objection(rule=name, message=readable(f"the verifier {name} failed: {type(error).__name__}: {error}"))]


def doubts(
    ask: Ask, fleet: Fleet, model: Mapping[str, str | int | float], notes: Mapping[str, FieldNote], asked: Sequence[str]
) -> list[Objection]:
    """Objections to the fields of which the model itself is not sure enough; `asked` as in `AnswerJudged`.

    A field without a confidence is not doubted: rules have none, and some endpoints say none.
    """
    known = fields_of(ask.answer.type)
    digest = str(model.get("digest", ""))
    found: list[Objection] = []
    for name, sure in confidences(notes).items():
        if (known and name not in known) or (asked and name not in asked):
            continue
        least = fleet.thresholds.of(ask.prompt.name, name, digest)
        if sure < least:
            below = "and no confidence is enough for this field" if least >= NEVER else f"below {least:.2f}"
            message = f"{name or 'the answer'}: the model's confidence is {sure:.2f}, {below}"
            found.append(Objection(rule="confidence", message=readable(message), fields=(name,) if known else ()))
    return found


def confidences(notes: Mapping[str, FieldNote]) -> dict[str, float]:
    """The confidence of each field: the smallest of all that is in it. Fields without one are left out."""
    found: dict[str, float] = {}
    for path, note in notes.items():
        if note.confidence >= 0:
            name = field_of(path)
            found[name] = min(note.confidence, found.get(name, 1.0))  # nobody is surer than sure
    return found
