-- name: load_answers
SELECT {answer}
FROM (SELECT value ->> 0 AS scope, value ->> 1 AS key FROM json_each(@rows))
JOIN idempotency USING (scope, key);

-- name: store_answers
INSERT INTO idempotency ({answer})
SELECT value ->> 0, value ->> 1, unhex(value ->> 2), value ->> 3, value ->> 4, value ->> 5, value ->> 6,
    unhex(value ->> 7), value ->> 8, @now
FROM json_each(@rows);

-- name: settle_answers
UPDATE idempotency
SET status = batch.status, content_type = batch.content_type, location = batch.location, version = batch.version,
    body = batch.body, settled = 1
FROM (
    SELECT value ->> 0 AS scope, value ->> 1 AS key, value ->> 2 AS status, value ->> 3 AS content_type,
        value ->> 4 AS location, value ->> 5 AS version, unhex(value ->> 6) AS body
    FROM json_each(@rows)
) AS batch
WHERE idempotency.scope = batch.scope AND idempotency.key = batch.key AND NOT idempotency.settled;

-- name: purge_answers
-- SQLite has no BRIN. Rowids grow with time, so scanning the oldest rows saves an index.
DELETE FROM idempotency
WHERE rowid IN (
    SELECT rowid FROM (SELECT rowid, created_at FROM idempotency ORDER BY rowid LIMIT @most)
    WHERE created_at < @before
);

-- name: mark_clock
INSERT INTO clock (id, seen_at, aged_at) VALUES (1, @now, @aged_at)
ON CONFLICT (id) DO UPDATE
SET seen_at = excluded.seen_at, aged_at = max(clock.aged_at, excluded.aged_at);

-- name: purge_dead_letters
DELETE FROM dead_letters
WHERE id IN (SELECT id FROM dead_letters WHERE failed_at < @before AND last_failed_at < @before ORDER BY failed_at LIMIT @most);

-- name: insert_dead_letters
-- The id stands for type, order and reason: a repeated failure is counted, its message replaces the earlier one, and a replayed
-- letter is open again.
INSERT INTO dead_letters (id, order_id, type, source, step, raw, reason, failed_at, last_failed_at, failures)
SELECT
    unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, @now, @now,
    value ->> 7
FROM json_each(@rows)
WHERE true -- SQLite's parser needs a WHERE between FROM and ON CONFLICT
ON CONFLICT (id) DO UPDATE
SET failures = dead_letters.failures + excluded.failures, last_failed_at = excluded.last_failed_at, raw = excluded.raw,
    replayed_at = NULL;

-- name: write_probe
-- Tests whether the database accepts writes, by overwriting a single row. No caller has an empty scope.
INSERT INTO idempotency (scope, key, hash, status, body, settled, created_at)
VALUES ('', 'write-probe', x'', 0, x'', 1, @now)
ON CONFLICT (scope, key) DO UPDATE SET created_at = excluded.created_at;

-- name: save_marks
INSERT INTO marks (service, mark)
SELECT value ->> 0, value ->> 1 FROM json_each(@rows)
WHERE true -- SQLite's parser needs a WHERE between FROM and ON CONFLICT
ON CONFLICT (service) DO UPDATE SET mark = max(marks.mark, excluded.mark);
