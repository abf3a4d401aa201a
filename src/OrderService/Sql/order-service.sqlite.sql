-- SQLite has one writer at a time: rows need no locks, and sequence values become visible in the order of assignment.

-- columns: digits_of_id
lower(hex(id))

-- name: insert_orders
-- Conflicting rows are skipped: the reference is taken, or an earlier attempt of the batch was committed and the reply to the
-- commit was lost. So are the orders of erased customers. The caller compares the ids returned.
INSERT INTO orders ({new_order})
SELECT
    @id, @channel, @reference, @customer_id, @currency, @status, @payment_status, @fulfilment_status, @lines, @adjustments,
    @adjustments_minor, @metadata, @total_minor, @payment_provider, @payment_token, @capture_policy, @may_set_price,
    @discount_limit, @version, @created_at, @created_at
WHERE NOT EXISTS (SELECT 1 FROM erased_customers WHERE customer_id = @customer_id)
ON CONFLICT DO NOTHING;

-- name: find_existing
SELECT o.id
FROM json_each(@rows) AS batch
JOIN orders o ON o.id = unhex(batch.value ->> 0);

-- name: find_references
SELECT o.channel, o.reference, o.id
FROM json_each(@rows) AS batch
JOIN orders o ON o.channel = batch.value ->> 0 AND o.reference = batch.value ->> 1 AND NOT o.reference_freed;

-- name: insert_events
INSERT INTO order_events ({new_event})
VALUES (@order_id, @version, @type, @status, @at, @actor, @trace_id, @data);

-- name: insert_unsettled
INSERT INTO unsettled_orders (order_id, next_attempt_at, attempts) VALUES (@id, @next_attempt_at, 1);

-- name: restart_unsettled
INSERT INTO unsettled_orders (order_id, next_attempt_at, attempts)
SELECT unhex(value ->> 0), @next_attempt_at, 1
FROM json_each(@rows)
WHERE true
ON CONFLICT (order_id) DO UPDATE SET next_attempt_at = excluded.next_attempt_at, attempts = 1;

-- name: delete_unsettled
DELETE FROM unsettled_orders WHERE order_id = @id;

-- name: claim_due_orders
SELECT order_id, attempts
FROM unsettled_orders
WHERE next_attempt_at <= @now
ORDER BY next_attempt_at
LIMIT @limit;

-- name: schedule_orders
UPDATE unsettled_orders
SET next_attempt_at = batch.next_attempt_at, attempts = attempts + 1
FROM (SELECT unhex(value ->> 0) AS id, value ->> 1 AS next_attempt_at FROM json_each(@rows)) AS batch
WHERE unsettled_orders.order_id = batch.id;

-- name: lock_states
SELECT {order_state}
FROM json_each(@rows) AS batch
JOIN orders o ON o.id = unhex(batch.value ->> 0)
ORDER BY o.id;

-- name: lock_orders
SELECT {order_state}, {order_terms}
FROM json_each(@rows) AS batch
JOIN orders o ON o.id = unhex(batch.value ->> 0)
ORDER BY o.id;

-- name: load_orders
SELECT {order_state}, {order_terms}
FROM json_each(@rows) AS batch
JOIN orders o ON o.id = unhex(batch.value ->> 0);

-- name: load_decided
SELECT {order_state}, {order_terms}
FROM json_each(@rows) AS batch
JOIN orders o ON o.id = unhex(batch.value ->> 0)
WHERE o.status NOT IN ('pending', 'cancel_pending');

-- name: save_states
-- A row in another version stays unchanged.
UPDATE orders
SET status = @status, payment_status = @payment_status, payment_version = @payment_version, secured_minor = @secured_minor,
    goods = @goods, reference_freed = @status IN ('rejected', 'expired', 'cancelled') AND @fulfilment_status = 'unfulfilled',
    total_minor = @total_minor, lines = COALESCE(@lines, lines),
    reason_code = @reason_code, reason_message = @reason_message, cancel_reason = @cancel_reason, version = @version,
    updated_at = @updated_at, fulfilment_status = @fulfilment_status, next_action_url = @next_action_url,
    next_action_until = @next_action_until
WHERE id = @id AND version = @version_before;

-- name: last_event_seq
SELECT coalesce(max(seq), 0) AS seq FROM order_events;

-- name: begin_first_epoch
-- A table that never had a row has no entry.
INSERT INTO sqlite_sequence (name, seq)
SELECT 'order_events', 0 WHERE @epoch >= 0 AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'order_events');

-- name: begin_epoch
UPDATE sqlite_sequence SET seq = max((seq >> 28) + 1, @epoch) << 28 WHERE name = 'order_events';

-- name: oldest_event_writer
SELECT NULL AS seq;

-- name: changed_orders
SELECT DISTINCT e.order_id
FROM json_each(@rows) AS batch
JOIN order_events e ON e.order_id = unhex(batch.value ->> 0) AND e.seq > @after;

-- name: load_fulfilments
SELECT {fulfilment}
FROM fulfilments
WHERE order_id IN (SELECT unhex(value ->> 0) FROM json_each(@rows))
ORDER BY order_id, number;

-- name: insert_fulfilments
INSERT INTO fulfilments ({fulfilment})
SELECT
    unhex(value ->> 0), value ->> 1, unhex(value ->> 2), value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
    value ->> 8
FROM json_each(@rows);

-- name: insert_fulfilment_work
INSERT INTO fulfilment_work (order_id, number, participant, due_minor, next_attempt_at, attempts)
SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, @next_attempt_at, 1
FROM json_each(@rows);

