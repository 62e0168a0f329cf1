"""Text into tokens, and tokens into what they can mean in a language."""

from __future__ import annotations

import itertools
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

Gap: TypeAlias = Literal["none", "space", "break"]
"""What stands before a token: nothing, white space, or the end of a paragraph (which no expression crosses)."""

# Scripts that write no spaces are cut into characters; their words are sequences of these.
_TOKEN = re.compile(r"\d+|[¼½¾]|[\u3040-\u30ff\u3400-\u9fff々]|[^\W\d_¼½¾\u3040-\u30ff\u3400-\u9fff々]+|\S")
_BREAK = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True, slots=True)
class Token:
    """A run of digits, a word, or one other character; `text[begin:stop]` of the text."""

    text: str
    folded: str
    begin: int
    stop: int
    gap: Gap


@cache
def fold(word: str) -> str:
    """A word without case and accents, as tables and texts are compared.

    Combining signs are dropped only after Latin, Greek and Cyrillic letters: elsewhere they make another letter.
    """
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    kept = "".join(c for c in decomposed if not "\u0300" <= c <= "\u036f")
    return unicodedata.normalize("NFKC", kept)


TOKENS_MAX = 2_000
"""Tokens of a text that are read, about 10,000 letters: reading takes up to a thousandth of a second for each."""


def readable(text: str) -> str:
    """The part of a text that is read: whole, unless it is longer than what anybody writes about a meeting."""
    beyond = next(itertools.islice(_TOKEN.finditer(text), TOKENS_MAX, None), None)
    return text[: beyond.start()] if beyond else text


def tokenize(text: str) -> tuple[Token, ...]:
    """The tokens of a text, in order; white space is only remembered as `gap`."""
    tokens: list[Token] = []
    end = 0
    for match in _TOKEN.finditer(text):
        between = text[end : match.start()]
        gap: Gap = "none" if not between else "break" if _BREAK.search(between) else "space"
        tokens.append(Token(match[0], fold(match[0]), match.start(), match.end(), gap))
        end = match.end()
    return tuple(tokens)


def keys(words: str) -> tuple[tuple[str, ...], ...]:
    """The entries of a table, written with commas between: each as the tokens that it consists of."""
    return tuple(tuple(t.folded for t in tokenize(word)) for word in words.split(",") if word.strip())
