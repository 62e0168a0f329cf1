"""What the user's corrections teach: kept in an SQLite file, a lesson for each message, the last word counts.

A small naive Bayes over words (as Robinson's and Graham's filters): a lesson moves what its words say, few lessons move
it little. Learning twice from one message is learning once.
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
_TELLING = 20
"""So many of the most telling words count."""
_DOUBT = 1.0
_LIMIT = 6.0
"""Lessons never say more than these log-odds: about 400 to 1."""


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
    """The log-odds that the words of a text are those of unwanted mail, by the lessons of the kind "spam"."""
    spam, ham = (Counter[str](), Counter[str]())
    for label, counted in (("spam", spam), ("ham", ham)):
        for each in lessons.get(label, ()):
            counted.update(set(tokens.words(each)))
    spams, hams = len(lessons.get("spam", ())), len(lessons.get("ham", ()))
    if not spams + hams:
        return 0.0
    telling = sorted(
        (
            math.log((spam[word] + _DOUBT) / (spams + 2 * _DOUBT))
            - math.log((ham[word] + _DOUBT) / (hams + 2 * _DOUBT))
            for word in set(tokens.words(text))
            if spam[word] + ham[word]
        ),
        key=lambda odds: -abs(odds),
    )[:_TELLING]
    # A few lessons are hints, not laws: their weight grows with their number.
    weight = (spams + hams) / (spams + hams + 6)
    return max(-_LIMIT, min(_LIMIT, weight * sum(telling)))
