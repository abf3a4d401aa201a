-- name: find_sandbox_charges
SELECT id FROM sandbox_charges WHERE order_id = @order_id ORDER BY created_at DESC, id;

-- name: lock_sandbox_charges
SELECT id, key, order_id, token, currency, state, amount, authorized, captured, refunded, voided, code, message,
    holds_until
FROM sandbox_charges
WHERE id IN (SELECT value ->> 0 FROM json_each(@rows))
ORDER BY id;

-- name: load_sandbox_requests
SELECT key, operation, outcome, code, message FROM sandbox_requests
WHERE key IN (SELECT value ->> 0 FROM json_each(@rows));

-- name: save_sandbox_charges
INSERT INTO sandbox_charges (id, key, order_id, token, currency, state, amount, authorized, captured, refunded, voided,
    code, message, created_at, updated_at, holds_until)
SELECT value ->> 0, value ->> 1, unhex(value ->> 2), value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
    value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, @now, @now,
    value ->> 13
FROM json_each(@rows)
WHERE true -- SQLite's parser needs a WHERE between a SELECT's FROM and ON CONFLICT
ON CONFLICT (id) DO UPDATE
SET state = excluded.state, authorized = excluded.authorized, captured = excluded.captured,
    refunded = excluded.refunded, voided = excluded.voided, code = excluded.code, message = excluded.message,
    updated_at = excluded.updated_at;

-- name: save_sandbox_requests
INSERT INTO sandbox_requests (key, operation, outcome, code, message, updated_at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, @now
FROM json_each(@rows)
WHERE true
ON CONFLICT (key) DO UPDATE
SET outcome = excluded.outcome, code = excluded.code, message = excluded.message, updated_at = excluded.updated_at;

-- name: charges_by_time
SELECT id, key, order_id, currency, state, amount, authorized, captured, refunded, voided, created_at, updated_at
FROM sandbox_charges
WHERE created_at >= @from AND created_at < @to AND (created_at, id) > (@after_time, @after_id)
ORDER BY created_at, id
LIMIT @most;
