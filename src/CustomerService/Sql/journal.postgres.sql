-- name: journal_payments
INSERT INTO journal (order_id, kind, total, debit, credit, currency, amount, at)
SELECT order_id, kind, total, debit, credit, currency, amount, @now
FROM unnest(@order_id, @kind, @total, @debit, @credit, @currency, @amount)
    AS batch (order_id, kind, total, debit, credit, currency, amount);

-- name: journal_credits
INSERT INTO journal (credit_id, kind, total, debit, credit, currency, amount, at)
SELECT id, 'credit', amount, 'credits', 'customer:' || customer_id, currency, amount, @now
FROM unnest(@id, @customer_id, @currency, @amount) AS batch (id, customer_id, currency, amount);
