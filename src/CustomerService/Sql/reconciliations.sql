-- columns: reconciliation
id, provider, range_from, range_to, requested_by, state, next_page, compared_through, listed, unrelated, compared,
    in_progress, differences, failures, message, started_at, listed_at, finished_at

-- columns: difference
number, kind, order_id, reference, currency, our_held, our_captured, our_refunded, gateway_held, gateway_captured,
    gateway_refunded, message, repair

-- columns: listed_charge
order_id, reference, currency, state, held, captured, refunded, created_at

-- name: save_reconciliation
UPDATE reconciliations
SET state = @state, next_page = @next_page, compared_through = @compared_through, listed = @listed, unrelated = @unrelated,
    compared = @compared, in_progress = @in_progress, differences = @differences, failures = @failures, message = @message,
    listed_at = @listed_at, finished_at = @finished_at, lease_until = @lease_until
WHERE id = @id AND owner = @owner;

-- name: orders_to_compare
-- Orders listed by the gateway, and orders to be paid through the gateway.
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

-- name: drop_compared_charges
DELETE FROM reconciliation_charges WHERE run_id = @run_id AND order_id <= @compared_through;

-- name: find_reconciliation
SELECT {reconciliation}
FROM reconciliations
WHERE id = @id;

-- name: forget_differences
DELETE FROM reconciliation_differences
WHERE run_id IN (SELECT id FROM reconciliations WHERE finished_at < @before);

-- name: forget_listed_charges
DELETE FROM reconciliation_charges
WHERE run_id IN (SELECT id FROM reconciliations WHERE finished_at < @before);

-- name: forget_reconciliations
DELETE FROM reconciliations WHERE finished_at < @before;

-- name: forget_told_orders
DELETE FROM told_orders WHERE told_at < @before;
