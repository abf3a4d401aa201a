-- name: lock_customers
SELECT {customer}
FROM customers
WHERE id IN (SELECT value ->> 0 FROM json_each(@rows))
ORDER BY id;

-- name: open_balances
INSERT INTO balances (customer_id, currency, amount, version)
SELECT value ->> 0, value ->> 1, 0, 1
FROM json_each(@rows)
WHERE true -- SQLite's parser needs a WHERE between a SELECT's FROM and ON CONFLICT
ON CONFLICT (customer_id, currency) DO NOTHING;

-- name: lock_balances
SELECT b.customer_id, b.currency, b.amount
FROM json_each(@rows) AS batch
JOIN balances b ON b.customer_id = batch.value ->> 0 AND b.currency = batch.value ->> 1;

-- name: used_references
SELECT c.customer_id, c.reference
FROM json_each(@rows) AS batch
JOIN credits c ON c.customer_id = batch.value ->> 0 AND c.reference = batch.value ->> 1;

-- name: customers_with_balance
SELECT customer_id, currency, amount
FROM balances
WHERE amount > 0 AND customer_id IN (SELECT value ->> 0 FROM json_each(@rows))
ORDER BY customer_id, currency;

-- name: erasures_of
SELECT {erasure}
FROM erasures
WHERE state <> 'refused' AND customer_id IN (SELECT value ->> 0 FROM json_each(@rows));

-- name: save_erasures
INSERT INTO erasures ({erasure})
SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, unhex(value ->> 7),
    value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13
FROM json_each(@rows)
WHERE true -- SQLite's parser needs a WHERE between a SELECT's FROM and ON CONFLICT
ON CONFLICT (id) DO UPDATE
SET state = excluded.state, decided_at = excluded.decided_at, open_orders = excluded.open_orders,
    open_order = excluded.open_order, orders = excluded.orders, words = excluded.words, orders_done = excluded.orders_done,
    notes_done = excluded.notes_done, asked_at = excluded.asked_at, next_ask_at = excluded.next_ask_at;

-- name: actions_of_customers
SELECT a.id, p.customer_id, a.reason
FROM operator_actions a
JOIN payments p ON p.order_id = a.order_id
WHERE p.customer_id IN (SELECT value ->> 0 FROM json_each(@rows));

-- name: erase_actions
UPDATE operator_actions
SET reason = batch.reason, state_before = NULL, state_after = NULL
FROM (SELECT unhex(value ->> 0) AS id, value ->> 1 AS reason FROM json_each(@rows)) AS batch
WHERE operator_actions.id = batch.id;

-- name: attempts_of_customers
-- Only attempts that operators requested or resolved have a free text.
SELECT a.order_id, a.operation, a.number, p.customer_id, a.reason
FROM payment_attempts a
JOIN payments p ON p.order_id = a.order_id
WHERE a.reason IS NOT NULL AND p.customer_id IN (SELECT value ->> 0 FROM json_each(@rows));

-- name: erase_attempts
UPDATE payment_attempts
SET reason = batch.reason
FROM (
    SELECT unhex(value ->> 0) AS order_id, value ->> 1 AS operation, value ->> 2 AS number, value ->> 3 AS reason
    FROM json_each(@rows)
) AS batch
WHERE payment_attempts.order_id = batch.order_id AND payment_attempts.operation = batch.operation
    AND payment_attempts.number = batch.number;

-- name: customers_with_open_payments
SELECT DISTINCT customer_id
FROM payments
WHERE customer_id IN (SELECT value ->> 0 FROM json_each(@rows)) AND provider <> 'balance'
    AND state IN ('authorizing', 'action_required', 'authorized', 'capturing', 'voiding', 'refunding', 'undo_failed');

-- name: insert_customers
INSERT INTO customers ({customer})
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, unhex(value ->> 7)
FROM json_each(@rows);

-- name: update_customers
UPDATE customers
SET name = batch.name, email = batch.email, version = batch.version, created_at = batch.created_at,
    updated_at = batch.updated_at, erased_at = batch.erased_at, erasure_id = batch.erasure_id
FROM (
    SELECT value ->> 0 AS id, value ->> 1 AS name, value ->> 2 AS email, value ->> 3 AS version,
        value ->> 4 AS created_at, value ->> 5 AS updated_at, value ->> 6 AS erased_at, unhex(value ->> 7) AS erasure_id
    FROM json_each(@rows)
) AS batch
WHERE customers.id = batch.id;

-- name: insert_credits
INSERT INTO credits (id, customer_id, currency, amount, reference, created_at)
SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, @now
FROM json_each(@rows);
