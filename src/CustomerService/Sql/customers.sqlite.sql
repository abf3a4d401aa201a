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

-- name: customers_with_open_payments
SELECT DISTINCT customer_id
FROM payments
WHERE customer_id IN (SELECT value ->> 0 FROM json_each(@rows)) AND provider <> 'balance'
    AND state IN ('authorizing', 'action_required', 'authorized', 'capturing', 'voiding', 'refunding', 'undo_failed');

-- name: insert_customers
INSERT INTO customers ({customer})
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
FROM json_each(@rows);

-- name: update_customers
UPDATE customers
SET name = batch.name, email = batch.email, version = batch.version, created_at = batch.created_at,
    updated_at = batch.updated_at, erased_at = batch.erased_at
FROM (
    SELECT value ->> 0 AS id, value ->> 1 AS name, value ->> 2 AS email, value ->> 3 AS version,
        value ->> 4 AS created_at, value ->> 5 AS updated_at, value ->> 6 AS erased_at
    FROM json_each(@rows)
) AS batch
WHERE customers.id = batch.id;

-- name: insert_credits
INSERT INTO credits (id, customer_id, currency, amount, reference, created_at)
SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, @now
FROM json_each(@rows);