-- name: restart_fulfilment_work
INSERT INTO fulfilment_work (order_id, number, participant, due_minor, next_attempt_at, attempts)
SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, @next_attempt_at, 1
FROM json_each(@rows)
WHERE true
ON CONFLICT (order_id, number, participant) DO UPDATE
SET due_minor = excluded.due_minor, next_attempt_at = excluded.next_attempt_at, attempts = 1, refused = NULL;

-- name: claim_due_fulfilment_work
-- Rows past @too_far were scheduled by a clock that was ahead.
SELECT order_id, number, participant, attempts, due_minor
FROM fulfilment_work
WHERE next_attempt_at <= @now
    OR next_attempt_at > CASE WHEN refused IS NULL AND attempts < @prompt THEN @too_far ELSE @too_far_rare END
ORDER BY next_attempt_at
LIMIT @limit;

-- name: claim_silent_fulfilment_work
-- Of each participant without an answer for long, the work to be asked for first: an aggregate picks the row of its minimum.
SELECT order_id, number, participant, attempts, due_minor, min(next_attempt_at) AS next_attempt_at
FROM fulfilment_work
WHERE refused IS NULL AND attempts > @prompt
GROUP BY participant;

-- name: wake_silent_fulfilment_work
UPDATE fulfilment_work
SET next_attempt_at = @now
WHERE refused IS NULL AND attempts > @prompt AND next_attempt_at > @now AND participant IN (
    SELECT w.participant
    FROM json_each(@rows) AS batch
    JOIN fulfilment_work w ON w.order_id = unhex(batch.value ->> 0) AND w.participant = batch.value ->> 1
    WHERE w.attempts > @prompt);

-- name: refuse_fulfilment_work
-- Without a number, all work that the participant still owes to the order.
UPDATE fulfilment_work
SET refused = batch.refused, next_attempt_at = @next_attempt_at
FROM (
    SELECT
        unhex(value ->> 0) AS order_id, value ->> 1 AS number, value ->> 2 AS participant, value ->> 3 AS refused
    FROM json_each(@rows)
) AS batch
WHERE fulfilment_work.order_id = batch.order_id AND fulfilment_work.participant = batch.participant
    AND (batch.number IS NULL OR fulfilment_work.number = batch.number);

-- name: open_orders_of
-- Orders that are undecided, or confirmed with goods still to be shipped or booked.
SELECT batch.customer_id, count(o.id) FILTER (WHERE o.is_open) AS open_orders,
    min(o.id) FILTER (WHERE o.is_open) AS open_order, count(o.id) AS orders
FROM (SELECT value ->> 0 AS customer_id FROM json_each(@rows)) AS batch
LEFT JOIN (SELECT id, customer_id, {is_open} AS is_open FROM orders) AS o ON o.customer_id = batch.customer_id
GROUP BY batch.customer_id;

-- name: mark_erased_customers
INSERT INTO erased_customers (customer_id, marked_at)
SELECT value ->> 0, @now FROM json_each(@rows)
WHERE true -- SQLite's parser needs a WHERE between a SELECT's FROM and ON CONFLICT
ON CONFLICT (customer_id) DO NOTHING;

-- name: unmark_erased_customers
DELETE FROM erased_customers WHERE customer_id IN (SELECT value ->> 0 FROM json_each(@rows));

-- name: find_erased_customers
SELECT customer_id FROM erased_customers WHERE customer_id IN (SELECT value ->> 0 FROM json_each(@rows));

-- name: erase_order_texts
-- Amounts and types of adjustments stay: totals depend on them. No version is gained, because no status changes.
UPDATE orders
SET metadata = '{}', adjustments = (
    SELECT json_group_array(json_object('type', value ->> 'type', 'label', 'erased', 'amount', value ->> 'amount'))
    FROM json_each(adjustments))
WHERE customer_id IN (SELECT value ->> 0 FROM json_each(@rows)) AND NOT ({is_open})
    AND (metadata <> '{}' OR adjustments <> '[]');

-- name: schedule_fulfilment_work
UPDATE fulfilment_work
SET next_attempt_at = batch.next_attempt_at, attempts = attempts + 1
FROM (
    SELECT
        unhex(value ->> 0) AS order_id, value ->> 1 AS number, value ->> 2 AS participant, value ->> 3 AS next_attempt_at
    FROM json_each(@rows)
) AS batch
WHERE fulfilment_work.order_id = batch.order_id AND fulfilment_work.number = batch.number
    AND fulfilment_work.participant = batch.participant;

-- name: delete_fulfilment_work
DELETE FROM fulfilment_work
WHERE (order_id, number, participant) IN
    (SELECT unhex(value ->> 0), value ->> 1, value ->> 2 FROM json_each(@rows));

-- name: delete_captured_work
-- The payment has captured the amount due. Number 0, the close of an order, also requires that no money is held.
DELETE FROM fulfilment_work
WHERE participant = 'customer-service' AND EXISTS (
    SELECT 1
    FROM json_each(@rows)
    WHERE fulfilment_work.order_id = unhex(value ->> 0) AND fulfilment_work.due_minor <= value ->> 1
        AND (fulfilment_work.number > 0 OR NOT value ->> 2));

-- name: bring_capture_forward
-- After a capture the payment is free for the next, and customer-service learns of the remaining work only by a resend.
UPDATE fulfilment_work
SET next_attempt_at = @now
WHERE order_id IN (SELECT unhex(value ->> 0) FROM json_each(@rows))
    AND participant = 'customer-service' AND next_attempt_at > @now;
