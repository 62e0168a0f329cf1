"""The cascade: which size is asked first, what its answer is worth, and who is asked next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from skerry.core.answers import Objection
from skerry.core.codec import encode_json
from skerry.core.commands import Ask
from skerry.core.failures import readable
from skerry.core.wire import Size
from skerry.errors import DataError


def ladder(ask: Ask, available: Sequence[Size]) -> list[Size]:
    """The sizes that may be asked, in order: those of the `ask` that this node has (and `rules` only with rules)."""
    usable: Iterator[Size] = (s for s in ask.sizes if s in available and (s != "rules" or ask.prompt.rules is not None))
    return list(dict.fromkeys(usable))


def next_size(ask: Ask, available: Sequence[Size], size: str) -> Size | None:
    """The size after `size`; None when a person is next."""
    rungs = ladder(ask, available)
    after = rungs.index(size) + 1 if size in rungs else 0
    return rungs[after] if after < len(rungs) else None


def judge(ask: Ask, answer: Raw) -> list[Objection]:
    """All objections to an answer: it must fit its type, and hold against every verifier.

    A verifier that raises objects: an answer that could not be checked is not accepted.
    """
    try:
        value = ask.answer.decode(answer)
    except DataError as error:
        return [Objection(rule="schema", message=readable(str(error)))]
    objections: list[Objection] = []
    for verifier in ask.verify:
        objections.extend(_object(verifier, value, ask.about))
    return objections


def _object(verifier: Any, value: Any, about: Any) -> Iterable[Objection]:
    name = getattr(verifier, "__name__", type(verifier).__name__)
    try:
        # Crossed as it will be when it is read from the journal: one that could not be read would lose the run.
        return [msgspec.json.decode(encode_json(each), type=Objection) for each in verifier(value, about)]
    except Exception as error:
        return [Objection(rule=name, message=readable(f"the verifier {name} failed: {type(error).__name__}: {error}"))]
