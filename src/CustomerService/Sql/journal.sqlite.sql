-- name: journal_payments
INSERT INTO journal (order_id, kind, running_total, debit_account, credit_account, currency, amount, recorded_at)
VALUES (@order_id, @kind, @running_total, @debit_account, @credit_account, @currency, @amount, @now);

-- name: journal_credits
INSERT INTO journal (credit_id, kind, running_total, debit_account, credit_account, currency, amount, recorded_at)
SELECT unhex(value ->> 0), 'credit', value ->> 3, 'credits', 'customer:' || (value ->> 1), value ->> 2, value ->> 3, @now
FROM json_each(@rows);
