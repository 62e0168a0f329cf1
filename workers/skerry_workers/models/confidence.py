"""From the tokens of an answer, with their probabilities, to notes on its fields."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from skerry.core.answers import FieldNote
from skerry_workers.models import places
from skerry_workers.models.constraint import Schema


class Token(NamedTuple):
    """A token of an answer: the text that it adds (none, where a character is not yet whole), its log probability.

    The probability is what the model gave it before any mask: a grammar that forces a wrong value does not make it
    likely.
    """

    text: str
    logprob: float


def confidences(tokens: Iterable[Token]) -> dict[str, float]:
    """The smallest probability of a token of each value, by its path; quotation marks belong to the value.

    The smallest, not the mean: a name is wrong when one of its tokens is. Empty when the tokens are no whole JSON.
    """
    pieces: list[str] = []
    spans: list[tuple[int, int, float]] = []
    start = end = 0
    for token in tokens:
        end += len(token.text)
        spans.append((start, end, token.logprob))
        pieces.append(token.text)
        start = end
    text = "".join(pieces)
    try:
        values = list(_values(text, "", _Reader(text)))
    except (ValueError, IndexError, RecursionError):
        return {}
    found: dict[str, float] = {}
    at = 0
    for path, first, last in values:
        while at < len(spans) and max(spans[at][1], spans[at][0] + 1) <= first:
            at += 1
        least, index = 0.0, at
        while index < len(spans) and spans[index][0] < last:
            least = min(least, spans[index][2])
            index += 1
        found[path] = math.exp(least)
    return found


def notes(schema: Schema, text: str, value: bytes, confidence: Mapping[str, float]) -> dict[str, FieldNote]:
    """A note on each value of an answer: its confidence, and where in the text it was quoted from.

    `value` is the answer's JSON; no notes when it is none. What is not known is left out.
    """
    try:
        decoded = msgspec.json.decode(value)
    except msgspec.DecodeError:
        return {}
    found: dict[str, FieldNote] = {}
    for leaf in places.leaves(schema, decoded):
        start, end = places.find(text, leaf.value) if leaf.quoted else places.NOWHERE
        if leaf.path in confidence or start >= 0:
            found[leaf.path] = FieldNote(confidence=confidence.get(leaf.path, -1.0), start=start, end=end)
    return found


class _Reader:
    """A place in a JSON text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def skip(self) -> str:
        """The next character that is no whitespace."""
        while self.text[self.at] in " \t\r\n":
            self.at += 1
        return self.text[self.at]

    def take(self, characters: str) -> str:
        found = self.skip()
        if found not in characters:
            raise ValueError(f"{found!r} at {self.at}")
        self.at += 1
        return found

    def string(self) -> str:
        """The string that begins here, decoded."""
        start = self.at
        self.take('"')
        while self.text[self.at] != '"':
            self.at += 2 if self.text[self.at] == "\\" else 1
        self.at += 1
        return msgspec.json.decode(self.text[start : self.at], type=str)


def _values(text: str, path: str, reader: _Reader) -> Iterator[tuple[str, int, int]]:
    """Path, start and end of each value that has no parts, in order."""
    opened = reader.skip()
    if opened in "{[":
        reader.at += 1
        closing, index = "}" if opened == "{" else "]", 0
        if reader.skip() == closing:
            reader.at += 1
            return
        while True:
            name = str(index)
            if opened == "{":
                reader.skip()
                name = reader.string()
                reader.take(":")
            yield from _values(text, f"{path}.{name}" if path else name, reader)
            index += 1
            if reader.take("," + closing) == closing:
                return
    start = reader.at
    if opened == '"':
        reader.string()
    else:
        while reader.at < len(text) and text[reader.at] not in ",]} \t\r\n":
            reader.at += 1
    yield path, start, reader.at
