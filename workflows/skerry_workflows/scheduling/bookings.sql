-- Bookings: one row for each revision of a meeting that was held or booked; times are UTC text of one width, which
-- sorts as time does. `seat` is the time that a booking takes of one person, while it lasts; of a series many.
CREATE TABLE IF NOT EXISTS booking (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    idempotency_key  TEXT NOT NULL UNIQUE,
    uid              TEXT NOT NULL,
    sequence         INTEGER NOT NULL,
    status           TEXT NOT NULL CHECK (status IN ('held', 'booked', 'released')),
    starts           TEXT NOT NULL,
    ends             TEXT NOT NULL CHECK (ends > starts),
    summary          TEXT NOT NULL,
    held_until       TEXT NOT NULL,
    made_at          TEXT NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS booking_uid ON booking (uid, sequence);

CREATE TABLE IF NOT EXISTS seat (
    booking  INTEGER NOT NULL REFERENCES booking (id),
    uid      TEXT NOT NULL,
    person   TEXT NOT NULL,
    starts   TEXT NOT NULL,
    ends     TEXT NOT NULL,
    PRIMARY KEY (person, starts, booking)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS seat_booking ON seat (booking);

-- Whatever the program thinks: nobody is in two meetings at once. A meeting that is moved does not stand in its own way.
CREATE TRIGGER IF NOT EXISTS one_seat_at_a_time BEFORE INSERT ON seat
WHEN EXISTS (
    SELECT 1 FROM seat
    WHERE person = NEW.person AND starts < NEW.ends AND ends > NEW.starts AND uid <> NEW.uid
)
BEGIN SELECT raise(ABORT, 'somebody is in another meeting then'); END;

-- Our meetings as their people were told of them last, to see what somebody changes in the calendar by hand.
CREATE TABLE IF NOT EXISTS told (
    uid  TEXT PRIMARY KEY,
    ics  TEXT NOT NULL
) STRICT;

-- The last revision of each meeting of others that was heard of (a cancellation, too), whether or not it is in the
-- calendar: an invitation that still waits for its answer must not be accepted when a later one has come.
CREATE TABLE IF NOT EXISTS heard (
    uid       TEXT NOT NULL,
    instance  TEXT NOT NULL,
    sequence  INTEGER NOT NULL,
    stamp     TEXT NOT NULL,
    PRIMARY KEY (uid, instance)
) STRICT, WITHOUT ROWID;

-- What was sent, by what makes a message the same as another; 'sending' is one whose end nobody saw.
CREATE TABLE IF NOT EXISTS sent (
    key        TEXT PRIMARY KEY,
    uid        TEXT NOT NULL,
    sequence   INTEGER NOT NULL,
    method     TEXT NOT NULL,
    recipient  TEXT NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('sending', 'sent')),
    at         TEXT NOT NULL
) STRICT;
