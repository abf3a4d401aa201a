-- name: lock_payments
SELECT {payment}
FROM payments
WHERE order_id = ANY (@order_id)
ORDER BY order_id
FOR UPDATE;

-- name: lock_available_payments
SELECT {payment}
FROM payments
WHERE order_id = ANY (@order_id)
ORDER BY order_id
FOR UPDATE SKIP LOCKED;

-- name: lock_funds
-- Inner joins by key only: hash joins are disabled for writers, and joining two sets of a batch would compare row by row.
SELECT b.customer_id, b.currency, c.erased_at IS NULL AS customer_known, b.amount,
    c.erased_at IS NULL AND c.erasure_id IS NOT NULL AS is_erasing
FROM unnest(@customer_id, @currency) AS batch (customer_id, currency)
JOIN balances b ON b.customer_id = batch.customer_id AND b.currency = batch.currency
JOIN customers c ON c.id = b.customer_id
ORDER BY b.customer_id, b.currency
FOR UPDATE OF b;

-- name: known_customers
SELECT c.id, c.erasure_id IS NOT NULL AS is_erasing
FROM unnest(@customer_id) AS batch (customer_id)
JOIN customers c ON c.id = batch.customer_id
WHERE c.erased_at IS NULL;

-- name: load_attempts
SELECT {attempt}
FROM payment_attempts
WHERE order_id = ANY (@order_id)
ORDER BY order_id, started_at, operation, number;

-- name: insert_payments
INSERT INTO payments (order_id, customer_id, provider, token, currency, amount, state, authorized, captured, refunded,
    voided, code, message, gateway_reference, undo_step, version, last_resolution_id, route, channel, created_at, updated_at)
SELECT order_id, customer_id, provider, token, currency, amount, state, authorized, captured, refunded, voided, code,
    message, gateway_reference, undo_step, version, last_resolution_id, route, channel, @now, @now
FROM (
    SELECT
        unnest(@order_id) AS order_id, unnest(@customer_id) AS customer_id, unnest(@provider) AS provider,
        unnest(@token) AS token, unnest(@currency) AS currency, unnest(@amount) AS amount, unnest(@state) AS state,
        unnest(@authorized) AS authorized, unnest(@captured) AS captured, unnest(@refunded) AS refunded,
        unnest(@voided) AS voided, unnest(@code) AS code, unnest(@message) AS message,
        unnest(@gateway_reference) AS gateway_reference, unnest(@undo_step) AS undo_step, unnest(@version) AS version,
        unnest(@last_resolution_id) AS last_resolution_id, unnest(@route) AS route,
        unnest(@channel) AS channel
) AS batch;

-- name: update_payments
UPDATE payments p
SET state = batch.state, authorized = batch.authorized, captured = batch.captured, refunded = batch.refunded,
    voided = batch.voided, code = batch.code, message = batch.message, action_url = batch.action_url,
    gateway_reference = batch.gateway_reference, undo_step = batch.undo_step, version = batch.version, updated_at = @now,
    capture_before = batch.capture_before, attention_code = batch.attention_code,
    last_resolution_id = batch.last_resolution_id, attention = batch.attention, provider = batch.provider
FROM (
    SELECT
        unnest(@order_id) AS order_id, unnest(@state) AS state, unnest(@authorized) AS authorized,
        unnest(@captured) AS captured, unnest(@refunded) AS refunded, unnest(@voided) AS voided,
        unnest(@code) AS code, unnest(@message) AS message, unnest(@action_url) AS action_url,
        unnest(@gateway_reference) AS gateway_reference, unnest(@undo_step) AS undo_step, unnest(@version) AS version,
        unnest(@capture_before) AS capture_before, unnest(@attention_code) AS attention_code,
        unnest(@last_resolution_id) AS last_resolution_id, unnest(@attention) AS attention, unnest(@provider) AS provider
) AS batch
WHERE p.order_id = batch.order_id;

-- name: update_balances
UPDATE balances b
SET amount = batch.amount, version = b.version + 1
FROM unnest(@customer_id, @currency, @amount) AS batch (customer_id, currency, amount)
WHERE b.customer_id = batch.customer_id AND b.currency = batch.currency;

