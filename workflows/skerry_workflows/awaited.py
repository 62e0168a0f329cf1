"""Questions that runs have asked by mail: which run waits for the answer to which message.

Whoever mails a question writes it down here before it leaves; whoever receives mail looks here first, and hands an
answer to the run that waits for it, as a signal. So a conversation goes on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from skerry_workflows.sqlite_file import SqliteFile

FILE = "awaited.db"
"""Its name in the node's data folder."""
_KEPT = 10_000


class Question(NamedTuple):
    """A question on its way: the run that waits, the signal that it waits for, and who was asked (an address)."""

    run: str
    signal: str
    asked: str


class Awaited(SqliteFile):
    """The file, for `with`. Raises `Unavailable` when it cannot be opened."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / FILE, "list of questions", "skerry_workflows", ("awaited.sql",))

    def expect(self, message_id: str, question: Question) -> None:
        """That the answer to a message (its id, without brackets) belongs to a run. The oldest of many are forgotten.

        Raises `RetryableError` when it cannot be written.
        """
        with self.transaction():
            self._db.execute("INSERT OR REPLACE INTO question (id, run, signal, asked) VALUES (?, ?, ?, ?)",
                             (message_id, question.run, question.signal, question.asked.casefold()))  # fmt: skip
            self._db.execute("DELETE FROM question WHERE n <= (SELECT max(n) FROM question) - ?", (_KEPT,))

    def waiting(self, references: Sequence[str], sender: str) -> Question | None:
        """Who waits for an answer to the latest of these messages, if it is from whoever was asked."""
        for reference in reversed(references):
            row = self._db.execute("SELECT run, signal, asked FROM question WHERE id = ?", (reference,)).fetchone()
            if row is not None:
                found = Question(*row)
                return found if found.asked == sender.casefold() else None
        return None
