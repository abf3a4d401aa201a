-- name: lock_payments
SELECT order_id, customer_id, provider, token, currency, amount, state, authorized, captured, refunded, voided, code,
    message, action, gateway_reference, undo_step, version, created_at, updated_at,
    capture_before, notice, resolution, attention, route
FROM payments
WHERE order_id IN (SELECT unhex(value ->> 0) FROM json_each(@rows))
ORDER BY order_id;

-- name: lock_free_payments
-- One writer at a time: nothing is ever locked by another.
SELECT order_id, customer_id, provider, token, currency, amount, state, authorized, captured, refunded, voided, code,
    message, action, gateway_reference, undo_step, version, created_at, updated_at,
    capture_before, notice, resolution, attention, route
FROM payments
WHERE order_id IN (SELECT unhex(value ->> 0) FROM json_each(@rows))
ORDER BY order_id;

-- name: lock_funds
SELECT b.customer_id, b.currency, c.erased_at IS NULL, b.amount
FROM json_each(@rows) AS a
JOIN balances b ON b.customer_id = a.value ->> 0 AND b.currency = a.value ->> 1
JOIN customers c ON c.id = b.customer_id;

-- name: known_customers
SELECT c.id
FROM json_each(@rows) AS a
JOIN customers c ON c.id = a.value ->> 0
WHERE c.erased_at IS NULL;

-- name: load_calls
SELECT order_id, operation, n, state, amount, gateway_reference, code, message, started_at, finished_at, due_at,
    attempts, probes, asked_by, reason, look_ups, resolved_by, provider
FROM gateway_calls
WHERE order_id IN (SELECT unhex(value ->> 0) FROM json_each(@rows))
ORDER BY order_id, started_at, operation, n;

-- name: insert_payments
INSERT INTO payments (order_id, customer_id, provider, token, currency, amount, state, authorized, captured, refunded,
    voided, code, message, undo_step, version, resolution, route, created_at, updated_at)
VALUES (@order_id, @customer_id, @provider, @token, @currency, @amount, @state, @authorized, @captured, @refunded,
    @voided, @code, @message, @undo_step, @version, @resolution, @route, @now, @now);

-- name: update_payments
UPDATE payments
SET state = @state, authorized = @authorized, captured = @captured, refunded = @refunded, voided = @voided, code = @code,
    message = @message, action = @action, gateway_reference = @gateway_reference, undo_step = @undo_step, version = @version,
    updated_at = @now, capture_before = @capture_before, notice = @notice, resolution = @resolution,
    attention = @attention, provider = @provider
WHERE order_id = @order_id;

-- name: update_balances
UPDATE balances
SET amount = @amount, version = version + 1
WHERE customer_id = @customer_id AND currency = @currency;

-- name: save_calls
INSERT INTO gateway_calls (order_id, operation, n, gateway_key, state, amount, gateway_reference, code, message,
    started_at, finished_at, due_at, attempts, probes, asked_by, reason, look_ups, resolved_by,
    provider)
SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
    value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13, value ->> 14, value ->> 15,
    value ->> 16, value ->> 17, value ->> 18
FROM json_each(@rows)
WHERE true
ON CONFLICT (order_id, operation, n) DO UPDATE
SET state = excluded.state, gateway_reference = excluded.gateway_reference, code = excluded.code,
    message = excluded.message, finished_at = excluded.finished_at, due_at = excluded.due_at,
    attempts = excluded.attempts, probes = excluded.probes, reason = excluded.reason, look_ups = excluded.look_ups,
    resolved_by = excluded.resolved_by;

-- name: find_due_calls
SELECT order_id FROM gateway_calls WHERE due_at <= @now ORDER BY due_at LIMIT @most;

-- name: bring_forward
UPDATE gateway_calls SET due_at = @now WHERE due_at > @too_far AND probes < 4;

-- name: bring_late_look_ups_forward
-- From the fourth on, the next one may be an hour away: the last of GatewayLimits.LookUpPauses.
UPDATE gateway_calls SET due_at = @now WHERE due_at > @too_far AND probes >= 4;

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
INSERT INTO parked_events (provider, event_id, order_id, operation, n, result, received_at)
SELECT value ->> 0, value ->> 1, unhex(value ->> 2), value ->> 3, value ->> 4, value ->> 5, @now
FROM json_each(@rows)
WHERE true
ON CONFLICT (provider, event_id) DO NOTHING;

