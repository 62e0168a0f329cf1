-- Every statement that the journal runs again and again, by name. The loader is `__init__.py` beside this file.

-- ---- writing (only `groupcommit.py`) ------------------------------------------------------------------------------

-- name: insert_event
INSERT INTO main.events (seq, epoch, run_key, n, at_us, kind, version, digest, previous, salt, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: put_run
-- A run's row, new or in place of the old one. `run` and `pruned_us` never change here.
INSERT INTO main.runs (
    key, run, workflow, version, status, state, entry_n, wake_us,
    parent, priority, source, event_id, started_us, updated_us, ended_us, note
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET
    workflow = excluded.workflow, version = excluded.version, status = excluded.status, state = excluded.state,
    entry_n = excluded.entry_n, wake_us = excluded.wake_us, parent = excluded.parent, priority = excluded.priority,
    source = excluded.source, event_id = excluded.event_id, started_us = excluded.started_us,
    updated_us = excluded.updated_us, ended_us = excluded.ended_us, note = excluded.note

-- name: insert_claim
INSERT INTO claims (scope, id, answer) VALUES (?, ?, ?)

-- name: insert_blob
-- Once each. Handed in again after an hour (in microseconds), its time is renewed, so that pruning leaves it alone.
INSERT INTO main.blobs (sha256, size, at_us, data) VALUES (?, ?, ?, ?)
ON CONFLICT (sha256) DO UPDATE SET at_us = excluded.at_us WHERE blobs.at_us < excluded.at_us - 3600000000

-- ---- the writer's own look-ups --------------------------------------------------------------------------------------

-- name: meta
SELECT value FROM meta WHERE name = ?

-- name: put_meta
INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: last_event
SELECT e.seq, e.epoch, coalesce(r.run, ''), e.n, e.at_us, e.kind, e.version, e.digest, e.previous
FROM events AS e LEFT JOIN runs AS r ON r.key = e.run_key
ORDER BY e.seq DESC LIMIT 1

-- name: last_run
SELECT coalesce(max(key), 0), coalesce(max(run), '') FROM runs

-- name: place_of_run
SELECT r.key, coalesce((SELECT max(e.n) FROM events AS e WHERE e.run_key = r.key), 0)
FROM runs AS r WHERE r.run = ?

-- name: place_of_node
SELECT coalesce(max(n), 0) FROM events WHERE run_key = 0

-- ---- reading --------------------------------------------------------------------------------------------------------

-- name: first_look
-- The first statement that needs the file: opening alone reads nothing.
SELECT count(*) FROM sqlite_schema

-- name: run
SELECT
    run, workflow, version, status, state, entry_n, wake_us,
    parent, priority, source, event_id, started_us, updated_us, ended_us, note
FROM runs WHERE run = ?

-- name: runs
SELECT
    run, workflow, version, status, state, entry_n, wake_us,
    parent, priority, source, event_id, started_us, updated_us, ended_us, note
FROM runs
WHERE run < :before AND (:workflow = '' OR workflow = :workflow)
ORDER BY run DESC LIMIT :limit

-- name: runs_of_status
-- Asked once per status, as each of them comes in order from the index.
SELECT
    run, workflow, version, status, state, entry_n, wake_us,
    parent, priority, source, event_id, started_us, updated_us, ended_us, note
FROM runs
WHERE status = :status AND run < :before AND (:workflow = '' OR workflow = :workflow)
ORDER BY run DESC LIMIT :limit

-- name: events_of_run
SELECT seq, epoch, n, at_us, kind, version, digest, previous, salt, body
FROM events
WHERE run_key = (SELECT key FROM runs WHERE run = :run UNION ALL SELECT 0 WHERE :run = '') AND n > :after_n
ORDER BY n LIMIT :limit

-- name: unfinished_runs
SELECT
    key, run, workflow, version, status, state, entry_n, wake_us,
    parent, priority, source, event_id, started_us, updated_us, ended_us, note
FROM runs
WHERE status = 'running' AND run > :after_run
ORDER BY run LIMIT :limit

-- name: unfinished_events
-- Of the running runs in a range of names, each from its last entry on.
SELECT e.run_key, e.seq, e.epoch, e.n, e.at_us, e.kind, e.version, e.digest, e.previous, e.salt, e.body
FROM runs AS r CROSS JOIN events AS e ON e.run_key = r.key AND e.n >= r.entry_n
WHERE r.status = 'running' AND r.run BETWEEN :first_run AND :last_run
ORDER BY r.run, e.n

-- name: history_sizes
-- From the index alone.
SELECT run_key, count(*) FROM events WHERE run_key > :after AND run_key <= :last GROUP BY run_key

-- name: history_events
-- Without what only `skerry verify` looks at: each column costs.
SELECT run_key, seq, n, at_us, version, digest, salt, body
FROM events WHERE run_key BETWEEN :first AND :last
ORDER BY run_key, n

-- name: history_of_run
SELECT run_key, seq, n, at_us, version, digest, salt, body
FROM events WHERE run_key = (SELECT key FROM runs WHERE run = ?)
ORDER BY n

-- name: due
SELECT wake_us, run FROM main.runs INDEXED BY runs_by_wake
WHERE wake_us > 0 AND wake_us <= :until_us AND status IN ('running', 'waiting', 'review')
ORDER BY wake_us, run LIMIT :limit

-- name: answer
SELECT answer FROM claims WHERE scope = ? AND id = ?

-- name: blob
SELECT data FROM blobs WHERE sha256 = ?

-- ---- verifying ------------------------------------------------------------------------------------------------------

-- name: verify_pages
SELECT integrity_check FROM pragma_integrity_check(100) LIMIT :limit

-- name: verify_names
SELECT key, run FROM runs

-- name: verify_last_seq
SELECT coalesce(max(seq), 0) FROM events

-- name: verify_events
SELECT seq, epoch, run_key, n, at_us, kind, version, digest, previous, salt, body
FROM events WHERE seq > :after ORDER BY seq LIMIT :limit

-- name: verify_event
SELECT seq, epoch, run_key, n, at_us, kind, version, digest, previous, salt, body FROM events WHERE seq = ?

-- name: verify_place
-- From the index alone, for an event whose own page is damaged. It reads the whole index.
SELECT run_key, n FROM main.events INDEXED BY events_by_run WHERE +seq = ?

-- name: verify_runs
SELECT
    key, run, workflow, version, status, state, entry_n, wake_us,
    parent, priority, source, event_id, started_us, updated_us, ended_us, note
FROM runs

-- name: verify_blobs
SELECT rowid, sha256, size FROM blobs

-- name: verify_blob
SELECT data FROM blobs WHERE rowid = ?

-- ---- exporting ------------------------------------------------------------------------------------------------------

-- name: export_events
SELECT e.seq, e.epoch, coalesce(r.run, ''), e.n, e.at_us, e.kind, e.version, e.digest, e.previous, e.salt, e.body
FROM events AS e LEFT JOIN runs AS r ON r.key = e.run_key
WHERE e.seq > :after AND e.seq <= :last
ORDER BY e.seq LIMIT 1000

-- name: export_run
SELECT e.seq, e.epoch, r.run, e.n, e.at_us, e.kind, e.version, e.digest, e.previous, e.salt, e.body
FROM runs AS r JOIN events AS e ON e.run_key = r.key
WHERE r.run = :run ORDER BY e.n

-- name: export_rows
SELECT
    key, run, workflow, version, status, state, entry_n, wake_us,
    parent, priority, source, event_id, started_us, updated_us, ended_us, note
FROM runs WHERE key > ? ORDER BY key LIMIT 1000

-- name: export_claims
SELECT scope, id, answer FROM claims ORDER BY scope, id

-- ---- following (telemetry) --------------------------------------------------------------------------------------------

-- name: follow
SELECT e.seq, e.n, e.at_us, e.version, e.run_key, coalesce(r.run, ''), e.body
FROM events AS e LEFT JOIN runs AS r ON r.key = e.run_key
WHERE e.seq > :after ORDER BY e.seq LIMIT :limit

-- name: follow_before
-- The earlier life of a run.
SELECT n, at_us, version, body FROM events WHERE run_key = ? AND n < ? ORDER BY n

-- name: follow_end
SELECT coalesce(max(seq), 0) FROM events

-- name: follow_live
-- From an index: how many runs stand where, but for the many that have ended.
SELECT status, count(*) FROM runs
WHERE status IN ('running', 'waiting', 'review', 'failed', 'parked') GROUP BY status

-- ---- pruning --------------------------------------------------------------------------------------------------------

-- name: prunable
SELECT r.key, r.run, (SELECT count(*) FROM events AS e WHERE e.run_key = r.key)
FROM runs AS r
WHERE r.status IN ('done', 'cancelled') AND r.ended_us > 0 AND r.ended_us < :before_us AND r.pruned_us = 0
-- A child keeps its result until its parent, which may not have heard of it yet, has ended too.
AND NOT EXISTS (
    SELECT 1 FROM runs AS p
    WHERE r.parent <> '' AND p.run = substr(r.parent, 1, instr(r.parent, '/') - 1) AND p.status NOT IN ('done', 'cancelled')
)
ORDER BY r.key LIMIT :limit

-- name: prune_events
UPDATE main.events SET body = NULL, salt = NULL WHERE run_key = ?

-- name: prune_run
UPDATE main.runs SET pruned_us = ? WHERE key = ?

-- name: prune_bodies
SELECT seq, body FROM events WHERE seq > ? AND body IS NOT NULL ORDER BY seq LIMIT 2000

-- name: prune_old_blobs
SELECT sha256 FROM blobs WHERE at_us < ?

-- name: prune_last_blob
SELECT coalesce(max(rowid), 0) FROM blobs

-- name: prune_blob
-- Unless something that came after the search refers to it.
DELETE FROM main.blobs
WHERE sha256 = :sha256 AND rowid <= :rowid
    AND NOT EXISTS (SELECT 1 FROM events AS e WHERE e.seq > :seq AND instr(e.body, :name) > 0)
    AND NOT EXISTS (SELECT 1 FROM blobs AS b WHERE b.rowid > :rowid AND instr(b.data, :name) > 0)

-- name: blob_count
SELECT count(*) FROM blobs

-- name: free_pages
PRAGMA freelist_count

-- name: prune_free_pages
-- Gives free pages back to the disk, and has the log copied into the database.
PRAGMA incremental_vacuum(2000);
PRAGMA wal_checkpoint(PASSIVE);

-- ---- sealing anew (only `rotate.py`) --------------------------------------------------------------------------------

-- name: rotate_events
SELECT seq, digest, salt, body FROM main.events WHERE seq > ? AND body IS NOT NULL ORDER BY seq LIMIT ?

-- name: rotate_event
UPDATE main.events SET salt = ?, body = ? WHERE seq = ?

-- name: rotate_blobs
SELECT rowid, sha256, size, data FROM main.blobs WHERE rowid > ? ORDER BY rowid LIMIT ?

-- name: rotate_blob
UPDATE main.blobs SET data = ? WHERE rowid = ?

-- name: rotate_runs
SELECT key, note FROM main.runs WHERE key > ? AND note <> '' ORDER BY key LIMIT ?

-- name: rotate_run
UPDATE main.runs SET note = ? WHERE key = ?

-- name: rotate_off
DELETE FROM meta WHERE name = 'sealed'
