"""What people's answers and corrections teach: kept in an SQLite file, a lesson for each message, the last word counts.

What a model has said is no lesson: it would be taught its own mistakes, and count like a person's word.

Words are counted as in the filters of Graham, Robinson and SpamBayes: a lesson moves what its words say, few move it
little. Learning twice from one message is learning once.
"""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from pathlib import Path
from types import TracebackType

from skerry.errors import Unavailable
from skerry_workflows.email import tokens

FILE = "mail.db"
_LESSONS_MAX = 2_000
_TEXT_MAX = 4_000
_TELLING, _TELLS = 120, 0.15
"""So many of the most telling words count, if they say as much as this."""
_DOUBT = 3.0
"""A word that was met once says most of what it says; met never, nothing."""
_HINTS = 10
_LIMIT = 4.0
"""Lessons never say more than these log-odds: about 55 to 1."""


class Lessons:
    """The file, for `with`. Not for several threads; open one for each. Raises `Unavailable`."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=20.0, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS lesson"
                " (kind TEXT, message TEXT, label TEXT, text TEXT, n INTEGER, PRIMARY KEY (kind, message))"
            )
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(f"{path} cannot be used: {error}", hint="check its rights and the disk") from error

    def __enter__(self) -> Lessons:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._db.close()

    def learn(self, kind: str, message: str, label: str, text: str) -> None:
        """That a message (its id) is `label`: "spam" or "ham" of the kind "spam", a category of the kind "category"."""
        self._db.execute(
            "INSERT OR REPLACE INTO lesson VALUES (?, ?, ?, ?, (SELECT coalesce(max(n), 0) + 1 FROM lesson))",
            (kind, message, label, text[:_TEXT_MAX]),
        )

    def texts(self, kind: str) -> dict[str, list[str]]:
        """The texts by label, newest first."""
        query = "SELECT label, text FROM lesson WHERE kind = ? ORDER BY n DESC LIMIT ?"
        found: dict[str, list[str]] = {}
        for label, text in self._db.execute(query, (kind, _LESSONS_MAX)):
            found.setdefault(str(label), []).append(str(text))
        return found


def spam_odds(lessons: dict[str, list[str]], text: str) -> float:
    """The log-odds that the words of a text are those of unwanted mail, by the lessons of the kind "spam".

    Robinson's way: what each word says, drawn to "nothing" while it was met seldom; then Fisher's, to put together what
    all of them say, so that words that contradict each other say nothing.
    """
    spam, ham = Counter[str](), Counter[str]()
    for label, counted in (("spam", spam), ("ham", ham)):
        for each in lessons.get(label, ()):
            counted.update(set(tokens.words(each)))
    spams, hams = len(lessons.get("spam", ())), len(lessons.get("ham", ()))
    if not spam or not ham:  # of one kind alone it cannot be told what sets it apart
        return 0.0
    # By the words of each kind, not by its messages: else the kind with the longer ones would seem to own every word.
    in_spam, in_ham = spam.total(), ham.total()
    said = sorted(
        (
            _said(spam[word] / in_spam, ham[word] / in_ham, spam[word] + ham[word])
            for word in set(tokens.words(text))
            if spam[word] + ham[word]
        ),
        key=lambda share: -abs(share - 0.5),
    )
    telling = [share for share in said if abs(share - 0.5) >= _TELLS][:_TELLING]
    if not telling:
        return 0.0
    unwanted = _chance(-2 * sum(math.log(1 - share) for share in telling), len(telling))
    wanted = _chance(-2 * sum(math.log(share) for share in telling), len(telling))
    share = min(max((1 + wanted - unwanted) / 2, 1e-6), 1 - 1e-6)
    # A few lessons are hints, not laws: their weight grows with their number.
    weight = (spams + hams) / (spams + hams + _HINTS)
    return max(-_LIMIT, min(_LIMIT, weight * math.log(share / (1 - share))))


def _said(in_spam: float, in_ham: float, met: int) -> float:
    """How much a word says for unwanted mail, from 0 to 1: 0.5 is nothing."""
    share = in_spam / (in_spam + in_ham)
    return (_DOUBT * 0.5 + met * share) / (_DOUBT + met)


def _chance(chi_square: float, pairs: int) -> float:
    """How likely chance alone makes a chi-square of so much or more, with 2 degrees of freedom for each of `pairs`."""
    half = chi_square / 2
    if half > 700:
        return 0.0
    term = total = math.exp(-half)
    for n in range(1, pairs):
        term *= half / n
        total += term
    return min(total, 1.0)
