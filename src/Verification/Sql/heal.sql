-- name: heal_sagas
SELECT order_id, version, state, CAST(facts AS text) AS facts, CAST(steps AS text) AS steps, updated_at
FROM sagas
ORDER BY order_id;

-- name: heal_payments
SELECT order_id, provider, state, authorized, captured, refunded, voided, version, updated_at,
    EXISTS (
        SELECT 1 FROM payment_attempts a WHERE a.order_id = payments.order_id AND a.finished_at IS NULL) AS is_open,
    EXISTS (
        SELECT 1 FROM payment_attempts a
        WHERE a.order_id = payments.order_id AND a.operation = 'void' AND a.reason = 'closed' AND a.state = 'succeeded'
    ) AS is_closed
FROM payments
ORDER BY order_id;

-- name: heal_consumed
-- Orders whose unshipped goods left without a fulfilment.
SELECT DISTINCT order_id FROM movements WHERE kind = 'consumed' AND order_id IS NOT NULL ORDER BY order_id;

-- name: heal_skus
SELECT sku FROM levels;

-- name: heal_erasures
SELECT customer_id, count(*) FILTER (WHERE state = 'erased') > 0 AS is_erased,
    count(*) FILTER (WHERE state IN ('asked', 'withdrawn')) > 0 AS is_running
FROM erasures
GROUP BY customer_id;

-- name: heal_erased
SELECT customer_id FROM erased_customers;
