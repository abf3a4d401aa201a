-- name: load_answers
SELECT {answer}
FROM unnest(@scope, @key) AS batch (scope, key)
JOIN idempotency USING (scope, key);

-- name: store_answers
INSERT INTO idempotency ({answer})
SELECT scope, key, hash, status, content_type, location, version, body, settled, @now
FROM unnest(@scope, @key, @hash, @status, @content_type, @location, @version, @body, @settled)
    AS batch (scope, key, hash, status, content_type, location, version, body, settled)
-- In the order of the keys, so that two instances with the same keys cannot deadlock.
ORDER BY scope, key;

-- name: settle_answers
UPDATE idempotency i
SET status = batch.status, content_type = batch.content_type, location = batch.location, version = batch.version,
    body = batch.body, settled = true
FROM (
    -- In the order of the keys, so that two instances with the same keys cannot deadlock.
    SELECT scope, key, status, content_type, location, version, body
    FROM unnest(@scope, @key, @status, @content_type, @location, @version, @body)
        AS answers (scope, key, status, content_type, location, version, body)
    ORDER BY scope, key
) AS batch
WHERE i.scope = batch.scope AND i.key = batch.key AND NOT i.settled;

-- name: purge_answers
DELETE FROM idempotency WHERE ctid IN (SELECT ctid FROM idempotency WHERE created_at < @before LIMIT @most);

-- name: mark_clock
INSERT INTO clock (id, seen_at, aged_at) VALUES (1, @now, @aged_at)
ON CONFLICT (id) DO UPDATE
SET seen_at = excluded.seen_at, aged_at = GREATEST(clock.aged_at, excluded.aged_at);

-- name: purge_dead_letters
DELETE FROM dead_letters
WHERE id IN (SELECT id FROM dead_letters WHERE failed_at < @before AND last_failed_at < @before ORDER BY failed_at LIMIT @most);

-- name: insert_dead_letters
-- The id stands for type, order and reason: a repeated failure is counted, its message replaces the earlier one, and a replayed
-- letter is open again.
INSERT INTO dead_letters (id, order_id, type, source, step, raw, reason, failed_at, last_failed_at, failures)
SELECT id, order_id, type, source, step, raw, reason, @now, @now, failures
FROM unnest(@id, @order_id, @type, @source, @step, @raw, @reason, @failures)
    AS batch (id, order_id, type, source, step, raw, reason, failures)
-- In the order of the keys, so that two instances with the same keys cannot deadlock.
ORDER BY id
ON CONFLICT (id) DO UPDATE
SET failures = dead_letters.failures + excluded.failures, last_failed_at = excluded.last_failed_at, raw = excluded.raw,
    replayed_at = NULL;

-- name: write_probe
-- Tests whether the database accepts writes, by overwriting a single row. No caller has an empty scope.
INSERT INTO idempotency (scope, key, hash, status, body, settled, created_at)
VALUES ('', 'write-probe', ''::bytea, 0, ''::bytea, true, @now)
ON CONFLICT (scope, key) DO UPDATE SET created_at = excluded.created_at;

-- name: save_marks
INSERT INTO marks (service, mark)
SELECT service, mark FROM unnest(@service, @mark) AS batch (service, mark)
ORDER BY service
ON CONFLICT (service) DO UPDATE SET mark = greatest(marks.mark, excluded.mark);
