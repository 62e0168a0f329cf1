"""What a language has to say about time: one table of words, and what is made of it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

from skerry_workflows.scheduling.phrases.lexer import Token, keys

Meaning: TypeAlias = int | float | str
"""What a word stands for: the number of a weekday (Monday is 0) or month (January is 1), an offset, a name."""

Sense: TypeAlias = tuple[str, Meaning, int]
"""A kind of word of `grammar`, its meaning, and how many tokens it takes."""


@dataclass(frozen=True)
class Language:
    """The words of a language, by kind and meaning; entries are separated by commas, case and accents do not count.

    `numbers` are the number words, `ordinals` those of days and of "first", "second". `weak` are words that mean
    something else as well ("may", "sun"): alone they are no time. `marks` are everyday words that tell the language.
    """

    code: str
    order: Literal["dmy", "mdy", "ymd"]
    words: Mapping[str, Mapping[Meaning, str]]
    numbers: Mapping[str, int]
    ordinals: Mapping[str, int]
    weak: str = ""
    marks: str = ""
    hours: Literal[12, 24] = 24
    """Whether 3:30 is commonly any half past three, or the one of the night."""


def day_parts(days: Sequence[str], parts: Mapping[str, str]) -> dict[Meaning, str]:
    """Weekdays and parts of the day in one word ("Freitagnachmittag"): each part by its words, with blanks between."""
    return {
        f"{n} {part}": ", ".join(day + word for word in words.split())
        for n, day in enumerate(days)
        for part, words in parts.items()
    }


class Lexicon:
    """A language ready to be looked up: from tokens to senses."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._senses: dict[tuple[str, ...], list[tuple[str, Meaning]]] = {}
        for kind, meanings in language.words.items():
            for meaning, entries in meanings.items():
                for key in keys(entries):
                    self._add(key, kind, meaning)
        for kind, table in (("NUM", language.numbers), ("ORD", language.ordinals)):
            for entry, number in table.items():
                self._add(keys(entry)[0], kind, number)
        self._longest = max(map(len, self._senses))
        self.weak = frozenset(keys(language.weak))
        self.marks = frozenset(key[0] for key in keys(language.marks))

    def _add(self, key: tuple[str, ...], kind: str, meaning: Meaning) -> None:
        senses = self._senses.setdefault(key, [])
        if (kind, meaning) not in senses:
            senses.append((kind, meaning))

    def senses(self, tokens: tuple[Token, ...], at: int) -> list[Sense]:
        """Everything that the tokens from `at` on can be, the longest first."""
        found: list[Sense] = []
        window = tokens[at : at + self._longest]
        for count in range(len(window), 0, -1):
            if any(token.gap == "break" for token in window[1:count]):
                continue
            for kind, meaning in self._senses.get(tuple(t.folded for t in window[:count]), ()):
                found.append((kind, meaning, count))
        whole = max((count for kind, _, count in found if kind == "DAYREF"), default=0)
        # "Depois de amanhã" is a day, and not what comes after tomorrow.
        return [each for each in found if each[2] >= whole or each[0] not in ("AFTER", "BEFORE")]


_TOKENS_FOR_LANGUAGE = 200
CODES = ("en", "de", "fr", "es", "it", "pt", "nl", "zh", "ja")
"""The languages there are, the likeliest first."""


@cache
def lexicon(code: str) -> Lexicon:
    """The lexicon of a language.

    Raises:
        ValueError: there is no such language.
    """
    if code not in CODES:
        raise ValueError(f"there are no words for the language {code!r}; there are: {', '.join(CODES)}")
    module = importlib.import_module(f"skerry_workflows.scheduling.phrases.languages.{code}")
    language = module.LANGUAGE
    assert isinstance(language, Language)
    return Lexicon(language)


def detect(tokens: tuple[Token, ...]) -> str:
    """The language that most words of the text belong to; English where none does."""
    begin = tokens[:_TOKENS_FOR_LANGUAGE]
    words = [token for token in begin if token.folded.isalpha()]
    kana = any("\u3040" <= token.folded[0] <= "\u30ff" for token in words)
    if kana or any("\u4e00" <= token.folded[0] <= "\u9fff" for token in words):
        return "ja" if kana or _japanese(words) else "zh"

    def score(code: str) -> int:
        """Words that are known, those of a longer expression ("o'clock") all together; everyday ones count more."""
        table, at, known = lexicon(code), 0, 0
        while at < len(begin):
            count = max((count for _, _, count in table.senses(begin, at)), default=0)
            known += count + 2 * (begin[at].folded in table.marks) * (count < 2)
            at += max(count, 1)
        return known

    return max(CODES, key=score)


def _japanese(words: list[Token]) -> bool:
    """Without kana: by what only Japanese writes of times."""
    text = "".join(token.folded for token in words)
    return any(sign in text for sign in ("時", "曜", "昨日", "平成", "令和", "昭和"))
