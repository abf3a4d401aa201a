-- name: lock_payments
SELECT {payment}
FROM payments
WHERE order_id IN (SELECT unhex(value ->> 0) FROM json_each(@rows))
ORDER BY order_id;

-- name: lock_available_payments
-- SQLite has a single writer: no row is ever locked by another.
SELECT {payment}
FROM payments
WHERE order_id IN (SELECT unhex(value ->> 0) FROM json_each(@rows))
ORDER BY order_id;

-- name: lock_funds
SELECT b.customer_id, b.currency, c.erased_at IS NULL AS customer_known, b.amount,
    c.erased_at IS NULL AND c.erasure_id IS NOT NULL AS is_erasing
FROM json_each(@rows) AS batch
JOIN balances b ON b.customer_id = batch.value ->> 0 AND b.currency = batch.value ->> 1
JOIN customers c ON c.id = b.customer_id;

-- name: known_customers
SELECT c.id, c.erasure_id IS NOT NULL AS is_erasing
FROM json_each(@rows) AS batch
JOIN customers c ON c.id = batch.value ->> 0
WHERE c.erased_at IS NULL;

-- name: load_attempts
SELECT {attempt}
FROM payment_attempts
WHERE order_id IN (SELECT unhex(value ->> 0) FROM json_each(@rows))
ORDER BY order_id, started_at, operation, number;

-- name: insert_payments
INSERT INTO payments (order_id, customer_id, provider, token, currency, amount, state, authorized, captured, refunded,
    voided, code, message, gateway_reference, undo_step, version, last_resolution_id, route, channel, created_at, updated_at)
VALUES (@order_id, @customer_id, @provider, @token, @currency, @amount, @state, @authorized, @captured, @refunded,
    @voided, @code, @message, @gateway_reference, @undo_step, @version, @last_resolution_id, @route, @channel, @now, @now);

-- name: update_payments
UPDATE payments
SET state = @state, authorized = @authorized, captured = @captured, refunded = @refunded, voided = @voided, code = @code,
    message = @message, action_url = @action_url, gateway_reference = @gateway_reference, undo_step = @undo_step,
    version = @version, updated_at = @now, capture_before = @capture_before, attention_code = @attention_code,
    last_resolution_id = @last_resolution_id, attention = @attention, provider = @provider
WHERE order_id = @order_id;

-- name: update_balances
UPDATE balances
SET amount = @amount, version = version + 1
WHERE customer_id = @customer_id AND currency = @currency;

-- name: save_attempts
INSERT INTO payment_attempts ({attempt}, gateway_key)
SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
    value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13, value ->> 14, value ->> 15,
    value ->> 16, value ->> 17, value ->> 18, value ->> 19
FROM json_each(@rows)
WHERE true -- SQLite's parser needs a WHERE between a SELECT's FROM and ON CONFLICT
ON CONFLICT (order_id, operation, number) DO UPDATE
SET state = excluded.state, gateway_reference = excluded.gateway_reference, code = excluded.code,
    message = excluded.message, finished_at = excluded.finished_at, due_at = excluded.due_at,
    sends = excluded.sends, look_ups = excluded.look_ups, reason = excluded.reason, evidence = excluded.evidence,
    resolved_by = excluded.resolved_by, approved_by = excluded.approved_by;

-- name: load_events
SELECT e.provider, e.event_id
FROM json_each(@rows) AS batch
JOIN gateway_events e ON e.provider = batch.value ->> 0 AND e.event_id = batch.value ->> 1;

-- name: insert_events
INSERT INTO gateway_events (provider, event_id, type, gateway_key, matched, body, received_at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, @now
FROM json_each(@rows)
WHERE true
ON CONFLICT (provider, event_id) DO NOTHING;

-- name: park_events
INSERT INTO parked_events (provider, event_id, order_id, operation, number, result, received_at)
SELECT value ->> 0, value ->> 1, unhex(value ->> 2), value ->> 3, value ->> 4, value ->> 5, @now
FROM json_each(@rows)
WHERE true
ON CONFLICT (provider, event_id) DO NOTHING;

-- name: match_events
SELECT e.provider, e.event_id, e.order_id, e.operation, e.number, e.result
FROM parked_events e
JOIN payment_attempts a
    ON a.order_id = e.order_id AND a.operation = e.operation AND a.number = e.number AND a.provider = e.provider
ORDER BY e.received_at, e.event_id
LIMIT @most;

-- name: unpark_events
DELETE FROM parked_events
WHERE (provider, event_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(@rows));

-- name: forget_late_results
DELETE FROM parked_events WHERE order_id = @order_id AND received_at < @before;

-- name: mark_events_matched
UPDATE gateway_events
SET matched = 1
WHERE (provider, event_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(@rows));

-- name: save_payment_notifications
INSERT INTO payment_notifications (order_id, version, due_at)
SELECT unhex(value ->> 0), value ->> 1, @due_at FROM json_each(@rows) WHERE true
ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, due_at = excluded.due_at;

-- name: due_payment_notifications
SELECT n.order_id, p.version, p.authorized, p.captured, p.refunded, p.voided,
    (SELECT a.requested_by FROM payment_attempts a WHERE a.order_id = n.order_id AND a.finished_at IS NOT NULL
        ORDER BY a.finished_at DESC LIMIT 1) AS requested_by,
    (SELECT a.approved_by FROM payment_attempts a WHERE a.order_id = n.order_id AND a.finished_at IS NOT NULL
        ORDER BY a.finished_at DESC LIMIT 1) AS approved_by
FROM payment_notifications n
JOIN payments p ON p.order_id = n.order_id
WHERE n.due_at <= @now OR n.due_at > @too_far
ORDER BY n.order_id
LIMIT @most;

-- name: delete_payment_notifications
DELETE FROM payment_notifications
WHERE EXISTS (
    SELECT 1 FROM json_each(@rows)
    WHERE unhex(value ->> 0) = payment_notifications.order_id AND payment_notifications.version <= (value ->> 1)
);
