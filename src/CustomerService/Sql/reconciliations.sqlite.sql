-- name: begin_reconciliations
-- A single run per provider at a time; a second request conflicts with the first.
INSERT INTO reconciliations (id, provider, range_from, range_to, requested_by, state, listed, unrelated, compared,
    in_progress, differences, failures, started_at)
SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, 'waiting', 0, 0, 0, 0, 0, 0, @now
FROM json_each(@rows)
WHERE true -- SQLite's parser needs a WHERE between a SELECT's FROM and ON CONFLICT
ON CONFLICT (provider) WHERE finished_at IS NULL DO NOTHING
RETURNING id;

-- name: last_reconciliations
-- Per provider: the latest scheduled run, the latest scheduled run that failed, and the differences of the latest result.
SELECT batch.provider,
    (SELECT max(r.started_at) FROM reconciliations r
        WHERE r.provider = batch.provider AND r.requested_by IS NULL AND r.state <> 'failed') AS scheduled_at,
    (SELECT max(r.started_at) FROM reconciliations r
        WHERE r.provider = batch.provider AND r.requested_by IS NULL AND r.state = 'failed') AS failed_at,
    (SELECT r.differences FROM reconciliations r
        WHERE r.provider = batch.provider AND r.state IN ('agrees', 'differs') ORDER BY r.id DESC LIMIT 1)
        AS differences
FROM (SELECT value ->> 0 AS provider FROM json_each(@rows)) AS batch;

-- name: take_reconciliation
UPDATE reconciliations
SET owner = @owner, lease_until = @lease_until
WHERE id = (
    SELECT id FROM reconciliations
    WHERE finished_at IS NULL AND (lease_until IS NULL OR lease_until < @now OR lease_until > @too_far)
    ORDER BY id
    LIMIT 1)
RETURNING {reconciliation};

-- name: insert_listed_charges
-- The same page may arrive twice.
INSERT INTO reconciliation_charges (run_id, {listed_charge})
SELECT @run_id, unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
FROM json_each(@rows)
WHERE true
ON CONFLICT (run_id, order_id, reference) DO NOTHING;

-- name: payments_to_compare
SELECT order_id, provider, currency, state, authorized, captured, refunded, voided, gateway_reference, created_at, updated_at
FROM payments
WHERE order_id IN (SELECT unhex(value ->> 0) FROM json_each(@rows));

-- name: journal_to_compare
SELECT order_id, kind, sum(amount) AS amount
FROM journal
WHERE order_id IN (SELECT unhex(value ->> 0) FROM json_each(@rows))
GROUP BY order_id, kind;

-- name: charges_to_compare
SELECT {listed_charge}
FROM reconciliation_charges
WHERE run_id = @run_id AND order_id IN (SELECT unhex(value ->> 0) FROM json_each(@rows))
ORDER BY order_id, reference;

-- name: insert_differences
INSERT INTO reconciliation_differences (run_id, {difference})
SELECT @run_id, value ->> 0, value ->> 1, unhex(value ->> 2), value ->> 3, value ->> 4, value ->> 5, value ->> 6,
    value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12
FROM json_each(@rows);

-- name: list_reconciliations
SELECT {reconciliation}
FROM reconciliations
WHERE (@before IS NULL OR id < @before)
    AND (@provider IS NULL OR provider = @provider)
    AND (@state IS NULL OR state = @state)
ORDER BY id DESC
LIMIT @most;

-- name: list_differences
SELECT {difference}
FROM reconciliation_differences
WHERE run_id = @run_id AND number > @after AND (@kind IS NULL OR kind = @kind)
ORDER BY number
LIMIT @most;

-- name: save_told_orders
INSERT INTO told_orders (order_id, told_at, status, customer_id, currency, provider, token, amount, channel)
SELECT unhex(value ->> 0), @now, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
FROM json_each(@rows)
WHERE true -- SQLite's parser needs a WHERE between a SELECT's FROM and ON CONFLICT
ON CONFLICT (order_id) DO UPDATE
SET told_at = excluded.told_at, status = excluded.status, customer_id = excluded.customer_id, currency = excluded.currency,
    provider = excluded.provider, token = excluded.token, amount = excluded.amount, channel = excluded.channel;

-- name: told_orders
SELECT order_id, status, customer_id, currency, provider, token, amount, channel
FROM told_orders
WHERE order_id IN (SELECT unhex(value ->> 0) FROM json_each(@rows));

-- name: forget_told
DELETE FROM told_orders WHERE order_id IN (SELECT unhex(value ->> 0) FROM json_each(@rows));
