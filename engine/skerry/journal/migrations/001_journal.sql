-- The journal as first released. `docs/journal.md` explains each table.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- One line per event. The columns up to `previous` are its header and stay for ever; `salt` and `body` are NULL once
-- the body was removed (J4). `previous` is the hash of the header before it (J5).
CREATE TABLE events (
    seq      INTEGER PRIMARY KEY,
    epoch    INTEGER NOT NULL,
    run_key  INTEGER NOT NULL,
    n        INTEGER NOT NULL,
    at_us    INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    digest   BLOB    NOT NULL,
    previous BLOB    NOT NULL,
    salt     BLOB,
    body     BLOB
);

CREATE UNIQUE INDEX events_by_run ON events (run_key, n);

-- One line per run: what `skerry runs` shows. `key` stands for the run's name in `events`; 0 is the node itself.
CREATE TABLE runs (
    key        INTEGER PRIMARY KEY,
    run        TEXT    NOT NULL UNIQUE,
    workflow   TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    status     TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    entry_n    INTEGER NOT NULL,
    wake_us    INTEGER NOT NULL,
    parent     TEXT    NOT NULL,
    priority   INTEGER NOT NULL,
    source     TEXT    NOT NULL,
    event_id   TEXT    NOT NULL,
    started_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    ended_us   INTEGER NOT NULL,
    note       TEXT    NOT NULL,
    pruned_us  INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX runs_by_status ON runs (status, run);
CREATE INDEX runs_by_wake ON runs (wake_us) WHERE wake_us > 0;

-- Ids that were answered; they outlive pruning.
CREATE TABLE claims (
    scope  TEXT NOT NULL,
    id     TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT, WITHOUT ROWID;

-- Large values, once each, by content hash (J8). `at_us` is when somebody last handed it in.
CREATE TABLE blobs (
    sha256 BLOB    NOT NULL UNIQUE,
    size   INTEGER NOT NULL,
    at_us  INTEGER NOT NULL,
    data   BLOB    NOT NULL
) STRICT;

-- For people with the sqlite3 shell: SELECT * FROM history WHERE run = '...';
CREATE VIEW history AS
SELECT
    e.seq,
    coalesce(r.run, '')                                      AS run,
    e.n,
    datetime(e.at_us / 1000000, 'unixepoch')                 AS at_utc,
    e.kind,
    CAST(e.body AS TEXT)                                     AS body
FROM events AS e
LEFT JOIN runs AS r ON r.key = e.run_key;
