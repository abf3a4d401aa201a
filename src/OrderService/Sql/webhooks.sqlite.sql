-- name: held_orders
SELECT DISTINCT d.order_id
FROM webhook_deliveries d
WHERE d.endpoint_id = @endpoint_id AND d.state = 'waiting'
    AND d.order_id IN (SELECT unhex(value ->> 0) FROM json_each(@rows));

-- name: insert_deliveries
INSERT INTO webhook_deliveries (id, endpoint_id, seq, order_id, type, state, attempts, next_attempt_at, attempted_at,
    response_status, took_ms, response)
VALUES (@id, @endpoint_id, @seq, @order_id, @type, @state, @attempts, @next_attempt_at, @attempted_at, @response_status,
    @took_ms, @response)
ON CONFLICT (endpoint_id, seq) DO NOTHING;

-- name: update_deliveries
-- A redelivery that was requested during the attempt has moved the due time, and remains due.
UPDATE webhook_deliveries
SET state = @state, attempts = @attempts, next_attempt_at = @next_attempt_at, attempted_at = @attempted_at,
    response_status = @response_status, took_ms = @took_ms, response = @response
WHERE id = @id AND next_attempt_at = @due_at;
