-- columns: digits_of_id
replace(CAST(id AS text), '-', '')

-- name: insert_orders
-- Conflicting rows are skipped: the reference is taken, or an earlier attempt of the batch was committed and the reply to the
-- commit was lost. So are the orders of erased customers. The caller compares the ids returned.
INSERT INTO orders ({new_order})
SELECT
    id, channel, reference, customer_id, currency, status, payment_status, fulfilment_status, lines::json,
    adjustments::json, adjustments_minor, metadata::json, total_minor, payment_provider, payment_token, capture_policy,
    may_set_price, discount_limit, version, created_at, created_at
FROM (
    SELECT
        unnest(@id) AS id, unnest(@channel) AS channel, unnest(@reference) AS reference,
        unnest(@customer_id) AS customer_id, unnest(@currency) AS currency, unnest(@status) AS status,
        unnest(@payment_status) AS payment_status, unnest(@fulfilment_status) AS fulfilment_status,
        unnest(@lines) AS lines, unnest(@adjustments) AS adjustments, unnest(@adjustments_minor) AS adjustments_minor,
        unnest(@metadata) AS metadata, unnest(@total_minor) AS total_minor, unnest(@payment_provider) AS payment_provider,
        unnest(@payment_token) AS payment_token, unnest(@capture_policy) AS capture_policy,
        unnest(@may_set_price) AS may_set_price, unnest(@discount_limit) AS discount_limit,
        unnest(@version) AS version, unnest(@created_at) AS created_at
) AS batch
WHERE NOT EXISTS (SELECT 1 FROM erased_customers e WHERE e.customer_id = batch.customer_id)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: find_existing
SELECT o.id
FROM unnest(@id) AS batch (id)
JOIN orders o ON o.id = batch.id;

-- name: find_references
SELECT o.channel, o.reference, o.id
FROM unnest(@channel, @reference) AS batch (channel, reference)
JOIN orders o ON o.channel = batch.channel AND o.reference = batch.reference AND NOT o.reference_freed;

-- name: insert_events
-- Sequence values are assigned before commit: a reader past an uncommitted value would miss the event. Each writer therefore
-- holds, until the transaction ends, an advisory lock on the last value assigned before the statement; oldest_event_writer
-- finds the lowest. The locks are shared and never taken exclusively, so writers do not wait. The prefix 20311 ('OW')
-- separates these locks from other advisory locks. Rows are numbered in the order of the set.
WITH turn AS MATERIALIZED (
    SELECT pg_advisory_xact_lock_shared(20311::bigint << 48 | CASE WHEN is_called THEN last_value ELSE 0 END)
    FROM order_events_seq_seq
)
INSERT INTO order_events ({new_event})
SELECT order_id, version, type, status, at, actor, trace_id, data::json
FROM turn, (
    SELECT
        unnest(@order_id) AS order_id, unnest(@version) AS version, unnest(@type) AS type, unnest(@status) AS status,
        unnest(@at) AS at, unnest(@actor) AS actor, unnest(@trace_id) AS trace_id, unnest(@data) AS data
) AS batch;

-- name: insert_unsettled
INSERT INTO unsettled_orders (order_id, next_attempt_at, attempts)
SELECT id, @next_attempt_at, 1 FROM unnest(@id) AS batch (id);

-- name: restart_unsettled
INSERT INTO unsettled_orders (order_id, next_attempt_at, attempts)
SELECT id, @next_attempt_at, 1
FROM unnest(@id) AS batch (id)
ON CONFLICT (order_id) DO UPDATE SET next_attempt_at = excluded.next_attempt_at, attempts = 1;

-- name: delete_unsettled
DELETE FROM unsettled_orders u
USING unnest(@id) AS batch (id)
WHERE u.order_id = batch.id;

-- name: claim_due_orders
-- Rows claimed or being settled by another instance are skipped.
SELECT order_id, attempts
FROM unsettled_orders
WHERE next_attempt_at <= @now
ORDER BY next_attempt_at
LIMIT @limit
FOR UPDATE SKIP LOCKED;

-- name: schedule_orders
UPDATE unsettled_orders u
SET next_attempt_at = batch.next_attempt_at, attempts = u.attempts + 1
FROM unnest(@id, @next_attempt_at) AS batch (id, next_attempt_at)
WHERE u.order_id = batch.id;

-- name: lock_states
SELECT {order_state}
FROM unnest(@id) AS batch (id)
JOIN orders o ON o.id = batch.id
ORDER BY o.id
FOR UPDATE OF o;

-- name: lock_orders
SELECT {order_state}, {order_terms}
FROM unnest(@id) AS batch (id)
JOIN orders o ON o.id = batch.id
ORDER BY o.id
FOR UPDATE OF o;

-- name: load_orders
SELECT {order_state}, {order_terms}
FROM unnest(@id) AS batch (id)
JOIN orders o ON o.id = batch.id;