-- name: match_events
SELECT e.provider, e.event_id, e.order_id, e.operation, e.n, e.result
FROM parked_events e
JOIN gateway_calls c ON c.order_id = e.order_id AND c.operation = e.operation AND c.n = e.n AND c.provider = e.provider
ORDER BY e.received_at, e.event_id
LIMIT @most;

-- name: unpark_events
DELETE FROM parked_events
WHERE (provider, event_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(@rows));

-- name: mark_events_matched
UPDATE gateway_events
SET matched = 1
WHERE (provider, event_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(@rows));

-- name: forget_parked_events
DELETE FROM parked_events WHERE received_at < @before;

-- name: forget_events
DELETE FROM gateway_events
WHERE (provider, event_id) IN (
    SELECT provider, event_id FROM gateway_events WHERE received_at < @before ORDER BY received_at LIMIT @most
);

-- name: find_payment
SELECT order_id, customer_id, provider, token, currency, amount, state, authorized, captured, refunded, voided, code,
    message, action, gateway_reference, undo_step, version, created_at, updated_at,
    capture_before, notice, resolution, attention, route
FROM payments
WHERE order_id = @order_id;

-- name: list_payments
-- An order's id is time-ordered: newest first.
SELECT order_id, customer_id, provider, token, currency, amount, state, authorized, captured, refunded, voided, code,
    message, action, gateway_reference, undo_step, version, created_at, updated_at,
    capture_before, notice, resolution, attention, route
FROM payments
WHERE order_id >= @from AND order_id < @before
    AND (@order_id IS NULL OR order_id = @order_id)
    AND (@state IS NULL OR state = @state)
    AND (@in_doubt IS NULL OR (@in_doubt = 1) = (
        state IN ('authorizing', 'capturing', 'voiding', 'refunding')
        AND EXISTS (SELECT 1 FROM gateway_calls c WHERE c.order_id = payments.order_id AND c.state = 'in_doubt')))
ORDER BY order_id DESC
LIMIT @most;

-- name: list_payments_to_see_to
-- By an index of their own, however old they are. Not a condition of the list above: SQLite plans before it knows the
-- parameters, and would not take the index.
SELECT order_id, customer_id, provider, token, currency, amount, state, authorized, captured, refunded, voided, code,
    message, action, gateway_reference, undo_step, version, created_at, updated_at,
    capture_before, notice, resolution, attention, route
FROM payments
WHERE (notice IS NOT NULL OR attention IS NOT NULL)
    AND order_id >= @from AND order_id < @before
    AND (@order_id IS NULL OR order_id = @order_id)
    AND (@state IS NULL OR state = @state)
    AND (@in_doubt IS NULL OR (@in_doubt = 1) = (
        state IN ('authorizing', 'capturing', 'voiding', 'refunding')
        AND EXISTS (SELECT 1 FROM gateway_calls c WHERE c.order_id = payments.order_id AND c.state = 'in_doubt')))
ORDER BY order_id DESC
LIMIT @most;

-- name: find_ending_holds
-- Those of which it was not said yet, and those that have ended since it was.
SELECT order_id
FROM payments
WHERE capture_before <= @soon
    AND (notice IS NULL OR (capture_before <= @now AND notice <> 'hold_ended'))
ORDER BY capture_before
LIMIT @most;

-- name: payments_floor
SELECT order_id FROM payments WHERE order_id < @before ORDER BY order_id DESC LIMIT 1 OFFSET @window;

-- name: save_moved_payments
INSERT INTO moved_payments (order_id, version, due_at)
SELECT unhex(value ->> 0), value ->> 1, @due_at FROM json_each(@rows) WHERE true
ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, due_at = excluded.due_at;

-- name: due_moved_payments
-- What a clock that was ahead has put off is due as well.
SELECT m.order_id, m.version, p.authorized, p.captured, p.refunded, p.voided
FROM moved_payments m
JOIN payments p ON p.order_id = m.order_id
WHERE m.due_at <= @now OR m.due_at > @too_far
ORDER BY m.order_id
LIMIT @most;

-- name: delete_moved_payments
DELETE FROM moved_payments
WHERE EXISTS (
    SELECT 1 FROM json_each(@rows)
    WHERE unhex(value ->> 0) = moved_payments.order_id AND moved_payments.version <= (value ->> 1)
);
