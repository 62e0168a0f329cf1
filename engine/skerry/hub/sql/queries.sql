-- The hub's statements, by name. The loader is `__init__.py` beside this file.

-- name: meta
SELECT value FROM meta WHERE name = ?

-- name: put_meta
INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: node
SELECT key, epoch, seq, hash, trouble FROM nodes WHERE node = ?

-- name: stands
SELECT node, epoch, seq, hash, trouble FROM nodes

-- name: add_node
INSERT INTO nodes (node, hash) VALUES (?, ?) RETURNING key

-- name: node_stands
UPDATE nodes SET epoch = :epoch, seq = :seq, hash = :hash, at_us = max(at_us, :at_us), trouble = '' WHERE key = :key

-- name: node_heard
-- Never back: a stream that is read again tells old news.
UPDATE nodes SET
    head = CASE WHEN :sent_us >= sent_us THEN :head ELSE head END,
    software = CASE WHEN :sent_us >= sent_us THEN :software ELSE software END,
    sent_us = max(sent_us, :sent_us), applied_us = :now_us
WHERE key = :key

-- name: node_trouble
UPDATE nodes SET trouble = :trouble WHERE key = :key

-- name: event
SELECT e.seq, e.epoch, coalesce(r.run, ''), e.n, e.at_us, e.kind, e.version, e.digest, e.previous
FROM events AS e LEFT JOIN runs AS r ON r.key = e.run_key
WHERE e.node = :node AND e.epoch = :epoch AND e.seq = :seq

-- name: epoch_at
-- Of which epoch the event of the chain is.
SELECT coalesce(max(epoch), 0) FROM lines WHERE node = :node AND first <= :seq

-- name: add_line
INSERT INTO lines (node, epoch, first) VALUES (?, ?, ?)

