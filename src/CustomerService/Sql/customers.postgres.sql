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

-- name: customers_with_open_payments
SELECT DISTINCT customer_id
FROM payments
WHERE customer_id = ANY (@id) AND provider <> 'balance'
    AND state IN ('authorizing', 'action_required', 'authorized', 'capturing', 'voiding', 'refunding', 'undo_failed');

-- name: insert_customers
INSERT INTO customers ({customer})
SELECT {customer}
FROM unnest(@id, @name, @email, @version, @created_at, @updated_at, @erased_at)
    AS batch ({customer});

-- name: update_customers
UPDATE customers c
SET name = batch.name, email = batch.email, version = batch.version, created_at = batch.created_at,
    updated_at = batch.updated_at, erased_at = batch.erased_at
FROM unnest(@id, @name, @email, @version, @created_at, @updated_at, @erased_at)
    AS batch ({customer})
WHERE c.id = batch.id;

-- name: insert_credits
INSERT INTO credits (id, customer_id, currency, amount, reference, created_at)
SELECT id, customer_id, currency, amount, reference, @now
FROM unnest(@id, @customer_id, @currency, @amount, @reference) AS batch (id, customer_id, currency, amount, reference);
