-- name: lock_customers
SELECT {customer}
FROM customers
WHERE id = ANY (@id)
ORDER BY id
FOR UPDATE;

-- name: open_balances
INSERT INTO balances (customer_id, currency, amount, version)
SELECT customer_id, currency, 0, 1
FROM unnest(@customer_id, @currency) AS batch (customer_id, currency)
ORDER BY customer_id, currency
ON CONFLICT (customer_id, currency) DO NOTHING;

-- name: lock_balances
SELECT b.customer_id, b.currency, b.amount
FROM unnest(@customer_id, @currency) AS batch (customer_id, currency)
JOIN balances b ON b.customer_id = batch.customer_id AND b.currency = batch.currency
ORDER BY b.customer_id, b.currency
FOR UPDATE OF b;

-- name: used_references
SELECT c.customer_id, c.reference
FROM unnest(@customer_id, @reference) AS batch (customer_id, reference)
JOIN credits c ON c.customer_id = batch.customer_id AND c.reference = batch.reference;

-- name: customers_with_balance
SELECT customer_id, currency, amount
FROM balances
WHERE amount > 0 AND customer_id = ANY (@id)
ORDER BY customer_id, currency;

-- name: erasures_of
SELECT {erasure}
FROM erasures
WHERE state <> 'refused' AND customer_id = ANY (@id);

-- name: save_erasures
INSERT INTO erasures ({erasure})
SELECT {erasure}
FROM unnest(@id, @customer_id, @requested_by, @requested_at, @state, @decided_at, @open_orders, @open_order, @orders, @words,
        @orders_done, @notes_done, @asked_at, @next_ask_at)
    AS batch ({erasure})
ON CONFLICT (id) DO UPDATE
SET state = excluded.state, decided_at = excluded.decided_at, open_orders = excluded.open_orders,
    open_order = excluded.open_order, orders = excluded.orders, words = excluded.words, orders_done = excluded.orders_done,
    notes_done = excluded.notes_done, asked_at = excluded.asked_at, next_ask_at = excluded.next_ask_at;

-- name: actions_of_customers
SELECT a.id, p.customer_id, a.reason
FROM operator_actions a
JOIN payments p ON p.order_id = a.order_id
WHERE p.customer_id = ANY (@customer_id);

-- name: erase_actions
UPDATE operator_actions a
SET reason = batch.reason, state_before = NULL, state_after = NULL
FROM unnest(@id, @reason) AS batch (id, reason)
WHERE a.id = batch.id;

-- name: attempts_of_customers
-- Only attempts that operators requested or resolved have a free text.
SELECT a.order_id, a.operation, a.number, p.customer_id, a.reason
FROM payment_attempts a
JOIN payments p ON p.order_id = a.order_id
WHERE a.reason IS NOT NULL AND p.customer_id = ANY (@customer_id);

-- name: erase_attempts
UPDATE payment_attempts a
SET reason = batch.reason
FROM unnest(@order_id, @operation, @number, @reason) AS batch (order_id, operation, number, reason)
WHERE a.order_id = batch.order_id AND a.operation = batch.operation AND a.number = batch.number;

-- name: customers_with_open_payments
SELECT DISTINCT customer_id
FROM payments
WHERE customer_id = ANY (@id) AND provider <> 'balance'
    AND state IN ('authorizing', 'action_required', 'authorized', 'capturing', 'voiding', 'refunding', 'undo_failed');

-- name: insert_customers
INSERT INTO customers ({customer})
SELECT {customer}
FROM unnest(@id, @name, @email, @version, @created_at, @updated_at, @erased_at, @erasure_id)
    AS batch ({customer});

-- name: update_customers
UPDATE customers c
SET name = batch.name, email = batch.email, version = batch.version, created_at = batch.created_at,
    updated_at = batch.updated_at, erased_at = batch.erased_at, erasure_id = batch.erasure_id
FROM unnest(@id, @name, @email, @version, @created_at, @updated_at, @erased_at, @erasure_id)
    AS batch ({customer})
WHERE c.id = batch.id;

-- name: insert_credits
INSERT INTO credits (id, customer_id, currency, amount, reference, created_at)
SELECT id, customer_id, currency, amount, reference, @now
FROM unnest(@id, @customer_id, @currency, @amount, @reference) AS batch (id, customer_id, currency, amount, reference);
