-- name: begin_reconciliations
-- One of a provider at a time: the second finds the first.
INSERT INTO reconciliations (id, provider, range_from, range_to, asked_by, state, listed, unrelated, compared, under_way,
    differences, failures, started_at)
SELECT id, provider, range_from, range_to, asked_by, 'waiting', 0, 0, 0, 0, 0, 0, @now
FROM unnest(@id, @provider, @range_from, @range_to, @asked_by) AS batch (id, provider, range_from, range_to, asked_by)
ON CONFLICT (provider) WHERE finished_at IS NULL DO NOTHING
RETURNING id;

-- name: last_reconciliations
-- Of each provider the newest that the schedule began, the newest of these that failed, and the newest that came to a result.
SELECT asked.provider,
    (SELECT max(r.started_at) FROM reconciliations r
        WHERE r.provider = asked.provider AND r.asked_by IS NULL AND r.state <> 'failed'),
    (SELECT max(r.started_at) FROM reconciliations r
        WHERE r.provider = asked.provider AND r.asked_by IS NULL AND r.state = 'failed'),
    (SELECT r.differences FROM reconciliations r
        WHERE r.provider = asked.provider AND r.state IN ('agrees', 'differs') ORDER BY r.id DESC LIMIT 1)
FROM unnest(@provider) AS asked (provider);

-- name: take_reconciliation
UPDATE reconciliations
SET owner = @owner, lease_until = @lease_until
WHERE id = (
    SELECT id FROM reconciliations
    WHERE finished_at IS NULL AND (lease_until IS NULL OR lease_until < @now OR lease_until > @too_far)
    ORDER BY id
    LIMIT 1
    FOR UPDATE SKIP LOCKED)
RETURNING id, provider, range_from, range_to, asked_by, state, next_page, compared_to, listed, unrelated, compared, under_way,
    differences, failures, message, started_at, listed_at, finished_at;

-- name: save_reconciliation
UPDATE reconciliations
SET state = @state, next_page = @next_page, compared_to = @compared_to, listed = @listed, unrelated = @unrelated,
    compared = @compared, under_way = @under_way, differences = @differences, failures = @failures, message = @message,
    listed_at = @listed_at, finished_at = @finished_at, lease_until = @lease_until
WHERE id = @id AND owner = @owner;

-- name: insert_listed_charges
-- A page may be read twice.
INSERT INTO reconciliation_charges (run_id, order_id, reference, currency, state, held, captured, refunded, created_at)
SELECT @run_id, order_id, reference, currency, state, held, captured, refunded, created_at
FROM unnest(@order_id, @reference, @currency, @state, @held, @captured, @refunded, @created_at)
    AS batch (order_id, reference, currency, state, held, captured, refunded, created_at)
ON CONFLICT (run_id, order_id, reference) DO NOTHING;

-- name: orders_to_compare
-- Those that the gateway lists, and those that were to be paid there.
SELECT order_id
FROM (
    SELECT order_id
    FROM (
        SELECT order_id FROM reconciliation_charges
        WHERE run_id = @run_id AND order_id > @after
        ORDER BY order_id LIMIT @most
    ) AS theirs
    UNION
    SELECT order_id
    FROM (
        SELECT order_id FROM payments
        WHERE order_id > @after AND order_id >= @first AND order_id < @end AND provider = @provider
        ORDER BY order_id LIMIT @most
    ) AS ours
) AS either
ORDER BY order_id
LIMIT @most;

-- name: payments_to_compare
SELECT order_id, provider, currency, state, authorized, captured, refunded, voided, gateway_reference, created_at, updated_at
FROM payments
WHERE order_id = ANY (@order_id);

-- name: journal_to_compare
SELECT order_id, kind, sum(amount)::bigint
FROM journal
WHERE order_id = ANY (@order_id)
GROUP BY order_id, kind;

-- name: charges_to_compare
SELECT reference, order_id, currency, state, held, captured, refunded, created_at
FROM reconciliation_charges
WHERE run_id = @run_id AND order_id = ANY (@order_id)
ORDER BY order_id, reference;

-- name: drop_compared_charges
DELETE FROM reconciliation_charges WHERE run_id = @run_id AND order_id <= @compared_to;

-- name: insert_differences
INSERT INTO reconciliation_differences (run_id, n, kind, order_id, reference, currency, our_held, our_captured, our_refunded,
    their_held, their_captured, their_refunded, message, repair)
SELECT @run_id, n, kind, order_id, reference, currency, our_held, our_captured, our_refunded, their_held, their_captured,
    their_refunded, message, repair
FROM unnest(@n, @kind, @order_id, @reference, @currency, @our_held, @our_captured, @our_refunded, @their_held, @their_captured,
        @their_refunded, @message, @repair)
    AS batch (n, kind, order_id, reference, currency, our_held, our_captured, our_refunded, their_held, their_captured,
        their_refunded, message, repair);

-- name: list_reconciliations
SELECT id, provider, range_from, range_to, asked_by, state, next_page, compared_to, listed, unrelated, compared, under_way,
    differences, failures, message, started_at, listed_at, finished_at
FROM reconciliations
WHERE (@before::uuid IS NULL OR id < @before)
    AND (@provider::text IS NULL OR provider = @provider)
    AND (@state::text IS NULL OR state = @state)
ORDER BY id DESC
LIMIT @most;

-- name: find_reconciliation
SELECT id, provider, range_from, range_to, asked_by, state, next_page, compared_to, listed, unrelated, compared, under_way,
    differences, failures, message, started_at, listed_at, finished_at
FROM reconciliations
WHERE id = @id;

-- name: list_differences
SELECT n, kind, order_id, reference, currency, our_held, our_captured, our_refunded, their_held, their_captured,
    their_refunded, message, repair
FROM reconciliation_differences
WHERE run_id = @run_id AND n > @after AND (@kind::text IS NULL OR kind = @kind)
ORDER BY n
LIMIT @most;

-- name: forget_differences
DELETE FROM reconciliation_differences
WHERE run_id IN (SELECT id FROM reconciliations WHERE finished_at < @before);

-- name: forget_listed_charges
DELETE FROM reconciliation_charges
WHERE run_id IN (SELECT id FROM reconciliations WHERE finished_at < @before);

-- name: forget_reconciliations
DELETE FROM reconciliations WHERE finished_at < @before;
