"""Bookings: who has given which time to which meeting. Of two who want the same slot at the same instant, one gets it.

An SQLite file of its own. One transaction looks for who is in the way and takes the seats; it takes the write lock
first (`BEGIN IMMEDIATE`), so two processes cannot both find nothing, and a trigger holds the rule once more.
`synchronous=FULL`: what `hold` returned is on disk.
"""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, TypeAlias

import msgspec

from skerry.errors import DataError, RetryableError, Unavailable

_VERSION: Final = 1
_BUSY_TIMEOUT_S: Final = 20.0

Status: TypeAlias = Literal["held", "booked", "released"]


class Booking(msgspec.Struct, frozen=True, kw_only=True, tag="booking"):
    """A meeting's time, for one revision (`sequence`) of it. A held one is released at `held_until` unless booked."""

    id: int
    uid: str
    sequence: int
    status: Status
    starts: dt.datetime
    ends: dt.datetime
    summary: str
    held_until: dt.datetime
    people: tuple[str, ...] = ()


class Taken(msgspec.Struct, frozen=True, kw_only=True, tag="taken"):
    """Nothing was held: `person` is in another meeting then."""

    person: str
    starts: dt.datetime
    ends: dt.datetime


class Bookings:
    """An open file of bookings, made if it is not there. Not for use by several threads; open one for each.

    Raises:
        Unavailable: the file cannot be opened, or was written by a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if str(path) != ":memory:":
                os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._db = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(
                f"the bookings {path} cannot be opened: {error}",
                hint="check the path, its rights and the free disk space",
            ) from error

    def _prepare(self) -> None:
        version = int(self._db.execute("PRAGMA user_version").fetchone()[0])
        if version > _VERSION:
            raise Unavailable(f"the bookings {self.path} were written by a newer version", hint="install that version")
        if version < _VERSION:
            schema = resources.files("skerry_workflows.scheduling").joinpath("bookings.sql").read_text(encoding="utf-8")
            # Every statement is harmless when it was run already: two processes may open a new file at once.
            self._db.executescript(f"BEGIN IMMEDIATE;\n{schema}\nPRAGMA user_version={_VERSION};\nCOMMIT;")

    def __enter__(self) -> Bookings:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. What was booked stays booked without it."""
        self._db.close()

    # --- time -------------------------------------------------------------------------------------------------------

    def hold(
        self,
        *,
        uid: str,
        sequence: int,
        starts: dt.datetime,
        ends: dt.datetime,
        people: Sequence[str],
        summary: str,
        key: str,
        now: dt.datetime,
        held_until: dt.datetime,
    ) -> Booking | Taken:
        """Hold a time for all of these people, or for none.

        Args:
            uid: the meeting's. Its own earlier revisions are not in the way, and are kept until `book`.
            sequence: its revision.
            starts: with a zone; so are all others.
            ends: after `starts`.
            people: their addresses.
            summary: what it is, for people.
            key: the same for every attempt at the same hold; it gets the same booking.
            now: holds that ended before are released first.
            held_until: when this one is, unless it is booked.

        Raises:
            DataError: no people, no key, or a time that ends before it starts.
            RetryableError: the file could not be written. Nothing is held.
        """
        if not people or not key or starts >= ends:
            raise DataError("a hold needs people, a key and a time that has a length", hint="complete it")
        seats = sorted({person.lower() for person in people})
        with self._transaction():
            known = self._db.execute("SELECT id FROM booking WHERE idempotency_key = ?", (key,)).fetchone()
            if known:
                return self._booking(known["id"])
            self._release_late(now)
            for person in seats:
                other = self._db.execute(
                    "SELECT starts, ends FROM seat WHERE person = ? AND starts < ? AND ends > ? AND uid <> ? LIMIT 1",
                    (person, _text(ends), _text(starts), uid),
                ).fetchone()
                if other:
                    return Taken(person=person, starts=_moment(other["starts"]), ends=_moment(other["ends"]))
            number = self._db.execute(
                "INSERT INTO booking (idempotency_key, uid, sequence, status, starts, ends, summary, held_until,"
                " made_at) VALUES (?, ?, ?, 'held', ?, ?, ?, ?, ?)",
                (key, uid, sequence, _text(starts), _text(ends), summary, _text(held_until), _text(now)),
            ).lastrowid
            assert number is not None
            self._db.executemany(
                "INSERT INTO seat (booking, uid, person, starts, ends) VALUES (?, ?, ?, ?, ?)",
                [(number, uid, person, _text(starts), _text(ends)) for person in seats],
            )
            return self._booking(number)

    def book(self, number: int) -> Booking:
        """Make a hold a booking; earlier revisions of its meeting are released. Twice is once.

        Raises:
            DataError: it was released meanwhile.
        """
        with self._transaction():
            booking = self._booking(number)
            if booking.status == "released":
                raise DataError(f"booking {number} was released meanwhile", hint="hold a time again")
            self._db.execute("UPDATE booking SET status = 'booked' WHERE id = ?", (number,))
            older = self._db.execute(
                "SELECT id FROM booking WHERE uid = ? AND id <> ? AND sequence < ? AND status <> 'released'",
                (booking.uid, number, booking.sequence),
            ).fetchall()
            for row in older:
                self._release(row["id"])
            return self._booking(number)

    def release(self, uid: str, *, number: int | None = None) -> None:
        """Give the time back: of one booking of a meeting, or of all its revisions. Twice is once."""
        with self._transaction():
            for row in self._db.execute("SELECT id FROM booking WHERE uid = ?", (uid,)).fetchall():
                if number is None or row["id"] == number:
                    self._release(row["id"])

    def current(self, uid: str) -> Booking | None:
        """The meeting's latest revision that is booked."""
        row = self._db.execute(
            "SELECT id FROM booking WHERE uid = ? AND status = 'booked' ORDER BY sequence DESC, id DESC LIMIT 1", (uid,)
        ).fetchone()
        return self._booking(row["id"]) if row else None

    def taken(self, person: str, start: dt.datetime, end: dt.datetime, now: dt.datetime) -> list[Booking]:
        """What takes a person's time in a window: booked, or held and not yet released."""
        rows = self._db.execute(
            "SELECT DISTINCT b.id FROM seat s JOIN booking b ON b.id = s.booking WHERE s.person = ? AND s.starts < ?"
            " AND s.ends > ? AND (b.status = 'booked' OR b.held_until > ?) ORDER BY b.starts",
            (person.lower(), _text(end), _text(start), _text(now)),
        ).fetchall()
        return [self._booking(row["id"]) for row in rows]

    # --- messages ---------------------------------------------------------------------------------------------------

    def begin_sending(
        self, key: str, *, uid: str, sequence: int, method: str, recipient: str, now: dt.datetime
    ) -> bool:
        """Whether a message is still to be sent: False when it was. One that began and whose end nobody saw is."""
        with self._transaction():
            row = self._db.execute("SELECT status FROM sent WHERE key = ?", (key,)).fetchone()
            if row is None:
                self._db.execute(
                    "INSERT INTO sent (key, uid, sequence, method, recipient, status, at)"
                    " VALUES (?, ?, ?, ?, ?, 'sending', ?)",
                    (key, uid, sequence, method, recipient, _text(now)),
                )
            return row is None or row["status"] == "sending"

    def sent(self, key: str) -> None:
        """It was handed over: it is never sent again."""
        with self._transaction():
            self._db.execute("UPDATE sent SET status = 'sent' WHERE key = ?", (key,))

    def hear(self, uid: str, instance: str, sequence: int, stamp: str) -> bool:
        """Note a revision of a meeting of others; False when a later one was heard of. Stamps are DTSTAMPs in UTC."""
        with self._transaction():
            row = self._db.execute(
                "SELECT sequence, stamp FROM heard WHERE uid = ? AND instance = ?", (uid, instance)
            ).fetchone()
            if row and (row["sequence"], row["stamp"]) > (sequence, stamp):
                return False
            self._db.execute("INSERT OR REPLACE INTO heard VALUES (?, ?, ?, ?)", (uid, instance, sequence, stamp))
            return True

    def tell(self, uid: str, ics: str) -> None:
        """Note how people were told of a meeting of ours; empty when it is over for them."""
        with self._transaction():
            if ics:
                self._db.execute("INSERT OR REPLACE INTO told VALUES (?, ?)", (uid, ics))
            else:
                self._db.execute("DELETE FROM told WHERE uid = ?", (uid,))

    def told(self, uid: str) -> str:
        """How they were told of it last; empty for a meeting that is not ours, or over."""
        row = self._db.execute("SELECT ics FROM told WHERE uid = ?", (uid,)).fetchone()
        return str(row["ics"]) if row else ""

    # --- inside -----------------------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Generator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as error:
            raise RetryableError(
                f"the bookings {self.path} could not be written: {error}", retry_after_s=1.0
            ) from error

    def _release_late(self, now: dt.datetime) -> None:
        late = self._db.execute(
            "SELECT id FROM booking WHERE status = 'held' AND held_until <= ?", (_text(now),)
        ).fetchall()
        for row in late:
            self._release(row["id"])

    def _release(self, number: int) -> None:
        self._db.execute("DELETE FROM seat WHERE booking = ?", (number,))
        self._db.execute("UPDATE booking SET status = 'released' WHERE id = ?", (number,))

    def _booking(self, number: int) -> Booking:
        row = self._db.execute("SELECT * FROM booking WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise DataError(f"there is no booking {number}", hint="hold a time first")
        seats = self._db.execute("SELECT person FROM seat WHERE booking = ? ORDER BY person", (number,)).fetchall()
        return Booking(
            id=row["id"],
            uid=row["uid"],
            sequence=row["sequence"],
            status=msgspec.convert(row["status"], Status),
            starts=_moment(row["starts"]),
            ends=_moment(row["ends"]),
            summary=row["summary"],
            held_until=_moment(row["held_until"]),
            people=tuple(seat["person"] for seat in seats),
        )


def _text(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