-- name: insert_event
INSERT INTO events (node, epoch, seq, run_key, n, at_us, kind, version, digest, previous, salt, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: run_key
SELECT key FROM runs WHERE run = ?

-- name: put_run
-- What was made of a later end of the journal stays.
INSERT INTO runs (run, node, epoch, seq, workflow, status, started_us, row)
VALUES (:run, :node, :epoch, :seq, :workflow, :status, :started_us, :row)
ON CONFLICT (run) DO UPDATE SET
    epoch = excluded.epoch, seq = excluded.seq, workflow = excluded.workflow, status = excluded.status,
    started_us = excluded.started_us, row = excluded.row
WHERE (excluded.epoch, excluded.seq) >= (runs.epoch, runs.seq) AND excluded.node = runs.node

-- name: remove_bodies
UPDATE events SET body = NULL, salt = NULL WHERE run_key = (SELECT key FROM runs WHERE run = :run) AND node = :node

-- name: put_blob
INSERT INTO blobs (sha256, size, data) VALUES (?, ?, ?) ON CONFLICT (sha256) DO NOTHING

-- name: blob
SELECT data FROM blobs WHERE sha256 = ?

-- name: put_apart
INSERT INTO apart (node, epoch, first, last, hash, at_us, why, page) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING

-- ---- looking --------------------------------------------------------------------------------------------------------

-- name: fleet
SELECT
    n.node, n.epoch, n.seq, hex(n.hash), n.at_us, n.head, n.sent_us, n.applied_us, n.software, n.trouble,
    (SELECT count(*) FROM apart AS a WHERE a.node = n.key), n.adopted_by
FROM nodes AS n ORDER BY n.node

-- name: fleet_runs
SELECT n.node, r.status, count(*) FROM runs AS r JOIN nodes AS n ON n.key = r.node GROUP BY n.node, r.status

-- name: runs
SELECT
    n.node, r.row,
    r.epoch <> (SELECT coalesce(max(l.epoch), 0) FROM lines AS l WHERE l.node = r.node AND l.first <= r.seq)
FROM runs AS r JOIN nodes AS n ON n.key = r.node
WHERE (:node = '' OR n.node = :node) AND (:status = '' OR r.status = :status) AND (:workflow = '' OR r.workflow = :workflow)
ORDER BY r.started_us DESC, r.run DESC LIMIT :limit

-- name: chain
-- A node's journal as it is now, from an event on.
SELECT e.seq, e.epoch, coalesce(r.run, ''), e.n, e.at_us, e.kind, e.version, e.digest, e.previous, e.salt, e.body
FROM lines AS l
JOIN events AS e ON e.node = l.node AND e.epoch = l.epoch AND e.seq > :after AND e.seq >= l.first AND e.seq < coalesce(
    (SELECT min(f.first) FROM lines AS f WHERE f.node = l.node AND f.epoch > l.epoch), 9223372036854775807
)
LEFT JOIN runs AS r ON r.key = e.run_key
WHERE l.node = (SELECT key FROM nodes WHERE node = :node)
ORDER BY e.seq LIMIT :limit

-- name: put_command
INSERT INTO commands (id, node, run, state, at_us, command) VALUES (?, ?, ?, 'open', ?, ?) ON CONFLICT DO NOTHING

-- name: put_outcome
-- The first word counts.
INSERT INTO commands (id, node, run, state, at_us, decided_us, command, outcome)
VALUES (:id, :node, :run, :state, :at_us, :decided_us, :command, :outcome)
ON CONFLICT (id) DO UPDATE SET
    state = excluded.state, decided_us = excluded.decided_us, outcome = excluded.outcome
WHERE commands.state = 'open' AND commands.node = excluded.node

-- name: command
SELECT state, command, outcome FROM commands WHERE id = ?

-- name: commands
SELECT state, command, outcome FROM commands
WHERE (:node = '' OR node = :node) AND (:state = '' OR state = :state)
ORDER BY at_us DESC, id LIMIT :limit

-- name: find_run
SELECT n.node, r.row,
    r.epoch <> (SELECT coalesce(max(l.epoch), 0) FROM lines AS l WHERE l.node = r.node AND l.first <= r.seq)
FROM runs AS r JOIN nodes AS n ON n.key = r.node
WHERE r.run = :named OR (length(:named) >= 6 AND (r.run LIKE '%' || :named OR r.run LIKE :named || '%'))
LIMIT 6

-- name: apart
SELECT n.node, a.epoch, a.first, a.last, a.at_us, a.why, a.page FROM apart AS a JOIN nodes AS n ON n.key = a.node
WHERE :node = '' OR n.node = :node ORDER BY n.node, a.epoch, a.first LIMIT :limit

-- name: last_review
SELECT e.body FROM events AS e JOIN runs AS r ON r.key = e.run_key
WHERE r.run = ? AND e.kind = 'review.opened' AND e.body IS NOT NULL ORDER BY e.n DESC LIMIT 1

-- name: row_of_run
SELECT row FROM runs WHERE run = ?

-- ---- a lost node, and the one that adopts it ------------------------------------------------------------------------

-- name: node_adopted
UPDATE nodes SET adopted_by = :by WHERE key = :key

-- name: adopted_by
SELECT adopted_by FROM nodes WHERE node = ?

-- name: fork
-- Where a later epoch than this one has gone on: the event before.
SELECT min(first) - 1 FROM lines WHERE node = (SELECT key FROM nodes WHERE node = :node) AND epoch > :epoch

-- ---- of the copy of a journal (its own tables) ------------------------------------------------------------------------

-- name: copy_life
SELECT n, kind, at_us FROM events WHERE run_key = ? ORDER BY n

-- name: copy_body
SELECT version, body FROM events WHERE run_key = ? AND n = ? AND body IS NOT NULL

-- name: copy_told
-- The events that have answered an id.
SELECT r.run, e.version, e.body FROM events AS e JOIN runs AS r ON r.key = e.run_key
WHERE e.kind IN ('run.started', 'signal.received', 'review.answered', 'cancel.requested', 'run.retried') AND e.body IS NOT NULL

-- name: copy_claim
INSERT INTO claims (scope, id, answer) VALUES (?, ?, ?) ON CONFLICT DO NOTHING
