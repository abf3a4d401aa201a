-- name: lock_sandbox_charges
SELECT {sandbox_charge}
FROM sandbox_charges
WHERE id IN (SELECT value ->> 0 FROM json_each(@rows))
ORDER BY id;

-- name: load_sandbox_requests
SELECT {sandbox_request} FROM sandbox_requests
WHERE key IN (SELECT value ->> 0 FROM json_each(@rows));

-- name: save_sandbox_charges
INSERT INTO sandbox_charges ({sandbox_charge}, created_at, updated_at)
SELECT value ->> 0, value ->> 1, unhex(value ->> 2), value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
    value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13, @now, @now
FROM json_each(@rows)
WHERE true -- SQLite's parser needs a WHERE between a SELECT's FROM and ON CONFLICT
ON CONFLICT (id) DO UPDATE
SET state = excluded.state, authorized = excluded.authorized, captured = excluded.captured,
    refunded = excluded.refunded, voided = excluded.voided, code = excluded.code, message = excluded.message,
    updated_at = excluded.updated_at;

-- name: save_sandbox_requests
INSERT INTO sandbox_requests ({sandbox_request}, updated_at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, @now
FROM json_each(@rows)
WHERE true
ON CONFLICT (key) DO UPDATE
SET outcome = excluded.outcome, code = excluded.code, message = excluded.message, updated_at = excluded.updated_at;