-- name: save_attempts
INSERT INTO payment_attempts ({attempt}, gateway_key)
SELECT {attempt}, gateway_key
FROM unnest(@order_id, @operation, @number, @provider, @state, @amount, @gateway_reference, @code, @message,
        @requested_by, @reason, @started_at, @finished_at, @due_at, @sends, @look_ups, @evidence, @resolved_by,
        @approved_by, @gateway_key)
    AS batch ({attempt}, gateway_key)
ON CONFLICT (order_id, operation, number) DO UPDATE
SET state = excluded.state, gateway_reference = excluded.gateway_reference, code = excluded.code,
    message = excluded.message, finished_at = excluded.finished_at, due_at = excluded.due_at,
    sends = excluded.sends, look_ups = excluded.look_ups, reason = excluded.reason, evidence = excluded.evidence,
    resolved_by = excluded.resolved_by, approved_by = excluded.approved_by;

-- name: load_events
SELECT e.provider, e.event_id
FROM unnest(@provider, @event_id) AS batch (provider, event_id)
JOIN gateway_events e ON e.provider = batch.provider AND e.event_id = batch.event_id;

-- name: insert_events
INSERT INTO gateway_events (provider, event_id, type, gateway_key, matched, body, received_at)
SELECT provider, event_id, type, gateway_key, matched, body, @now
FROM unnest(@provider, @event_id, @type, @gateway_key, @matched, @body)
    AS batch (provider, event_id, type, gateway_key, matched, body)
ON CONFLICT (provider, event_id) DO NOTHING;

-- name: park_events
INSERT INTO parked_events (provider, event_id, order_id, operation, number, result, received_at)
SELECT provider, event_id, order_id, operation, number, result, @now
FROM unnest(@provider, @event_id, @order_id, @operation, @number, @result)
    AS batch (provider, event_id, order_id, operation, number, result)
ON CONFLICT (provider, event_id) DO NOTHING;

-- name: match_events
-- Events whose attempt has been stored since, in order of arrival.
SELECT e.provider, e.event_id, e.order_id, e.operation, e.number, e.result
FROM parked_events e
JOIN payment_attempts a
    ON a.order_id = e.order_id AND a.operation = e.operation AND a.number = e.number AND a.provider = e.provider
ORDER BY e.received_at, e.event_id
LIMIT @most
FOR UPDATE OF e SKIP LOCKED;

-- name: unpark_events
DELETE FROM parked_events e
USING unnest(@provider, @event_id) AS batch (provider, event_id)
WHERE e.provider = batch.provider AND e.event_id = batch.event_id;

-- name: forget_late_results
DELETE FROM parked_events WHERE order_id = ANY (@order_id) AND received_at < @before;

-- name: mark_events_matched
UPDATE gateway_events e
SET matched = true
FROM unnest(@provider, @event_id) AS batch (provider, event_id)
WHERE e.provider = batch.provider AND e.event_id = batch.event_id;

-- name: save_payment_notifications
INSERT INTO payment_notifications (order_id, version, due_at)
SELECT order_id, version, @due_at FROM unnest(@order_id, @version) AS batch (order_id, version)
ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, due_at = excluded.due_at;

-- name: due_payment_notifications
-- Includes rows scheduled too far ahead by a fast clock.
SELECT n.order_id, p.version, p.authorized, p.captured, p.refunded, p.voided,
    (SELECT a.requested_by FROM payment_attempts a WHERE a.order_id = n.order_id AND a.finished_at IS NOT NULL
        ORDER BY a.finished_at DESC LIMIT 1) AS requested_by,
    (SELECT a.approved_by FROM payment_attempts a WHERE a.order_id = n.order_id AND a.finished_at IS NOT NULL
        ORDER BY a.finished_at DESC LIMIT 1) AS approved_by
FROM payment_notifications n
JOIN payments p ON p.order_id = n.order_id
WHERE n.due_at <= @now OR n.due_at > @too_far
ORDER BY n.order_id
LIMIT @most
FOR UPDATE OF n SKIP LOCKED;

-- name: delete_payment_notifications
DELETE FROM payment_notifications n
USING unnest(@order_id, @version) AS batch (order_id, version)
WHERE n.order_id = batch.order_id AND n.version <= batch.version;
