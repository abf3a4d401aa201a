-- name: insert_orders
-- Any conflict is skipped: a reference that is taken, or an id that an earlier attempt of the same batch has
-- brought in although the answer to its commit got lost. The caller looks at what came in.
INSERT INTO orders (
    id, merchant, reference, customer_id, currency, status, payment_status, fulfilment_status, lines, adjustments,
    adjustments_minor, metadata, total, payment_provider, payment_token, may_set_price, version, created_at, updated_at,
    capture)
VALUES (
    @id, @merchant, @reference, @customer_id, @currency, @status, @payment_status, @fulfilment_status, @lines, @adjustments,
    @adjustments_minor, @metadata, @total, @payment_provider, @payment_token, @may_set_price, @version, @created_at,
    @created_at, @capture)
ON CONFLICT DO NOTHING;

-- name: find_ids
SELECT o.id
FROM json_each(@rows) AS batch
JOIN orders o ON o.id = unhex(batch.value ->> 0);

-- name: find_references
SELECT o.merchant, o.reference, o.id
FROM json_each(@rows) AS batch
JOIN orders o ON o.merchant = batch.value ->> 0 AND o.reference = batch.value ->> 1;

-- name: insert_events
-- One writer at a time: numbers become visible in the order in which they are given.
INSERT INTO order_events (order_id, version, type, status, at, actor, trace_id, data)
VALUES (@order_id, @version, @type, @status, @at, @actor, @trace_id, @data);

-- name: insert_unsettled
INSERT INTO unsettled (order_id, ask_at, asked) VALUES (@id, @ask_at, 0);

-- name: restart_unsettled
INSERT INTO unsettled (order_id, ask_at, asked)
SELECT unhex(value ->> 0), @ask_at, 0
FROM json_each(@rows)
WHERE true
ON CONFLICT (order_id) DO UPDATE SET ask_at = excluded.ask_at, asked = 0;

-- name: delete_unsettled
DELETE FROM unsettled WHERE order_id = @id;

-- name: lock_states
-- One writer at a time: there is nothing to lock.
SELECT
    o.id, o.version, o.status, o.payment_status, o.fulfilment_status, o.total, o.reason_code, o.reason_message,
    o.cancel_reason, o.updated_at, o.capture, o.next_action_url, o.next_action_until
FROM json_each(@rows) AS batch
JOIN orders o ON o.id = unhex(batch.value ->> 0)
ORDER BY o.id;

-- name: lock_orders
SELECT
    o.id, o.version, o.status, o.payment_status, o.fulfilment_status, o.total, o.reason_code, o.reason_message,
    o.cancel_reason, o.updated_at, o.merchant, o.reference, o.customer_id, o.currency, o.lines, o.adjustments,
    o.metadata, o.payment_provider, o.payment_token, o.may_set_price, o.created_at,
    o.capture, o.next_action_url, o.next_action_until
FROM json_each(@rows) AS batch
JOIN orders o ON o.id = unhex(batch.value ->> 0)
ORDER BY o.id;

-- name: load_orders
SELECT
    o.id, o.version, o.status, o.payment_status, o.fulfilment_status, o.total, o.reason_code, o.reason_message,
    o.cancel_reason, o.updated_at, o.merchant, o.reference, o.customer_id, o.currency, o.lines, o.adjustments,
    o.metadata, o.payment_provider, o.payment_token, o.may_set_price, o.created_at,
    o.capture, o.next_action_url, o.next_action_until
FROM json_each(@rows) AS batch
JOIN orders o ON o.id = unhex(batch.value ->> 0);

-- name: save_states
-- Where another version stands, nothing is written.
UPDATE orders
SET status = @status, payment_status = @payment_status, total = @total, lines = COALESCE(@lines, lines),
    reason_code = @reason_code, reason_message = @reason_message, cancel_reason = @cancel_reason, version = @version,
    updated_at = @updated_at, fulfilment_status = @fulfilment_status, next_action_url = @next_action_url,
    next_action_until = @next_action_until
WHERE id = @id AND version = @version_before;

