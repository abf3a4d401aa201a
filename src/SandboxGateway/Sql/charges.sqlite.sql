-- name: find_charge
SELECT id, key, order_id, currency, state, amount, authorized, captured, refunded, voided, created_at, updated_at
FROM sandbox_charges
WHERE id = @id;

-- name: charges_of_reference
SELECT id, key, order_id, currency, state, amount, authorized, captured, refunded, voided, created_at, updated_at
FROM sandbox_charges
WHERE order_id = @order_id
ORDER BY created_at, id;
