-- name: insert_approvals
INSERT INTO approvals ({approval})
VALUES (@id, @operation, @order_id, @customer_id, @channel, @amount, @currency, @effect, @reason, @command, @requested_by,
    @requested_at, @expires_at, 'pending', NULL, NULL, NULL, @trace_id);

-- name: lock_approvals
SELECT {approval} FROM approvals WHERE id IN (SELECT unhex(value ->> 0) FROM json_each(@rows)) ORDER BY id;

-- name: lock_expired_approvals
SELECT {approval} FROM approvals WHERE state = 'pending' AND expires_at <= @now ORDER BY id LIMIT @most;

-- name: decide_approvals
UPDATE approvals
SET state = @state, decided_by = @decided_by, decision_reason = @decision_reason, decided_at = @now
WHERE id = @id AND state = 'pending';

-- name: orders_with_pending_approvals
SELECT DISTINCT order_id
FROM approvals
WHERE order_id IN (SELECT unhex(value ->> 0) FROM json_each(@rows)) AND state = 'pending' AND expires_at > @now;

-- name: approvals_of_customers
SELECT {approval} FROM approvals WHERE customer_id IN (SELECT value ->> 0 FROM json_each(@rows)) ORDER BY id;

-- name: erase_approvals
UPDATE approvals
SET reason = @reason, command = @command, decision_reason = @decision_reason
WHERE id = @id;
