-- columns: customer
id, name, email, version, created_at, updated_at, erased_at

-- name: find_customer
SELECT {customer} FROM customers WHERE id = @id AND erased_at IS NULL;

-- name: list_customers
SELECT {customer}
FROM customers
WHERE id > @after AND erased_at IS NULL
ORDER BY id
LIMIT @most;

-- name: list_balances
SELECT currency, amount FROM balances WHERE customer_id = @customer_id ORDER BY currency;