-- name: load_decided
SELECT {order_state}, {order_terms}
FROM orders o
WHERE o.id = ANY (@id) AND o.status NOT IN ('pending', 'cancel_pending');

-- name: save_states
-- A row in another version stays unchanged, and the id is not returned.
UPDATE orders o
SET status = batch.status, payment_status = batch.payment_status, payment_version = batch.payment_version,
    secured_minor = batch.secured_minor, total_minor = batch.total_minor,
    goods = batch.goods,
    reference_freed = batch.status IN ('rejected', 'expired', 'cancelled') AND batch.fulfilment_status = 'unfulfilled',
    lines = COALESCE(batch.lines::json, o.lines), reason_code = batch.reason_code,
    reason_message = batch.reason_message, cancel_reason = batch.cancel_reason, version = batch.version,
    updated_at = batch.updated_at, fulfilment_status = batch.fulfilment_status,
    next_action_url = batch.next_action_url, next_action_until = batch.next_action_until
FROM (
    SELECT
        unnest(@id) AS id, unnest(@version_before) AS version_before, unnest(@version) AS version,
        unnest(@status) AS status, unnest(@payment_status) AS payment_status,
        unnest(@payment_version) AS payment_version, unnest(@secured_minor) AS secured_minor, unnest(@goods) AS goods,
        unnest(@total_minor) AS total_minor, unnest(@lines) AS lines, unnest(@reason_code) AS reason_code,
        unnest(@reason_message) AS reason_message,
        unnest(@cancel_reason) AS cancel_reason, unnest(@updated_at) AS updated_at,
        unnest(@fulfilment_status) AS fulfilment_status, unnest(@next_action_url) AS next_action_url,
        unnest(@next_action_until) AS next_action_until
) AS batch
WHERE o.id = batch.id AND o.version = batch.version_before
RETURNING o.id;

-- name: last_event_seq
-- The last value assigned, committed or not: sequences are outside the snapshot.
SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS seq FROM order_events_seq_seq;

-- name: begin_first_epoch
-- Only SQLite has nothing to update before the first row.
SELECT 1 WHERE @epoch < 0;

-- name: begin_epoch
-- Outside the transaction, like every change of a sequence: a repeated attempt only leaves a larger gap.
SELECT setval('order_events_seq_seq', greatest((last_value >> 28) + 1, @epoch) << 28) FROM order_events_seq_seq;

-- name: oldest_event_writer
-- The value before the oldest open writer's first. pg_locks shows a 64-bit advisory lock as two halves.
SELECT min((classid::bigint << 32 | objid::bigint) & ((1::bigint << 48) - 1)) AS seq
FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = 20311
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database());

-- name: changed_orders
SELECT DISTINCT e.order_id
FROM unnest(@id) AS batch (id)
JOIN order_events e ON e.order_id = batch.id AND e.seq > @after;

-- name: load_fulfilments
SELECT {fulfilment}
FROM unnest(@order_id) AS batch (order_id)
JOIN fulfilments USING (order_id)
ORDER BY order_id, number;

-- name: insert_fulfilments
INSERT INTO fulfilments ({fulfilment})
SELECT order_id, number, id, lines::json, value_minor, carrier, tracking_number, actor, created_at
FROM unnest(@order_id, @number, @id, @lines, @value_minor, @carrier, @tracking_number, @actor, @created_at)
    AS batch ({fulfilment});

-- name: insert_fulfilment_work
INSERT INTO fulfilment_work (order_id, number, participant, due_minor, next_attempt_at, attempts)
SELECT order_id, number, participant, due_minor, @next_attempt_at, 1
FROM unnest(@order_id, @number, @participant, @due_minor) AS batch (order_id, number, participant, due_minor);

-- name: restart_fulfilment_work
INSERT INTO fulfilment_work (order_id, number, participant, due_minor, next_attempt_at, attempts)
SELECT order_id, number, participant, due_minor, @next_attempt_at, 1
FROM unnest(@order_id, @number, @participant, @due_minor) AS batch (order_id, number, participant, due_minor)
ON CONFLICT (order_id, number, participant) DO UPDATE
SET due_minor = excluded.due_minor, next_attempt_at = excluded.next_attempt_at, attempts = 1, refused = NULL;

-- name: claim_due_fulfilment_work
-- Rows past @too_far were scheduled by a clock that was ahead. Rows claimed by another instance are skipped.
SELECT order_id, number, participant, attempts, due_minor
FROM fulfilment_work
WHERE next_attempt_at <= @now
    OR next_attempt_at > CASE WHEN refused IS NULL AND attempts < @prompt THEN @too_far ELSE @too_far_rare END
ORDER BY next_attempt_at
LIMIT @limit
FOR UPDATE SKIP LOCKED;

