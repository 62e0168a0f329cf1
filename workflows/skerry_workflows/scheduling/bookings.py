"""Bookings: who has given which time to which meeting. Of two who want the same slot at the same instant, one gets it.

An SQLite file of its own. One transaction looks for who is in the way and takes the seats; it takes the write lock
first (`BEGIN IMMEDIATE`), so two processes cannot both find nothing, and a trigger holds the rule once more.
`synchronous=FULL`: what `hold` returned is on disk.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from skerry.errors import DataError
from skerry_workflows.scheduling.slots.model import Span
from skerry_workflows.sqlite_file import SqliteFile

_SCHEMAS: Final = ("bookings.sql",)
MEETINGS_MAX: Final = 120
"""Of one series: each takes a seat for everybody."""

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


class Bookings(SqliteFile):
    """An open file of bookings, made if it is not there. Not for use by several threads; open one for each.

    Raises:
        Unavailable: the file cannot be opened, or was written by a newer version.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "bookings", "skerry_workflows.scheduling", _SCHEMAS)

    # --- time -------------------------------------------------------------------------------------------------------

    def hold(
        self,
        *,
        uid: str,
        sequence: int,
        times: Sequence[Span],
        people: Sequence[str],
        summary: str,
        key: str,
        now: dt.datetime,
        held_until: dt.datetime,
    ) -> Booking | Taken:
        """Hold times for all of these people, or none for any: one for a meeting, several for a series.

        Args:
            uid: the meeting's. Its own earlier revisions are not in the way, and are kept until `book`.
            sequence: its revision.
            times: in order, with zones; so are all other moments.
            people: their addresses.
            summary: what it is, for people.
            key: the same for every attempt at the same hold; it gets the same booking.
            now: holds that ended before are released first.
            held_until: when this one is, unless it is booked.

        Raises:
            DataError: no people, no key, no time or too many, or one that ends before it starts.
            RetryableError: the file could not be written. Nothing is held.
        """
        if not people or not key or not times or any(one.start >= one.end for one in times):
            raise DataError("a hold needs people, a key and a time that has a length", hint="complete it")
        if len(times) > MEETINGS_MAX:
            raise DataError(f"a series has {MEETINGS_MAX} meetings at most", hint="end it earlier, and renew it then")
        seats = sorted({person.lower() for person in people})
        with self.transaction():
            known = self._db.execute("SELECT id FROM booking WHERE idempotency_key = ?", (key,)).fetchone()
            if known:
                return self._booking(known["id"])
            self._release_late(now)
            wanted = [(person, _text(one.start), _text(one.end)) for person in seats for one in times]
            for person, start, end in wanted:
                other = self._db.execute(
                    "SELECT starts, ends FROM seat WHERE person = ? AND starts < ? AND ends > ? AND uid <> ? LIMIT 1",
                    (person, end, start, uid),
                ).fetchone()
                if other:
                    return Taken(person=person, starts=_moment(other["starts"]), ends=_moment(other["ends"]))
            number = self._db.execute(
                "INSERT INTO booking (idempotency_key, uid, sequence, status, starts, ends, summary, held_until,"
                " made_at) VALUES (?, ?, ?, 'held', ?, ?, ?, ?, ?)",
                (
                    key,
                    uid,
                    sequence,
                    _text(times[0].start),
                    _text(times[0].end),
                    summary,
                    _text(held_until),
                    _text(now),
                ),
            ).lastrowid
            assert number is not None
            self._db.executemany(
                "INSERT INTO seat (booking, uid, person, starts, ends) VALUES (?, ?, ?, ?, ?)",
                [(number, uid, *one) for one in wanted],
            )
            return self._booking(number)

    def book(self, number: int) -> Booking:
        """Make a hold a booking; what its meeting had booked or held before is released. Twice is once.

        Raises:
            DataError: it was released meanwhile.
        """
        with self.transaction():
            booking = self._booking(number)
            if booking.status == "booked":
                return booking
            if booking.status == "released":
                raise DataError(f"booking {number} was released meanwhile", hint="hold a time again")
            self._db.execute("UPDATE booking SET status = 'booked' WHERE id = ?", (number,))
            older = self._db.execute(
                "SELECT id FROM booking WHERE uid = ? AND id <> ?"
                " AND (status = 'booked' OR status = 'held' AND sequence < ?)",
                (booking.uid, number, booking.sequence),
            ).fetchall()
            for row in older:
                self._release(row["id"])
            return self._booking(number)

    def release(self, uid: str, *, number: int | None = None) -> None:
        """Give the time back: of one booking of a meeting, or of all its revisions. Twice is once."""
        with self.transaction():
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
        """What takes a person's time in a window, by start: booked, or held and not yet released.

        Of a series each meeting is one, with its own time.
        """
        rows = self._db.execute(
            "SELECT DISTINCT b.id, s.starts, s.ends FROM seat s JOIN booking b ON b.id = s.booking WHERE s.person = ?"
            " AND s.starts < ? AND s.ends > ? AND (b.status = 'booked' OR b.held_until > ?) ORDER BY s.starts",
            (person.lower(), _text(end), _text(start), _text(now)),
        ).fetchall()
        return [
            msgspec.structs.replace(self._booking(row["id"]), starts=_moment(row["starts"]), ends=_moment(row["ends"]))
            for row in rows
        ]

    def times(self, uid: str, *, number: int | None = None) -> list[Span]:
        """The times of a meeting as it is booked, or of one booking of it: one, or those of a series, in order."""
        booked = self.current(uid) if number is None else None
        number = booked.id if booked else number
        rows = self._db.execute(
            "SELECT DISTINCT starts, ends FROM seat WHERE booking = ? AND uid = ? ORDER BY starts", (number, uid)
        ).fetchall()
        return [Span(start=_moment(row["starts"]), end=_moment(row["ends"])) for row in rows]

    # --- messages ---------------------------------------------------------------------------------------------------

    def begin_sending(
        self, key: str, *, uid: str, sequence: int, method: str, recipient: str, now: dt.datetime
    ) -> bool:
        """Whether a message is still to be sent: False when it was. One that began and whose end nobody saw is."""
        with self.transaction():
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
        with self.transaction():
            self._db.execute("UPDATE sent SET status = 'sent' WHERE key = ?", (key,))

    def hear(self, uid: str, instance: str, sequence: int, stamp: str) -> bool:
        """Note a revision of a meeting of others; False when a later one was heard of. Stamps are DTSTAMPs in UTC."""
        with self.transaction():
            row = self._db.execute(
                "SELECT sequence, stamp FROM heard WHERE uid = ? AND instance = ?", (uid, instance)
            ).fetchone()
            if row and (row["sequence"], row["stamp"]) > (sequence, stamp):
                return False
            self._db.execute("INSERT OR REPLACE INTO heard VALUES (?, ?, ?, ?)", (uid, instance, sequence, stamp))
            return True

    def tell(self, uid: str, ics: str) -> None:
        """Note how people were told of a meeting of ours; empty when it is over for them."""
        with self.transaction():
            if ics:
                self._db.execute("INSERT OR REPLACE INTO told VALUES (?, ?)", (uid, ics))
            else:
                self._db.execute("DELETE FROM told WHERE uid = ?", (uid,))

    def told(self, uid: str) -> str:
        """How they were told of it last; empty for a meeting that is not ours, or over."""
        row = self._db.execute("SELECT ics FROM told WHERE uid = ?", (uid,)).fetchone()
        return str(row["ics"]) if row else ""

    # --- inside -----------------------------------------------------------------------------------------------------

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
