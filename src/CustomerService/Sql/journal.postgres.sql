-- name: journal_payments
INSERT INTO journal (order_id, kind, running_total, debit_account, credit_account, currency, amount, recorded_at)
SELECT order_id, kind, running_total, debit_account, credit_account, currency, amount, @now
FROM (
    SELECT
        unnest(@order_id) AS order_id, unnest(@kind) AS kind, unnest(@running_total) AS running_total,
        unnest(@debit_account) AS debit_account, unnest(@credit_account) AS credit_account,
        unnest(@currency) AS currency, unnest(@amount) AS amount
) AS batch;

-- name: journal_credits
INSERT INTO journal (credit_id, kind, running_total, debit_account, credit_account, currency, amount, recorded_at)
SELECT id, 'credit', amount, 'credits', 'customer:' || customer_id, currency, amount, @now
FROM unnest(@id, @customer_id, @currency, @amount) AS batch (id, customer_id, currency, amount);
