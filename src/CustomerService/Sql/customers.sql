-- columns: customer
id, name, email, version, created_at, updated_at, erased_at, erasure_id

-- columns: erasure
id, customer_id, requested_by, requested_at, state, decided_at, open_orders, open_order, orders, words, orders_done,
    notes_done, asked_at, next_ask_at

-- name: find_customer
SELECT {customer} FROM customers WHERE id = @id;

-- name: latest_erasure
SELECT {erasure} FROM erasures WHERE customer_id = @customer_id ORDER BY id DESC LIMIT 1;

-- name: find_due_erasures
SELECT customer_id FROM erasures WHERE next_ask_at <= @now OR next_ask_at > @too_far ORDER BY next_ask_at LIMIT @most;

-- name: list_customers
SELECT {customer}
FROM customers
WHERE id > @after AND erased_at IS NULL
ORDER BY id
LIMIT @most;

-- name: list_balances
SELECT currency, amount FROM balances WHERE customer_id = @customer_id ORDER BY currency;
