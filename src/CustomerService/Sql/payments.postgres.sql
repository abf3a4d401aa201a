-- name: lock_payments
SELECT order_id, customer_id, provider, token, currency, amount, state, authorized, captured, refunded, voided, code,
    message, action, gateway_reference, undo_step, version, created_at, updated_at,
    capture_before, notice, resolution, attention, route
FROM payments
WHERE order_id = ANY (@order_id)
ORDER BY order_id
FOR UPDATE;

-- name: lock_free_payments
SELECT order_id, customer_id, provider, token, currency, amount, state, authorized, captured, refunded, voided, code,
    message, action, gateway_reference, undo_step, version, created_at, updated_at,
    capture_before, notice, resolution, attention, route
FROM payments
WHERE order_id = ANY (@order_id)
ORDER BY order_id
FOR UPDATE SKIP LOCKED;

-- name: lock_funds
-- Only inner joins by key. Writers have no hash join: two sets of one batch, joined, would be compared row by row.
SELECT b.customer_id, b.currency, c.erased_at IS NULL, b.amount
FROM unnest(@customer_id, @currency) AS asked (customer_id, currency)
JOIN balances b ON b.customer_id = asked.customer_id AND b.currency = asked.currency
JOIN customers c ON c.id = b.customer_id
ORDER BY b.customer_id, b.currency
FOR UPDATE OF b;

-- name: known_customers
-- Of those without a balance in the currency asked for.
SELECT c.id
FROM unnest(@customer_id) AS asked (customer_id)
JOIN customers c ON c.id = asked.customer_id
WHERE c.erased_at IS NULL;

-- name: load_calls
SELECT order_id, operation, n, state, amount, gateway_reference, code, message, started_at, finished_at, due_at,
    attempts, probes, asked_by, reason, look_ups, resolved_by, provider
FROM gateway_calls
WHERE order_id = ANY (@order_id)
ORDER BY order_id, started_at, operation, n;

-- name: insert_payments
INSERT INTO payments (order_id, customer_id, provider, token, currency, amount, state, authorized, captured, refunded,
    voided, code, message, undo_step, version, resolution, route, created_at, updated_at)
SELECT order_id, customer_id, provider, token, currency, amount, state, authorized, captured, refunded, voided, code,
    message, undo_step, version, resolution, route, @now, @now
FROM (
    SELECT
        unnest(@order_id) AS order_id, unnest(@customer_id) AS customer_id, unnest(@provider) AS provider,
        unnest(@token) AS token, unnest(@currency) AS currency, unnest(@amount) AS amount, unnest(@state) AS state,
        unnest(@authorized) AS authorized, unnest(@captured) AS captured, unnest(@refunded) AS refunded,
        unnest(@voided) AS voided, unnest(@code) AS code, unnest(@message) AS message,
        unnest(@undo_step) AS undo_step, unnest(@version) AS version, unnest(@resolution) AS resolution,
        unnest(@route) AS route
) AS batch;

-- name: update_payments
UPDATE payments p
SET state = batch.state, authorized = batch.authorized, captured = batch.captured, refunded = batch.refunded,
    voided = batch.voided, code = batch.code, message = batch.message, action = batch.action,
    gateway_reference = batch.gateway_reference, undo_step = batch.undo_step, version = batch.version, updated_at = @now,
    capture_before = batch.capture_before, notice = batch.notice, resolution = batch.resolution,
    attention = batch.attention, provider = batch.provider
FROM (
    SELECT
        unnest(@order_id) AS order_id, unnest(@state) AS state, unnest(@authorized) AS authorized,
        unnest(@captured) AS captured, unnest(@refunded) AS refunded, unnest(@voided) AS voided,
        unnest(@code) AS code, unnest(@message) AS message, unnest(@action) AS action,
        unnest(@gateway_reference) AS gateway_reference, unnest(@undo_step) AS undo_step, unnest(@version) AS version,
        unnest(@capture_before) AS capture_before, unnest(@notice) AS notice, unnest(@resolution) AS resolution,
        unnest(@attention) AS attention, unnest(@provider) AS provider
) AS batch
WHERE p.order_id = batch.order_id;

