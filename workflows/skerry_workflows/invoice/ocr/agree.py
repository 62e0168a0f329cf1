"""Two readings of one page to one: what both say is sure, the rest is not. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from skerry_workflows.invoice.ocr.tesseract import Read

UNSURE: Final = 30
"""The most that is said for a word that two readings read differently, or only one of them read."""
_ADDED_CONFIDENCE_MIN: Final = 60
_BAND_PX: Final = 32

_Group: TypeAlias = tuple[list[Read], list[Read]]


def agreed(first: Sequence[Read], second: Sequence[Read]) -> list[Read]:
    """The words of two readings on the same scale.

    What both read alike stands as the first has split it into words; of what they read differently the surer one is
    taken, and is unsure; what only the second has found is added.
    """
    words: list[Read] = []
    for ours, theirs in _groups(first, second):
        if _joined(ours) == _joined(theirs):
            words += ours
            continue
        if not ours and _sureness(theirs) < _ADDED_CONFIDENCE_MIN:
            continue
        taken = ours if _sureness(ours) >= _sureness(theirs) else theirs
        words += [word._replace(confidence=min(word.confidence, UNSURE)) for word in taken]
    return words


def _joined(words: list[Read]) -> str:
    return "".join(word.text for word in sorted(words, key=lambda word: word.left))


def _sureness(words: list[Read]) -> float:
    """Of the least sure one: a word that was cut in two is not better for its sure half."""
    return min((word.confidence for word in words), default=0.0)


def _groups(first: Sequence[Read], second: Sequence[Read]) -> Iterator[_Group]:
    """The words of both by the places they share: each group has all of either that touch one of the other."""
    bands: dict[int, list[int]] = {}
    for index, word in enumerate(second):
        for band in _bands(word):
            bands.setdefault(band, []).append(index)
    groups: list[_Group] = []
    group_of: dict[int, int] = {}
    for word in first:
        touched = {i for band in _bands(word) for i in bands.get(band, ()) if _same_place(word, second[i])}
        joined = sorted({group_of[i] for i in touched if i in group_of})
        number = joined[0] if joined else len(groups)
        if not joined:
            groups.append(([], []))
        ours, theirs = groups[number]
        ours.append(word)
        theirs += [second[i] for i in touched if i not in group_of]
        for other in joined[1:]:
            ours += groups[other][0]
            theirs += groups[other][1]
            groups[other] = ([], [])
            group_of |= {i: number for i, of in group_of.items() if of == other}
        group_of |= dict.fromkeys(touched - group_of.keys(), number)
    yield from (group for group in groups if group[0])
    yield from (([], [word]) for index, word in enumerate(second) if index not in group_of)


def _bands(word: Read) -> range:
    return range(word.top // _BAND_PX, (word.top + word.height) // _BAND_PX + 1)


def _same_place(a: Read, b: Read) -> bool:
    """Whether the middle of one lies in the box of the other."""

    def inside(outer: Read, inner: Read) -> bool:
        across = outer.left <= inner.left + inner.width / 2 <= outer.left + outer.width
        return across and outer.top <= inner.middle <= outer.top + outer.height

    return inside(a, b) or inside(b, a)