-- name: feed_given
SELECT coalesce(max(seq), 0) FROM order_events;

-- name: feed_writers
-- One writer at a time: what it has numbered is not visible before its commit, and nothing comes before it
-- later.
SELECT NULL;

-- name: load_feed
SELECT seq, order_id, version, type, status, at, actor, trace_id, data
FROM order_events
WHERE seq > @after AND seq <= @until
ORDER BY seq
LIMIT @limit;

-- name: load_merchant_feed
SELECT e.seq, e.order_id, e.version, e.type, e.status, e.at, e.actor, e.trace_id, e.data
FROM order_events e
JOIN orders o ON o.id = e.order_id AND o.merchant = @merchant
WHERE e.seq > @after AND e.seq <= @until
ORDER BY e.seq
LIMIT @limit;

-- name: load_order_events
SELECT seq, order_id, version, type, status, at, actor, trace_id, data
FROM order_events
WHERE order_id = @order_id AND seq > @after
ORDER BY version
LIMIT @limit;

-- name: touched_orders
SELECT DISTINCT e.order_id
FROM json_each(@rows) AS batch
JOIN order_events e ON e.order_id = unhex(batch.value ->> 0) AND e.seq > @after;

-- name: load_decided
SELECT
    o.id, o.version, o.status, o.payment_status, o.fulfilment_status, o.total, o.reason_code, o.reason_message,
    o.cancel_reason, o.updated_at, o.merchant, o.reference, o.customer_id, o.currency, o.lines, o.adjustments,
    o.metadata, o.payment_provider, o.payment_token, o.may_set_price, o.created_at,
    o.capture, o.next_action_url, o.next_action_until
FROM json_each(@rows) AS batch
JOIN orders o ON o.id = unhex(batch.value ->> 0)
WHERE o.status NOT IN ('pending', 'cancel_pending');

-- name: count_in_flight
SELECT count(*) FILTER (WHERE asked < @asked), count(*) FROM unsettled;

-- name: take_due
SELECT order_id, asked
FROM unsettled
WHERE ask_at <= @now
ORDER BY ask_at
LIMIT @limit;

-- name: bring_forward
UPDATE unsettled SET ask_at = @now WHERE ask_at > @too_far;

-- name: ask_later
UPDATE unsettled
SET ask_at = batch.ask_at, asked = asked + 1
FROM (SELECT unhex(value ->> 0) AS id, value ->> 1 AS ask_at FROM json_each(@rows)) AS batch
WHERE unsettled.order_id = batch.id;

-- name: window_floor
SELECT id
FROM orders
WHERE id >= @from AND id < @before
ORDER BY id DESC
LIMIT 1 OFFSET @skip;

-- name: list_orders
SELECT
    o.id, o.version, o.status, o.payment_status, o.fulfilment_status, o.total, o.reason_code, o.reason_message,
    o.cancel_reason, o.updated_at, o.merchant, o.reference, o.customer_id, o.currency, o.lines, o.adjustments,
    o.metadata, o.payment_provider, o.payment_token, o.may_set_price, o.created_at,
    o.capture, o.next_action_url, o.next_action_until
FROM orders o
WHERE o.id >= @from AND o.id < @before AND o.merchant = @merchant AND (@status IS NULL OR o.status = @status)
ORDER BY o.id DESC
LIMIT @limit;

-- name: list_orders_of_customer
SELECT
    o.id, o.version, o.status, o.payment_status, o.fulfilment_status, o.total, o.reason_code, o.reason_message,
    o.cancel_reason, o.updated_at, o.merchant, o.reference, o.customer_id, o.currency, o.lines, o.adjustments,
    o.metadata, o.payment_provider, o.payment_token, o.may_set_price, o.created_at,
    o.capture, o.next_action_url, o.next_action_until
FROM orders o
WHERE o.customer_id = @customer_id AND o.id >= @from AND o.id < @before AND o.merchant = @merchant
    AND (@status IS NULL OR o.status = @status)
ORDER BY o.id DESC
LIMIT @limit;

