-- name: find_charge
SELECT {listed_sandbox_charge}
FROM sandbox_charges
WHERE id = @id;

-- name: charges_of_reference
SELECT {listed_sandbox_charge}
FROM sandbox_charges
WHERE order_id = @order_id
ORDER BY created_at, id;
