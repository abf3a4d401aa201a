-- name: find_sandbox_charges
SELECT id FROM sandbox_charges WHERE order_id = @order_id ORDER BY created_at DESC, id;

-- name: lock_sandbox_charges
SELECT id, key, order_id, token, currency, state, amount, authorized, captured, refunded, voided, code, message,
    holds_until
FROM sandbox_charges
WHERE id = ANY (@id)
ORDER BY id
FOR UPDATE;

-- name: load_sandbox_requests
SELECT key, operation, outcome, code, message FROM sandbox_requests WHERE key = ANY (@key);

-- name: save_sandbox_charges
INSERT INTO sandbox_charges (id, key, order_id, token, currency, state, amount, authorized, captured, refunded, voided,
    code, message, created_at, updated_at, holds_until)
SELECT id, key, order_id, token, currency, state, amount, authorized, captured, refunded, voided, code, message, @now, @now,
    holds_until
FROM unnest(@id, @key, @order_id, @token, @currency, @state, @amount, @authorized, @captured, @refunded, @voided, @code,
        @message, @holds_until)
    AS batch (id, key, order_id, token, currency, state, amount, authorized, captured, refunded, voided, code, message,
        holds_until)
ORDER BY id
ON CONFLICT (id) DO UPDATE
SET state = excluded.state, authorized = excluded.authorized, captured = excluded.captured,
    refunded = excluded.refunded, voided = excluded.voided, code = excluded.code, message = excluded.message,
    updated_at = excluded.updated_at;

-- name: save_sandbox_requests
INSERT INTO sandbox_requests (key, operation, outcome, code, message, updated_at)
SELECT key, operation, outcome, code, message, @now
FROM unnest(@key, @operation, @outcome, @code, @message) AS batch (key, operation, outcome, code, message)
ORDER BY key
ON CONFLICT (key) DO UPDATE
SET outcome = excluded.outcome, code = excluded.code, message = excluded.message, updated_at = excluded.updated_at;

-- name: charges_by_time
SELECT id, key, order_id, currency, state, amount, authorized, captured, refunded, voided, created_at, updated_at
FROM sandbox_charges
WHERE created_at >= @from AND created_at < @to AND (created_at, id) > (@after_time, @after_id)
ORDER BY created_at, id
LIMIT @most;
