"""Text to the words and pieces of words that classifiers count. Linear in the text, in any language."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from itertools import pairwise
from typing import Final

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_ENDINGS: Final = (
    "ications", "ication", "ations", "ation", "ments", "ment", "ings", "ing", "ions", "ion", "ers", "ies",
    "ied", "ed", "es", "er", "ly", "en", "s", "e",
)  # fmt: skip
_STEM_MIN = 4
_CHARS_MAX = 20_000
STOPWORDS: Final = frozenset(
    (
        "a", "an", "the", "of", "to", "in", "on", "at", "is", "are", "was", "be", "been", "do", "does", "did",
        "and", "or", "it", "this", "that", "these", "i", "me", "my", "you", "your", "we", "our", "us", "for",
        "with", "from", "as", "by", "have", "has", "had", "can", "could", "would", "will", "should", "please",
        "what", "how", "there", "their", "they", "so", "if", "but", "just", "der", "die", "das", "und", "ist",
        "ein", "eine", "ich", "sie", "wir", "zu", "den", "dem", "mit", "für", "von", "im", "auf", "bitte", "le",
        "la", "les", "de", "des", "du", "et", "un", "une", "je", "vous", "nous", "est", "que", "pour", "el",
        "los", "y", "en", "por",
    )
)  # fmt: skip


def words(text: str) -> list[str]:
    """The words of a text in lower case, without endings; words that carry nothing are left out."""
    found = _WORD.findall(unicodedata.normalize("NFKC", text[:_CHARS_MAX]).casefold())
    return [stem(word) for word in found if word not in STOPWORDS]


def stem(word: str) -> str:
    """A word without the commonest endings; rough, and the same for every text."""
    word = word.partition("'")[0].partition("’")[0]
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM_MIN:
            word = word[: -len(ending)]
            break
    # A doubled consonant before an ending is the same word: stop, stopped.
    return word[:-1] if len(word) > _STEM_MIN and word[-1] == word[-2:-1] and word[-1] not in "sl" else word


def counts(text: str) -> Counter[str]:
    """How often each word, pair of neighbours, and piece of a word (which forgives spelling) is there."""
    found = words(text)
    counted: Counter[str] = Counter(found)
    counted.update(f"{a} {b}" for a, b in pairwise(found))
    for word in found:
        counted.update(f"#{word[at : at + 4]}" for at in range(max(0, len(word) - 3)))
    return counted
