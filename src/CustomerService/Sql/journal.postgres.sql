-- name: journal_payments
INSERT INTO journal (order_id, kind, total, debit, credit, currency, amount, at)
SELECT order_id, kind, total, debit, credit, currency, amount, @now
FROM (
    SELECT
        unnest(@order_id) AS order_id, unnest(@kind) AS kind, unnest(@total) AS total, unnest(@debit) AS debit,
        unnest(@credit) AS credit, unnest(@currency) AS currency, unnest(@amount) AS amount
) AS batch;

-- name: journal_credits
INSERT INTO journal (credit_id, kind, total, debit, credit, currency, amount, at)
SELECT id, 'credit', amount, 'credits', 'customer:' || customer_id, currency, amount, @now
FROM unnest(@id, @customer_id, @currency, @amount) AS batch (id, customer_id, currency, amount);
