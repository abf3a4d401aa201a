-- columns: sandbox_charge
id, key, order_id, token, currency, state, amount, authorized, captured, refunded, voided, code, message, holds_until

-- columns: sandbox_request
key, operation, outcome, code, message

-- columns: listed_sandbox_charge
id, key, order_id, currency, state, amount, authorized, captured, refunded, voided, created_at, updated_at

-- name: find_sandbox_charges
SELECT id FROM sandbox_charges WHERE order_id = @order_id ORDER BY created_at DESC, id;

-- name: charges_by_time
SELECT {listed_sandbox_charge}
FROM sandbox_charges
WHERE created_at >= @from AND created_at < @to AND (created_at, id) > (@after_time, @after_id)
ORDER BY created_at, id
LIMIT @most;
