-- name: journal_payments
INSERT INTO journal (order_id, kind, total, debit, credit, currency, amount, at)
VALUES (@order_id, @kind, @total, @debit, @credit, @currency, @amount, @now);

-- name: journal_credits
INSERT INTO journal (credit_id, kind, total, debit, credit, currency, amount, at)
SELECT unhex(value ->> 0), 'credit', value ->> 3, 'credits', 'customer:' || (value ->> 1), value ->> 2, value ->> 3, @now
FROM json_each(@rows);