-- name: update_balances
UPDATE balances b
SET amount = batch.amount, version = b.version + 1
FROM unnest(@customer_id, @currency, @amount) AS batch (customer_id, currency, amount)
WHERE b.customer_id = batch.customer_id AND b.currency = batch.currency;

-- name: save_calls
INSERT INTO gateway_calls (order_id, operation, n, gateway_key, state, amount, gateway_reference, code, message,
    started_at, finished_at, due_at, attempts, probes, asked_by, reason, look_ups, resolved_by,
    provider)
SELECT order_id, operation, n, gateway_key, state, amount, gateway_reference, code, message, started_at, finished_at,
    due_at, attempts, probes, asked_by, reason, look_ups, resolved_by, provider
FROM unnest(@order_id, @operation, @n, @gateway_key, @state, @amount, @gateway_reference, @code, @message,
        @started_at, @finished_at, @due_at, @attempts, @probes, @asked_by, @reason, @look_ups, @resolved_by,
        @provider)
    AS batch (order_id, operation, n, gateway_key, state, amount, gateway_reference, code, message, started_at,
        finished_at, due_at, attempts, probes, asked_by, reason, look_ups, resolved_by, provider)
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
FROM unnest(@provider, @event_id) AS batch (provider, event_id)
JOIN gateway_events e ON e.provider = batch.provider AND e.event_id = batch.event_id;

-- name: insert_events
INSERT INTO gateway_events (provider, event_id, type, gateway_key, matched, body, received_at)
SELECT provider, event_id, type, gateway_key, matched, body, @now
FROM unnest(@provider, @event_id, @type, @gateway_key, @matched, @body)
    AS batch (provider, event_id, type, gateway_key, matched, body)
ON CONFLICT (provider, event_id) DO NOTHING;

-- name: park_events
INSERT INTO parked_events (provider, event_id, order_id, operation, n, result, received_at)
SELECT provider, event_id, order_id, operation, n, result, @now
FROM unnest(@provider, @event_id, @order_id, @operation, @n, @result)
    AS batch (provider, event_id, order_id, operation, n, result)
ON CONFLICT (provider, event_id) DO NOTHING;

-- name: match_events
-- Those whose attempt is here by now, in the order in which they came.
SELECT e.provider, e.event_id, e.order_id, e.operation, e.n, e.result
FROM parked_events e
JOIN gateway_calls c ON c.order_id = e.order_id AND c.operation = e.operation AND c.n = e.n AND c.provider = e.provider
ORDER BY e.received_at, e.event_id
LIMIT @most
FOR UPDATE OF e SKIP LOCKED;

-- name: unpark_events
DELETE FROM parked_events e
USING unnest(@provider, @event_id) AS batch (provider, event_id)
WHERE e.provider = batch.provider AND e.event_id = batch.event_id;

-- name: mark_events_matched
UPDATE gateway_events e
SET matched = true
FROM unnest(@provider, @event_id) AS batch (provider, event_id)
WHERE e.provider = batch.provider AND e.event_id = batch.event_id;

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
SELECT order_id, version, @due_at FROM unnest(@order_id, @version) AS batch (order_id, version)
ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, due_at = excluded.due_at;

-- name: due_moved_payments
-- What a clock that was ahead has put off is due as well.
SELECT m.order_id, m.version, p.authorized, p.captured, p.refunded, p.voided
FROM moved_payments m
JOIN payments p ON p.order_id = m.order_id
WHERE m.due_at <= @now OR m.due_at > @too_far
ORDER BY m.order_id
LIMIT @most
FOR UPDATE OF m SKIP LOCKED;

-- name: delete_moved_payments
DELETE FROM moved_payments m
USING unnest(@order_id, @version) AS batch (order_id, version)
WHERE m.order_id = batch.order_id AND m.version <= batch.version;