-- name: list_orders_of_reference
SELECT
    o.id, o.version, o.status, o.payment_status, o.fulfilment_status, o.total, o.reason_code, o.reason_message,
    o.cancel_reason, o.updated_at, o.merchant, o.reference, o.customer_id, o.currency, o.lines, o.adjustments,
    o.metadata, o.payment_provider, o.payment_token, o.may_set_price, o.created_at,
    o.capture, o.next_action_url, o.next_action_until
FROM orders o
WHERE o.merchant = @merchant AND o.reference = @reference AND o.id >= @from AND o.id < @before
    AND (@customer_id IS NULL OR o.customer_id = @customer_id) AND (@status IS NULL OR o.status = @status)
LIMIT @limit;

-- name: list_waiting_orders
-- Every order that is pending or cancel_pending is unsettled: the small table says which.
SELECT
    o.id, o.version, o.status, o.payment_status, o.fulfilment_status, o.total, o.reason_code, o.reason_message,
    o.cancel_reason, o.updated_at, o.merchant, o.reference, o.customer_id, o.currency, o.lines, o.adjustments,
    o.metadata, o.payment_provider, o.payment_token, o.may_set_price, o.created_at,
    o.capture, o.next_action_url, o.next_action_until
FROM unsettled u
JOIN orders o ON o.id = u.order_id
WHERE u.order_id >= @from AND u.order_id < @before AND o.merchant = @merchant AND o.status = @status
ORDER BY u.order_id DESC
LIMIT @limit;

-- name: load_fulfilments
SELECT
    f.order_id, f.number, f.id, f.lines, f.value, f.carrier, f.tracking_number, f.actor, f.created_at
FROM json_each(@rows) AS batch
JOIN fulfilments f ON f.order_id = unhex(batch.value ->> 0)
ORDER BY f.order_id, f.number;

-- name: insert_fulfilments
INSERT INTO fulfilments (order_id, number, id, lines, value, carrier, tracking_number, actor, created_at)
SELECT
    unhex(value ->> 0), value ->> 1, unhex(value ->> 2), value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
    value ->> 8
FROM json_each(@rows);

-- name: insert_fulfilment_work
INSERT INTO fulfilment_work (order_id, number, participant, due, ask_at, asked)
SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, @ask_at, 0
FROM json_each(@rows);

-- name: take_due_fulfilment_work
-- What a clock that was ahead has put off is due as well.
SELECT order_id, number, participant, asked, due
FROM fulfilment_work
WHERE ask_at <= @now OR ask_at > @too_far
ORDER BY ask_at
LIMIT @limit;

-- name: ask_fulfilment_work_later
UPDATE fulfilment_work
SET ask_at = batch.ask_at, asked = asked + 1
FROM (
    SELECT unhex(value ->> 0) AS order_id, value ->> 1 AS number, value ->> 2 AS participant, value ->> 3 AS ask_at
    FROM json_each(@rows)
) AS batch
WHERE fulfilment_work.order_id = batch.order_id AND fulfilment_work.number = batch.number
    AND fulfilment_work.participant = batch.participant;

-- name: delete_fulfilment_work
DELETE FROM fulfilment_work
WHERE (order_id, number, participant) IN
    (SELECT unhex(value ->> 0), value ->> 1, value ->> 2 FROM json_each(@rows));

-- name: finish_taken
-- The payment has come to where these wanted it. What is closed, number 0, also wants nothing held any more.
DELETE FROM fulfilment_work
WHERE participant = 'customer-service' AND EXISTS (
    SELECT 1
    FROM json_each(@rows)
    WHERE fulfilment_work.order_id = unhex(value ->> 0) AND fulfilment_work.due <= value ->> 1
        AND (fulfilment_work.number > 0 OR NOT value ->> 2));

-- name: ask_for_the_rest
-- A payment that moved is free for what else is to be taken: nothing else tells customer-service before the next pause is over.
UPDATE fulfilment_work
SET ask_at = @now
WHERE order_id IN (SELECT unhex(value ->> 0) FROM json_each(@rows))
    AND participant = 'customer-service' AND ask_at > @now;
