-- The hub's store, version 2. `docs/guides/edge.md` explains it. It is made of the stream, and can be made again.

-- `hub`: this store's name. `place`: up to which message of the stream it is applied; `stamp`: that message's batch.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- How far each node's journal is here. `head` is where its journal ended when it sent last, `sent_us` when that was by
-- its clock, `applied_us` by the hub's. `trouble` says, for people, what keeps the rest away.
-- `adopted_by`: the node was lost, and this one goes on with its journal.
CREATE TABLE nodes (
    key        INTEGER PRIMARY KEY,
    node       TEXT    NOT NULL UNIQUE,
    epoch      INTEGER NOT NULL DEFAULT 0,
    seq        INTEGER NOT NULL DEFAULT 0,
    hash       BLOB    NOT NULL,
    at_us      INTEGER NOT NULL DEFAULT 0,
    head       INTEGER NOT NULL DEFAULT 0,
    sent_us    INTEGER NOT NULL DEFAULT 0,
    applied_us INTEGER NOT NULL DEFAULT 0,
    software   TEXT    NOT NULL DEFAULT '',
    trouble    TEXT    NOT NULL DEFAULT '',
    adopted_by TEXT    NOT NULL DEFAULT ''
) STRICT;

-- From which event on an epoch is the node's chain: the epoch of a place is the highest that begins there or before.
-- Events of lower epochs beyond that are apart: they happened, on a machine that was lost or put back, and are no part of
-- what the node knows now.
CREATE TABLE lines (
    node  INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    first INTEGER NOT NULL,
    PRIMARY KEY (node, epoch)
) STRICT, WITHOUT ROWID;

-- As in the nodes' journals.
CREATE TABLE events (
    node     INTEGER NOT NULL,
    epoch    INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    run_key  INTEGER NOT NULL,
    n        INTEGER NOT NULL,
    at_us    INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    digest   BLOB    NOT NULL,
    previous BLOB    NOT NULL,
    salt     BLOB,
    body     BLOB,
    PRIMARY KEY (node, epoch, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX events_by_run ON events (run_key, n);

-- `row` is the journal's row as JSON, as it was when the node sent the run's event `seq` of `epoch`. In `events`, key 0 is a node itself.
CREATE TABLE runs (
    key        INTEGER PRIMARY KEY,
    run        TEXT    NOT NULL UNIQUE,
    node       INTEGER NOT NULL,
    epoch      INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    workflow   TEXT    NOT NULL,
    status     TEXT    NOT NULL,
    started_us INTEGER NOT NULL,
    row        BLOB    NOT NULL
) STRICT;

CREATE INDEX runs_by_status ON runs (status, started_us);
CREATE INDEX runs_by_node ON runs (node, started_us);

CREATE TABLE blobs (
    sha256 BLOB    NOT NULL UNIQUE,
    size   INTEGER NOT NULL,
    data   BLOB    NOT NULL
) STRICT;

-- Pages that belong to no chain, as they came, with the reason.
CREATE TABLE apart (
    node  INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last  INTEGER NOT NULL,
    hash  BLOB    NOT NULL,
    at_us INTEGER NOT NULL,
    why   TEXT    NOT NULL,
    page  BLOB    NOT NULL,
    PRIMARY KEY (node, epoch, last, hash)
) STRICT;

-- What was sent down, and what became of it: `state` is open, applied, refused or expired. `outcome` is the node's word.
CREATE TABLE commands (
    id         TEXT    PRIMARY KEY,
    node       TEXT    NOT NULL,
    run        TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    at_us      INTEGER NOT NULL,
    decided_us INTEGER NOT NULL DEFAULT 0,
    command    BLOB    NOT NULL,
    outcome    BLOB
) STRICT;

CREATE INDEX commands_by_state ON commands (state, at_us);
