-- name: acknowledged
-- The 2xx answers that name an order, kept under an Idempotency-Key. In order of their bytes, as the other streams are.
SELECT DISTINCT substr(location, 16)::uuid AS id
FROM idempotency
WHERE status BETWEEN 200 AND 299 AND length(location) = 51 AND location LIKE '/api/v1/orders/%'
ORDER BY id;

-- name: orders
SELECT o.id, o.customer_id, o.currency, o.status, o.payment_status, o.lines::text AS lines, o.adjustments_minor, o.total, o.version,
    o.updated_at, o.fulfilment_status,
    (
        SELECT json_agg(json_build_object('number', f.number, 'lines', f.lines, 'value', f.value) ORDER BY f.number)::text
        FROM fulfilments f
        WHERE f.order_id = o.id
    ) AS fulfilments,
    o.capture, EXISTS (SELECT 1 FROM fulfilment_work w WHERE w.order_id = o.id) AS has_open_work
FROM orders o
ORDER BY o.id;

-- name: repeated_references
SELECT merchant, reference, count(*) AS orders
FROM orders
WHERE reference IS NOT NULL
GROUP BY merchant, reference
HAVING count(*) > 1
LIMIT 100;

-- name: events
SELECT order_id, version, type, status
FROM order_events
ORDER BY order_id, version, seq;

-- name: count_unsettled
SELECT count(*) AS total FROM unsettled;

-- name: sagas
SELECT order_id, state, step, waiting_for, updated_at, ended_at
FROM sagas
ORDER BY order_id;

-- name: count_moving
-- Only what has not ended has a timer's row, so that finished sagas are not looked at.
SELECT count(*) AS total
FROM saga_timers t
JOIN sagas s ON s.order_id = t.order_id
WHERE s.state IN ('running', 'compensating');

-- name: count_parked
SELECT count(*) AS total
FROM saga_timers t
JOIN sagas s ON s.order_id = t.order_id
WHERE s.state = 'failed' OR (s.state = 'waiting' AND s.waiting_for IS NOT NULL);

-- name: payments
SELECT order_id, customer_id, provider, currency, amount, state, authorized, captured, refunded, voided, updated_at, (
    SELECT coalesce(sum(c.amount), 0)::bigint
    FROM gateway_calls c
    WHERE c.order_id = payments.order_id AND c.operation IN ('refund', 'void') AND c.state = 'succeeded'
        AND c.resolved_by IS NOT NULL) AS returned_by_operator
FROM payments
ORDER BY order_id;

-- name: charges
SELECT order_id, id, currency, authorized, captured, refunded, voided
FROM sandbox_charges
ORDER BY order_id, id;

-- name: balance_sums
-- A sum of bigint is numeric here, hence the casts.
SELECT customer_id, currency, sum(balance)::bigint AS balance, sum(credited)::bigint AS credited,
    sum(spent)::bigint AS spent
FROM (
    SELECT customer_id, currency, amount AS balance, 0 AS credited, 0 AS spent FROM balances
    UNION ALL
    SELECT customer_id, currency, 0, amount, 0 FROM credits
    UNION ALL
    SELECT customer_id, currency, 0, 0, captured - refunded FROM payments WHERE provider = 'balance'
) AS sums
GROUP BY customer_id, currency;

-- name: journal
SELECT order_id, kind, debit, credit, currency, amount
FROM journal
WHERE order_id IS NOT NULL
ORDER BY order_id, kind, total;

-- name: account_sums
-- What the journal makes of each account, beside what the other tables say. Store credit is counted by its balances.
SELECT account, currency, sum(journal)::bigint AS journal, sum(books)::bigint AS books
FROM (
    SELECT credit AS account, currency, amount AS journal, 0 AS books FROM journal
    UNION ALL
    SELECT debit, currency, -amount, 0 FROM journal
    UNION ALL
    SELECT 'customer:' || customer_id, currency, 0, amount FROM balances
    UNION ALL
    SELECT 'credits', currency, 0, -amount FROM credits
    UNION ALL
    SELECT 'orders', currency, 0, captured - refunded FROM payments WHERE captured > 0
    UNION ALL
    SELECT 'gateway:' || provider, currency, 0, refunded - captured FROM payments WHERE captured > 0 AND provider <> 'balance'
) AS sums
GROUP BY account, currency;

-- name: stock_sums
SELECT sku, sum(on_hand)::bigint AS on_hand, sum(allocated)::bigint AS allocated, sum(reserved)::bigint AS reserved,
    sum(moved_on_hand)::bigint AS moved_on_hand, sum(moved_allocated)::bigint AS moved_allocated
FROM (
    SELECT sku, on_hand, allocated, reserved, 0 AS moved_on_hand, 0 AS moved_allocated FROM levels
    UNION ALL
    SELECT sku, 0, 0, 0, sum(on_hand_delta), sum(allocated_delta) FROM movements GROUP BY sku
) AS sums
GROUP BY sku;

-- name: reservations
SELECT r.order_id, r.state, r.lines::text AS lines, r.expires_at, r.updated_at, h.order_id IS NOT NULL AS is_held,
    (
        SELECT json_agg(json_build_object('number', s.fulfilment, 'lines', s.lines) ORDER BY s.fulfilment)::text
        FROM shipments s
        WHERE s.order_id = r.order_id
    ) AS shipments
FROM reservations r
LEFT JOIN holds h ON h.expires_at = r.expires_at AND h.order_id = r.order_id
ORDER BY r.order_id;
