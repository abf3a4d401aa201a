-- name: insert_approvals
INSERT INTO approvals ({approval})
SELECT id, operation, order_id, customer_id, channel, amount, currency, effect, reason, command, requested_by, requested_at,
    expires_at, 'pending', NULL, NULL, NULL, trace_id
FROM unnest(@id, @operation, @order_id, @customer_id, @channel, @amount, @currency, @effect, @reason, @command, @requested_by,
        @requested_at, @expires_at, @trace_id)
    AS batch (id, operation, order_id, customer_id, channel, amount, currency, effect, reason, command, requested_by,
        requested_at, expires_at, trace_id);

-- name: lock_approvals
SELECT {approval} FROM approvals WHERE id = ANY (@id) ORDER BY id FOR UPDATE;

-- name: lock_expired_approvals
SELECT {approval}
FROM approvals
WHERE state = 'pending' AND expires_at <= @now
ORDER BY id
LIMIT @most
FOR UPDATE SKIP LOCKED;

-- name: decide_approvals
UPDATE approvals a
SET state = batch.state, decided_by = batch.decided_by, decision_reason = batch.decision_reason, decided_at = @now
FROM unnest(@id, @state, @decided_by, @decision_reason) AS batch (id, state, decided_by, decision_reason)
WHERE a.id = batch.id AND a.state = 'pending';

-- name: orders_with_pending_approvals
SELECT DISTINCT order_id FROM approvals WHERE order_id = ANY (@order_id) AND state = 'pending' AND expires_at > @now;

-- name: approvals_of_customers
SELECT {approval} FROM approvals WHERE customer_id = ANY (@customer_id) ORDER BY id FOR UPDATE;

-- name: erase_approvals
UPDATE approvals a
SET reason = batch.reason, command = batch.command, decision_reason = batch.decision_reason
FROM unnest(@id, @reason, @command, @decision_reason) AS batch (id, reason, command, decision_reason)
WHERE a.id = batch.id;
