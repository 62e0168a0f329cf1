"""What was read before, by conversation, in the same SQLite file as the lessons: an answer needs the thread."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import TracebackType

import msgspec

from skerry.errors import Unavailable
from skerry_workflows.email.threads import base_subject, is_reply_or_forward
from skerry_workflows.email.triage import Mail

_EARLIER_MAX = 5
_TEXT_MAX = 4_000
_SAME_SUBJECT_DAYS = 30


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the same conversation that came before."""

    sender: str
    text: str


class Thread(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The conversation of a message: its id (that of its first message), and the latest messages before this one."""

    id: str
    earlier: tuple[Earlier, ...] = ()


class Correspondence:
    """The file, for `with`. Raises `Unavailable`."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=20.0, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS message (key TEXT PRIMARY KEY, id TEXT, thread TEXT, subject TEXT,"
                " sender TEXT, at TEXT, text TEXT, n INTEGER)"
            )
            self._db.execute("CREATE TABLE IF NOT EXISTS sent (key TEXT PRIMARY KEY)")
            self._db.execute("CREATE INDEX IF NOT EXISTS message_id ON message (id)")
            self._db.execute("CREATE INDEX IF NOT EXISTS message_thread ON message (thread)")
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(f"{path} cannot be used: {error}", hint="check its rights and the disk") from error

    def __enter__(self) -> Correspondence:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._db.close()

    def remember(self, mail: Mail) -> Thread:
        """Takes a message in (once), and says which conversation it belongs to."""
        known = self._db.execute("SELECT thread FROM message WHERE key = ?", (mail.key,)).fetchone()
        thread = str(known[0]) if known else self._thread_of(mail)
        sender = mail.sender[0].address if mail.sender else ""
        at = mail.date.isoformat() if mail.date else ""
        self._db.execute(
            "INSERT OR IGNORE INTO message VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(n), 0) + 1 FROM message))",
            (mail.key, mail.message_id, thread, base_subject(mail.subject), sender, at, mail.new[:_TEXT_MAX]),
        )
        rows = self._db.execute(
            "SELECT sender, text FROM message WHERE thread = ? AND key != ?"
            " AND n < (SELECT n FROM message WHERE key = ?) ORDER BY n DESC LIMIT ?",
            (thread, mail.key, mail.key, _EARLIER_MAX),
        ).fetchall()
        earlier = tuple(Earlier(sender=str(who), text=str(text)) for who, text in reversed(rows))
        return Thread(id=thread, earlier=earlier)

    def remember_own(self, answered: Mail, message_id: str, sender: str, text: str) -> None:
        """Takes in an answer of ours: what answers that one is in the same conversation, and we know what it said."""
        self._db.execute(
            "INSERT OR IGNORE INTO message SELECT ?, ?, thread, subject, ?, at, ?, (SELECT max(n) + 1 FROM message)"
            " FROM message WHERE key = ?",
            (f"own {message_id}", message_id, sender, text[:_TEXT_MAX], answered.key),
        )

    def answers_ours(self, mail: Mail) -> bool:
        """Whether it refers to an answer of ours: nobody else knows its Message-ID but who has had it."""
        query = "SELECT 1 FROM message WHERE key = ?"
        return any(self._db.execute(query, (f"own {each}",)).fetchone() for each in mail.references)

    def was_sent(self, key: str) -> bool:
        """Whether the answer of this step was handed to the mail server."""
        return self._db.execute("SELECT 1 FROM sent WHERE key = ?", (key,)).fetchone() is not None

    def mark_sent(self, key: str) -> None:
        """It was."""
        self._db.execute("INSERT OR IGNORE INTO sent VALUES (?)", (key,))

    def _thread_of(self, mail: Mail) -> str:
        for reference in reversed(mail.references):
            found = self._db.execute("SELECT thread FROM message WHERE id = ?", (reference,)).fetchone()
            if found:
                return str(found[0])
        if mail.references:
            return mail.references[0]
        if is_reply_or_forward(mail.subject) and mail.date is not None:  # its client left out what it answers
            found = self._db.execute(
                "SELECT thread FROM message WHERE subject = ? AND subject != ''"
                " AND abs(julianday(at) - julianday(?)) <= ? ORDER BY n DESC LIMIT 1",
                (base_subject(mail.subject), mail.date.isoformat(), _SAME_SUBJECT_DAYS),
            ).fetchone()
            if found:
                return str(found[0])
        return mail.message_id or mail.key
