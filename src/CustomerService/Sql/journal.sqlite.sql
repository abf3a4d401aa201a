-- name: journal_payments
INSERT INTO journal (order_id, kind, total, debit, credit, currency, amount, at)
SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, @now
FROM json_each(@rows);

-- name: journal_credits
INSERT INTO journal (credit_id, kind, total, debit, credit, currency, amount, at)
SELECT unhex(value ->> 0), 'credit', value ->> 3, 'credits', 'customer:' || (value ->> 1), value ->> 2, value ->> 3, @now
FROM json_each(@rows);
