-- name: held_orders
SELECT DISTINCT d.order_id
FROM unnest(@order_id) AS batch (order_id)
JOIN webhook_deliveries d ON d.endpoint_id = @endpoint_id AND d.order_id = batch.order_id AND d.state = 'waiting';

-- name: insert_deliveries
INSERT INTO webhook_deliveries (id, endpoint_id, seq, order_id, type, state, attempts, next_attempt_at, attempted_at,
    response_status, took_ms, response)
SELECT id, @endpoint_id, seq, order_id, type, state, attempts, next_attempt_at, attempted_at, response_status, took_ms, response
FROM unnest(@id, @seq, @order_id, @type, @state, @attempts, @next_attempt_at, @attempted_at, @response_status, @took_ms,
        @response)
    AS batch (id, seq, order_id, type, state, attempts, next_attempt_at, attempted_at, response_status, took_ms, response)
ON CONFLICT (endpoint_id, seq) DO NOTHING;

-- name: update_deliveries
-- A redelivery that was requested during the attempt has moved the due time, and remains due.
UPDATE webhook_deliveries d
SET state = batch.state, attempts = batch.attempts, next_attempt_at = batch.next_attempt_at,
    attempted_at = batch.attempted_at, response_status = batch.response_status, took_ms = batch.took_ms,
    response = batch.response
FROM unnest(@id, @due_at, @state, @attempts, @next_attempt_at, @attempted_at, @response_status, @took_ms, @response)
    AS batch (id, due_at, state, attempts, next_attempt_at, attempted_at, response_status, took_ms, response)
WHERE d.id = batch.id AND d.next_attempt_at = batch.due_at;
