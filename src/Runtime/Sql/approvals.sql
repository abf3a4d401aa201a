-- Operations that wait for a second person.

-- columns: approval
id, operation, order_id, customer_id, channel, amount, currency, effect, reason, command, requested_by, requested_at, expires_at,
    state, decided_by, decided_at, decision_reason, trace_id

-- name: approvals
SELECT {approval}
FROM approvals
WHERE (@before IS NULL OR id < @before)
    AND (@order_id IS NULL OR order_id = @order_id)
    AND (@state IS NULL OR state = @state)
    AND (@channels IS NULL OR replace(@channels, ',' || channel || ',', '') <> @channels)
ORDER BY id DESC
LIMIT @most;

-- name: approval
SELECT {approval}
FROM approvals
WHERE id = @id AND (@channels IS NULL OR replace(@channels, ',' || channel || ',', '') <> @channels);

-- name: expire_approvals
UPDATE approvals SET state = 'expired', decided_at = @now WHERE state = 'pending';
