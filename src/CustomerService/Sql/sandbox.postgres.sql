-- name: lock_sandbox_charges
SELECT {sandbox_charge}
FROM sandbox_charges
WHERE id = ANY (@id)
ORDER BY id
FOR UPDATE;

-- name: load_sandbox_requests
SELECT {sandbox_request} FROM sandbox_requests WHERE key = ANY (@key);

-- name: save_sandbox_charges
INSERT INTO sandbox_charges ({sandbox_charge}, created_at, updated_at)
SELECT {sandbox_charge}, @now, @now
FROM unnest(@id, @key, @order_id, @token, @currency, @state, @amount, @authorized, @captured, @refunded, @voided, @code,
        @message, @holds_until)
    AS batch ({sandbox_charge})
ORDER BY id
ON CONFLICT (id) DO UPDATE
SET state = excluded.state, authorized = excluded.authorized, captured = excluded.captured,
    refunded = excluded.refunded, voided = excluded.voided, code = excluded.code, message = excluded.message,
    updated_at = excluded.updated_at;

-- name: save_sandbox_requests
INSERT INTO sandbox_requests ({sandbox_request}, updated_at)
SELECT {sandbox_request}, @now
FROM unnest(@key, @operation, @outcome, @code, @message) AS batch ({sandbox_request})
ORDER BY key
ON CONFLICT (key) DO UPDATE
SET outcome = excluded.outcome, code = excluded.code, message = excluded.message, updated_at = excluded.updated_at;
