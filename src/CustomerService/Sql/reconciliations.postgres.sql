-- name: begin_reconciliations
-- A single run per provider at a time; a second request conflicts with the first.
INSERT INTO reconciliations (id, provider, range_from, range_to, requested_by, state, listed, unrelated, compared,
    in_progress, differences, failures, started_at)
SELECT id, provider, range_from, range_to, requested_by, 'waiting', 0, 0, 0, 0, 0, 0, @now
FROM unnest(@id, @provider, @range_from, @range_to, @requested_by) AS batch (id, provider, range_from, range_to, requested_by)
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
FROM unnest(@provider) AS batch (provider);

-- name: take_reconciliation
UPDATE reconciliations
SET owner = @owner, lease_until = @lease_until
WHERE id = (
    SELECT id FROM reconciliations
    WHERE finished_at IS NULL AND (lease_until IS NULL OR lease_until < @now OR lease_until > @too_far)
    ORDER BY id
    LIMIT 1
    FOR UPDATE SKIP LOCKED)
RETURNING {reconciliation};

-- name: insert_listed_charges
-- The same page may arrive twice.
INSERT INTO reconciliation_charges (run_id, {listed_charge})
SELECT @run_id, {listed_charge}
FROM unnest(@order_id, @reference, @currency, @state, @held, @captured, @refunded, @created_at)
    AS batch ({listed_charge})
ON CONFLICT (run_id, order_id, reference) DO NOTHING;

-- name: payments_to_compare
SELECT order_id, provider, currency, state, authorized, captured, refunded, voided, gateway_reference, created_at, updated_at
FROM payments
WHERE order_id = ANY (@order_id);

-- name: journal_to_compare
SELECT order_id, kind, sum(amount)::bigint AS amount
FROM journal
WHERE order_id = ANY (@order_id)
GROUP BY order_id, kind;

-- name: charges_to_compare
SELECT {listed_charge}
FROM reconciliation_charges
WHERE run_id = @run_id AND order_id = ANY (@order_id)
ORDER BY order_id, reference;

-- name: insert_differences
INSERT INTO reconciliation_differences (run_id, {difference})
SELECT @run_id, {difference}
FROM unnest(@number, @kind, @order_id, @reference, @currency, @our_held, @our_captured, @our_refunded,
        @gateway_held, @gateway_captured, @gateway_refunded, @message, @repair)
    AS batch ({difference});

-- name: list_reconciliations
SELECT {reconciliation}
FROM reconciliations
WHERE (@before::uuid IS NULL OR id < @before)
    AND (@provider::text IS NULL OR provider = @provider)
    AND (@state::text IS NULL OR state = @state)
ORDER BY id DESC
LIMIT @most;

-- name: list_differences
SELECT {difference}
FROM reconciliation_differences
WHERE run_id = @run_id AND number > @after AND (@kind::text IS NULL OR kind = @kind)
ORDER BY number
LIMIT @most;

-- name: save_told_orders
INSERT INTO told_orders (order_id, told_at, status, customer_id, currency, provider, token, amount, channel)
SELECT order_id, @now, status, customer_id, currency, provider, token, amount, channel
FROM unnest(@order_id, @status, @customer_id, @currency, @provider, @token, @amount, @channel)
    AS batch (order_id, status, customer_id, currency, provider, token, amount, channel)
ON CONFLICT (order_id) DO UPDATE
SET told_at = excluded.told_at, status = excluded.status, customer_id = excluded.customer_id, currency = excluded.currency,
    provider = excluded.provider, token = excluded.token, amount = excluded.amount, channel = excluded.channel;

-- name: told_orders
SELECT order_id, status, customer_id, currency, provider, token, amount, channel
FROM told_orders
WHERE order_id = ANY (@order_id);

-- name: forget_told
DELETE FROM told_orders WHERE order_id = ANY (@order_id);
