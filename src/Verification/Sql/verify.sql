-- name: repeated_references
SELECT channel, reference, count(*) AS orders
FROM orders
WHERE reference IS NOT NULL AND NOT (status IN ('rejected', 'expired', 'cancelled') AND fulfilment_status = 'unfulfilled')
GROUP BY channel, reference
HAVING count(*) > 1
LIMIT 100;

-- name: events
SELECT order_id, version, type, status
FROM order_events
ORDER BY order_id, version, seq;

-- name: count_unsettled
SELECT count(*) AS total FROM unsettled_orders;

-- name: sagas
SELECT order_id, state, step, waiting_for, updated_at, ended_at
FROM sagas
ORDER BY order_id;

-- name: count_moving
-- Only open sagas have a timer, so finished sagas are not read.
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
-- In PostgreSQL a sum of bigint is numeric, hence the casts here and below.
SELECT order_id, customer_id, provider, currency, amount, state, authorized, captured, refunded, voided, updated_at,
    CAST((
        SELECT coalesce(sum(a.amount), 0)
        FROM payment_attempts a
        WHERE a.order_id = payments.order_id AND a.operation IN ('refund', 'void') AND a.state = 'succeeded'
            AND a.resolved_by IS NOT NULL
    ) AS bigint) AS returned_by_operator
FROM payments
ORDER BY order_id;

-- name: charges
SELECT order_id, id, currency, authorized, captured, refunded, voided
FROM sandbox_charges
ORDER BY order_id, id;

-- name: erased_customers
SELECT c.id, c.erased_at, CAST(coalesce(sum(b.amount), 0) AS bigint) AS balance
FROM customers c
LEFT JOIN balances b ON b.customer_id = c.id
WHERE c.erased_at IS NOT NULL
GROUP BY c.id, c.erased_at;

-- name: balance_sums
SELECT customer_id, currency, CAST(sum(balance) AS bigint) AS balance, CAST(sum(credited) AS bigint) AS credited,
    CAST(sum(spent) AS bigint) AS spent
FROM (
    SELECT customer_id, currency, amount AS balance, 0 AS credited, 0 AS spent FROM balances
    UNION ALL
    SELECT customer_id, currency, 0, amount, 0 FROM credits
    UNION ALL
    SELECT customer_id, currency, 0, 0, captured - refunded FROM payments WHERE provider = 'balance'
) AS sums
GROUP BY customer_id, currency;

-- name: journal
SELECT order_id, kind, debit_account, credit_account, currency, amount
FROM journal
WHERE order_id IS NOT NULL
ORDER BY order_id, kind, running_total;

-- name: account_sums
-- Each account by the journal and by the other tables. Balances represent store credit.
SELECT account, currency, CAST(sum(journal) AS bigint) AS journal, CAST(sum(books) AS bigint) AS books
FROM (
    SELECT credit_account AS account, currency, amount AS journal, 0 AS books FROM journal
    UNION ALL
    SELECT debit_account, currency, -amount, 0 FROM journal
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
SELECT sku, CAST(sum(on_hand) AS bigint) AS on_hand, CAST(sum(allocated) AS bigint) AS allocated,
    CAST(sum(reserved) AS bigint) AS reserved, CAST(sum(moved_on_hand) AS bigint) AS moved_on_hand,
    CAST(sum(moved_allocated) AS bigint) AS moved_allocated
FROM (
    SELECT sku, on_hand, allocated, reserved, 0 AS moved_on_hand, 0 AS moved_allocated FROM levels
    UNION ALL
    SELECT sku, 0, 0, 0, sum(on_hand_delta), sum(allocated_delta) FROM movements GROUP BY sku
) AS sums
GROUP BY sku;

-- name: database_since
SELECT min(applied_at) AS since FROM schema_migrations;

-- name: find_order
SELECT id FROM orders WHERE id = @id;

-- name: future_order_stamps
-- Times of writing only: deadlines and expiries lie in the future by right.
SELECT 'orders' AS stamped, count(*) AS total, max(updated_at) AS latest FROM orders WHERE updated_at > @limit
UNION ALL
SELECT 'order_events', count(*), max(at) FROM order_events WHERE at > @limit
UNION ALL
SELECT 'fulfilments', count(*), max(created_at) FROM fulfilments WHERE created_at > @limit
UNION ALL
SELECT 'idempotency', count(*), max(created_at) FROM idempotency WHERE created_at > @limit;

-- name: future_customer_stamps
SELECT 'payments' AS stamped, count(*) AS total, max(updated_at) AS latest FROM payments WHERE updated_at > @limit
UNION ALL
SELECT 'payment_attempts', count(*), max(started_at) FROM payment_attempts WHERE started_at > @limit
UNION ALL
SELECT 'journal', count(*), max(recorded_at) FROM journal WHERE recorded_at > @limit
UNION ALL
SELECT 'credits', count(*), max(created_at) FROM credits WHERE created_at > @limit
UNION ALL
SELECT 'customers', count(*), max(updated_at) FROM customers WHERE updated_at > @limit
UNION ALL
SELECT 'idempotency', count(*), max(created_at) FROM idempotency WHERE created_at > @limit;

-- name: future_stock_stamps
SELECT 'reservations' AS stamped, count(*) AS total, max(updated_at) AS latest FROM reservations WHERE updated_at > @limit
UNION ALL
SELECT 'movements', count(*), max(at) FROM movements WHERE at > @limit
UNION ALL
SELECT 'shipments', count(*), max(created_at) FROM shipments WHERE created_at > @limit
UNION ALL
SELECT 'products', count(*), max(updated_at) FROM products WHERE updated_at > @limit
UNION ALL
SELECT 'idempotency', count(*), max(created_at) FROM idempotency WHERE created_at > @limit;

-- name: future_saga_stamps
SELECT 'sagas' AS stamped, count(*) AS total, max(updated_at) AS latest FROM sagas WHERE updated_at > @limit
UNION ALL
SELECT 'incident_notes', count(*), max(updated_at) FROM incident_notes WHERE updated_at > @limit
UNION ALL
SELECT 'operator_actions', count(*), max(at) FROM operator_actions WHERE at > @limit
UNION ALL
SELECT 'idempotency', count(*), max(created_at) FROM idempotency WHERE created_at > @limit;
