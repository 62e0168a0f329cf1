"""A small parser for grammars written as patterns, for text in which most words belong to no expression.

A rule has the name of what it makes, a pattern, and a function from what the pattern caught to a value. A pattern is a
line of elements: `KIND` is a word or sign of that kind, `name` is what a rule makes; `|` is or; `label:` keeps the
value under a label; `?` at the end says that it may be missing; `+` at the beginning that no white space is
before it. Every way to read is kept (that is where doubts come from), each found once: the cost is bounded by words
times rules. Rules must not begin with themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from skerry_workflows.scheduling.phrases.language import Lexicon, Sense
from skerry_workflows.scheduling.phrases.lexer import Token
from skerry_workflows.scheduling.phrases.nodes import Node

Value: TypeAlias = Node | int | float | str


class Caught:
    """What a pattern caught, by label."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values

    def __contains__(self, label: str) -> bool:
        return label in self._values

    def number(self, label: str, default: int | None = None) -> int:
        """A whole number; a missing one without a default is a mistake in the rule."""
        value = self._values.get(label, default)
        assert isinstance(value, int), label
        return value

    def maybe(self, label: str) -> int | None:
        """A whole number, if it was there."""
        return self.number(label) if label in self._values else None

    def real(self, label: str) -> float:
        """A number."""
        value = self._values[label]
        assert isinstance(value, int | float), label
        return value

    def name(self, label: str, default: str = "") -> str:
        """A name."""
        value = self._values.get(label, default)
        assert isinstance(value, str), label
        return value

    def node(self, label: str) -> Node:
        """An expression."""
        value = self._values[label]
        assert not isinstance(value, int | float | str), label
        return value


@dataclass(frozen=True, slots=True)
class _Element:
    label: str
    symbols: tuple[str, ...]
    optional: bool
    glued: bool


Build: TypeAlias = Callable[[Caught], "Value | None"]


@dataclass(frozen=True)
class Rule:
    """What `name` can be; `build` may answer None: so it is not meant."""

    name: str
    pattern: str
    build: Build

    @cached_property
    def elements(self) -> tuple[_Element, ...]:
        return tuple(map(_element, self.pattern.split()))


def _element(text: str) -> _Element:
    label, _, rest = text.lstrip("+").rpartition(":")
    return _Element(label, tuple(rest.rstrip("?").split("|")), rest.endswith("?"), text.startswith("+"))


Found: TypeAlias = tuple[Value, int]
"""A value, and the token after its last one."""


_DEPTH_MAX = 60  # of rules inside of rules: what people say needs 20


class Parser:
    """One text against one grammar and one language."""

    def __init__(self, rules: Mapping[str, Sequence[Rule]], lexicon: Lexicon, tokens: tuple[Token, ...]) -> None:
        self.tokens = tokens
        self._rules = rules
        self._lexicon = lexicon
        self._senses: dict[int, list[Sense]] = {}
        self._found: dict[tuple[str, int], tuple[Found, ...]] = {}
        self._depth = 0

    def senses(self, at: int) -> list[Sense]:
        """What the words at `at` can be."""
        if at not in self._senses:
            known = self._lexicon.senses(self.tokens, at) if at < len(self.tokens) else []
            self._senses[at] = known
        return self._senses[at]

    def parse(self, symbol: str, at: int) -> tuple[Found, ...]:
        """Every way to read `symbol` from token `at` on; of two equally long ones the earlier rule's is first."""
        key = (symbol, at)
        if key not in self._found:
            if self._depth >= _DEPTH_MAX:
                return ()
            self._depth += 1
            found = self._terminal(symbol, at) if symbol not in self._rules else self._by_rules(symbol, at)
            self._found[key] = tuple(dict.fromkeys(found))
            self._depth -= 1
        return self._found[key]

    def _by_rules(self, symbol: str, at: int) -> Iterator[Found]:
        for rule in self._rules[symbol]:
            for values, end in self._match(rule.elements, 0, at, at):
                value = rule.build(Caught(values))
                if value is not None:
                    yield value, end

    def _match(
        self, elements: tuple[_Element, ...], index: int, at: int, began: int
    ) -> Iterator[tuple[dict[str, Value], int]]:
        if index == len(elements):
            if at > began:
                yield {}, at
            return
        element = elements[index]
        if at < len(self.tokens) and (at == began or self._may_follow(at, element.glued)):
            for symbol in element.symbols:
                for value, end in self.parse(symbol, at):
                    for values, last in self._match(elements, index + 1, end, began):
                        yield ({element.label: value, **values} if element.label else values), last
        if element.optional:
            yield from self._match(elements, index + 1, at, began)

    def _may_follow(self, at: int, glued: bool) -> bool:
        gap = self.tokens[at].gap
        return gap == "none" if glued else gap != "break"

    def _terminal(self, symbol: str, at: int) -> Iterator[Found]:
        for kind, meaning, count in self.senses(at):
            if kind == symbol:
                yield meaning, at + count
        if at < len(self.tokens):
            yield from ((value, at + 1) for value in _sign(symbol, self.tokens[at].folded))


_SIGNS = {
    "COMMA": ",，、", "DOT": ".", "COLON": ":：", "SLASH": "/", "DASH": "-–—−~～〜", "LP": "(（", "RP": ")）",
    "PLUS": "+", "QUOTE": "'’`",
}  # fmt: skip
_FRACTIONS = {"1⁄2": 0.5, "1⁄4": 0.25, "3⁄4": 0.75}


def _sign(symbol: str, text: str) -> Iterator[int | float]:
    """Digits and signs, which mean the same in all languages."""
    if symbol in _SIGNS:
        if text in _SIGNS[symbol]:
            yield 0
        return
    if symbol == "FRACTION":
        if text in _FRACTIONS:
            yield _FRACTIONS[text]
        return
    if symbol not in _DIGITS or not (text.isdecimal() and len(text) <= 6):
        return
    number, (low, high, shortest, longest) = int(text), _DIGITS[symbol]
    if low <= number <= high and shortest <= len(text) <= longest:
        yield number if symbol != "Y2" else number + (1900 if number >= _CENTURY_FROM else 2000)


# Two digits of a year from here on are the last century's.
_CENTURY_FROM = 70
# From, to, and how many digits.
_DIGITS = {
    "INT": (0, 999999, 1, 6), "DD": (1, 31, 1, 2), "MM": (1, 12, 1, 2), "Y4": (1000, 2999, 4, 4), "Y2": (0, 99, 2, 2),
    "HH": (0, 24, 1, 2), "MI": (0, 59, 2, 2), "BIG": (13, 59, 2, 2), "HHMM": (0, 2400, 4, 4),
    "H3": (100, 959, 3, 3), "H0": (0, 9, 2, 2),
}  # fmt: skip