-- name: claim_silent_fulfilment_work
-- Of each participant without an answer for long, the work to be asked for first. PostgreSQL locks no rows of a DISTINCT.
SELECT order_id, number, participant, attempts, due_minor
FROM fulfilment_work
WHERE (order_id, number, participant) IN (
    SELECT DISTINCT ON (participant) order_id, number, participant
    FROM fulfilment_work
    WHERE refused IS NULL AND attempts > @prompt
    ORDER BY participant, next_attempt_at)
FOR UPDATE SKIP LOCKED;

-- name: wake_silent_fulfilment_work
-- Rows that another transaction has locked are being asked for, or answered.
UPDATE fulfilment_work w
SET next_attempt_at = @now
FROM (
    SELECT order_id, number, participant
    FROM fulfilment_work
    WHERE refused IS NULL AND attempts > @prompt AND next_attempt_at > @now AND participant IN (
        SELECT o.participant
        FROM unnest(@order_id, @participant) AS batch (order_id, participant)
        JOIN fulfilment_work o ON o.order_id = batch.order_id AND o.participant = batch.participant
        WHERE o.attempts > @prompt)
    FOR UPDATE SKIP LOCKED
) AS silent
WHERE w.order_id = silent.order_id AND w.number = silent.number AND w.participant = silent.participant;

-- name: refuse_fulfilment_work
-- Without a number, all work that the participant still owes to the order.
UPDATE fulfilment_work w
SET refused = batch.refused, next_attempt_at = @next_attempt_at
FROM unnest(@order_id, @number, @participant, @refused) AS batch (order_id, number, participant, refused)
WHERE w.order_id = batch.order_id AND w.participant = batch.participant
    AND (batch.number IS NULL OR w.number = batch.number);

-- name: open_orders_of
-- Orders that are undecided, or confirmed with goods still to be shipped or booked.
SELECT batch.customer_id, count(o.id) FILTER (WHERE o.is_open) AS open_orders,
    (array_agg(o.id ORDER BY o.id) FILTER (WHERE o.is_open))[1] AS open_order, count(o.id) AS orders
FROM unnest(@customer_id) AS batch (customer_id)
LEFT JOIN LATERAL (
    SELECT id, {is_open} AS is_open FROM orders WHERE customer_id = batch.customer_id
) AS o ON true
GROUP BY batch.customer_id;

-- name: mark_erased_customers
INSERT INTO erased_customers (customer_id, marked_at)
SELECT customer_id, @now FROM unnest(@customer_id) AS batch (customer_id)
ON CONFLICT (customer_id) DO NOTHING;

-- name: unmark_erased_customers
DELETE FROM erased_customers WHERE customer_id = ANY (@customer_id);

-- name: find_erased_customers
SELECT customer_id FROM erased_customers WHERE customer_id = ANY (@customer_id);

-- name: erase_order_texts
-- Amounts and types of adjustments stay: totals depend on them. No version is gained, because no status changes.
UPDATE orders
SET metadata = '{}', adjustments = (
    SELECT coalesce(
        json_agg(json_build_object('type', a ->> 'type', 'label', 'erased', 'amount', (a ->> 'amount')::bigint) ORDER BY n), '[]')
    FROM json_array_elements(adjustments) WITH ORDINALITY AS entries (a, n))
WHERE customer_id = ANY (@customer_id) AND NOT ({is_open}) AND (metadata::text <> '{}' OR adjustments::text <> '[]');

-- name: schedule_fulfilment_work
UPDATE fulfilment_work w
SET next_attempt_at = batch.next_attempt_at, attempts = w.attempts + 1
FROM unnest(@order_id, @number, @participant, @next_attempt_at)
    AS batch (order_id, number, participant, next_attempt_at)
WHERE w.order_id = batch.order_id AND w.number = batch.number AND w.participant = batch.participant;

-- name: delete_fulfilment_work
DELETE FROM fulfilment_work w
USING unnest(@order_id, @number, @participant) AS batch (order_id, number, participant)
WHERE w.order_id = batch.order_id AND w.number = batch.number AND w.participant = batch.participant;

-- name: delete_captured_work
-- The payment has captured the amount due. Number 0, the close of an order, also requires that no money is held.
DELETE FROM fulfilment_work w
USING unnest(@order_id, @captured_minor, @is_held) AS batch (order_id, captured_minor, is_held)
WHERE w.order_id = batch.order_id AND w.participant = 'customer-service' AND w.due_minor <= batch.captured_minor
    AND (w.number > 0 OR NOT batch.is_held);

-- name: bring_capture_forward
-- After a capture the payment is free for the next, and customer-service learns of the remaining work only by a resend.
UPDATE fulfilment_work w
SET next_attempt_at = @now
FROM unnest(@order_id) AS batch (order_id)
WHERE w.order_id = batch.order_id AND w.participant = 'customer-service' AND w.next_attempt_at > @now;
