-- name: insert_orders
-- Any conflict is skipped: a reference that is taken, or an id that an earlier attempt of the same batch has
-- brought in although the answer to its commit got lost. The caller looks at what came in.
INSERT INTO orders (
    id, merchant, reference, customer_id, currency, status, payment_status, fulfilment_status, lines, adjustments,
    adjustments_minor, metadata, total, payment_provider, payment_token, may_set_price, version, created_at, updated_at,
    capture)
SELECT
    id, merchant, reference, customer_id, currency, status, payment_status, fulfilment_status, lines::json,
    adjustments::json, adjustments_minor, metadata::json, total, payment_provider, payment_token, may_set_price, version,
    created_at, created_at, capture
FROM (
    SELECT
        unnest(@id) AS id, unnest(@merchant) AS merchant, unnest(@reference) AS reference,
        unnest(@customer_id) AS customer_id, unnest(@currency) AS currency, unnest(@status) AS status,
        unnest(@payment_status) AS payment_status, unnest(@fulfilment_status) AS fulfilment_status,
        unnest(@lines) AS lines, unnest(@adjustments) AS adjustments, unnest(@adjustments_minor) AS adjustments_minor,
        unnest(@metadata) AS metadata, unnest(@total) AS total, unnest(@payment_provider) AS payment_provider,
        unnest(@payment_token) AS payment_token, unnest(@may_set_price) AS may_set_price, unnest(@version) AS version,
        unnest(@created_at) AS created_at, unnest(@capture) AS capture
) AS batch
ON CONFLICT DO NOTHING
RETURNING id;

-- name: find_ids
SELECT o.id
FROM unnest(@id) AS batch (id)
JOIN orders o ON o.id = batch.id;

-- name: find_references
SELECT o.merchant, o.reference, o.id
FROM unnest(@merchant, @reference) AS batch (merchant, reference)
JOIN orders o ON o.merchant = batch.merchant AND o.reference = batch.reference;

-- name: insert_events
-- Numbers are given before the commit, so a reader could see a number whose predecessor is still to be
-- committed, go on from there and miss it. Each writer therefore holds, until its transaction ends, a lock
-- that names the last number given before its own; feed_writers finds the oldest. The lock is shared and
-- nobody takes it otherwise: no one waits. 20311 ('OW') keeps these locks apart from other advisory locks.
-- The rows come and get their numbers in the order of the set, as nothing here moves them.
WITH turn AS MATERIALIZED (
    SELECT pg_advisory_xact_lock_shared(20311::bigint << 48 | CASE WHEN is_called THEN last_value ELSE 0 END)
    FROM order_events_seq_seq
)
INSERT INTO order_events (order_id, version, type, status, at, actor, trace_id, data)
SELECT order_id, version, type, status, at, actor, trace_id, data::json
FROM turn, (
    SELECT
        unnest(@order_id) AS order_id, unnest(@version) AS version, unnest(@type) AS type, unnest(@status) AS status,
        unnest(@at) AS at, unnest(@actor) AS actor, unnest(@trace_id) AS trace_id, unnest(@data) AS data
) AS batch;

-- name: insert_unsettled
INSERT INTO unsettled (order_id, ask_at, asked)
SELECT id, @ask_at, 0 FROM unnest(@id) AS batch (id);

-- name: restart_unsettled
INSERT INTO unsettled (order_id, ask_at, asked)
SELECT id, @ask_at, 0
FROM unnest(@id) AS batch (id)
ON CONFLICT (order_id) DO UPDATE SET ask_at = excluded.ask_at, asked = 0;

-- name: delete_unsettled
DELETE FROM unsettled u
USING unnest(@id) AS batch (id)
WHERE u.order_id = batch.id;

-- name: lock_states
SELECT
    o.id, o.version, o.status, o.payment_status, o.fulfilment_status, o.total, o.reason_code, o.reason_message,
    o.cancel_reason, o.updated_at, o.capture, o.next_action_url, o.next_action_until
FROM unnest(@id) AS batch (id)
JOIN orders o ON o.id = batch.id
ORDER BY o.id
FOR UPDATE OF o;

-- name: lock_orders
SELECT
    o.id, o.version, o.status, o.payment_status, o.fulfilment_status, o.total, o.reason_code, o.reason_message,
    o.cancel_reason, o.updated_at, o.merchant, o.reference, o.customer_id, o.currency, o.lines, o.adjustments,
    o.metadata, o.payment_provider, o.payment_token, o.may_set_price, o.created_at,
    o.capture, o.next_action_url, o.next_action_until
FROM unnest(@id) AS batch (id)
JOIN orders o ON o.id = batch.id
ORDER BY o.id
FOR UPDATE OF o;

-- name: load_orders
SELECT
    o.id, o.version, o.status, o.payment_status, o.fulfilment_status, o.total, o.reason_code, o.reason_message,
    o.cancel_reason, o.updated_at, o.merchant, o.reference, o.customer_id, o.currency, o.lines, o.adjustments,
    o.metadata, o.payment_provider, o.payment_token, o.may_set_price, o.created_at,
    o.capture, o.next_action_url, o.next_action_until
FROM unnest(@id) AS batch (id)
JOIN orders o ON o.id = batch.id;

-- name: save_states
-- Where another version stands, nothing is written, and the row does not come back.
UPDATE orders o
SET status = batch.status, payment_status = batch.payment_status, total = batch.total,
    lines = COALESCE(batch.lines::json, o.lines), reason_code = batch.reason_code,
    reason_message = batch.reason_message, cancel_reason = batch.cancel_reason, version = batch.version,
    updated_at = batch.updated_at, fulfilment_status = batch.fulfilment_status,
    next_action_url = batch.next_action_url, next_action_until = batch.next_action_until
FROM (
    SELECT
        unnest(@id) AS id, unnest(@version_before) AS version_before, unnest(@version) AS version,
        unnest(@status) AS status, unnest(@payment_status) AS payment_status, unnest(@total) AS total,
        unnest(@lines) AS lines, unnest(@reason_code) AS reason_code, unnest(@reason_message) AS reason_message,
        unnest(@cancel_reason) AS cancel_reason, unnest(@updated_at) AS updated_at,
        unnest(@fulfilment_status) AS fulfilment_status, unnest(@next_action_url) AS next_action_url,
        unnest(@next_action_until) AS next_action_until
) AS batch
WHERE o.id = batch.id AND o.version = batch.version_before
RETURNING o.id;

-- name: feed_given
-- The last number given, whether or not its transaction is over. Not bound to the snapshot.
SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM order_events_seq_seq;

-- name: feed_writers
-- The number before those of the oldest transaction that is writing events. A 64-bit advisory lock shows as
-- two halves.
SELECT min((classid::bigint << 32 | objid::bigint) & ((1::bigint << 48) - 1))
FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = 20311
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database());

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
FROM unnest(@id) AS batch (id)
JOIN order_events e ON e.order_id = batch.id AND e.seq > @after;

-- name: load_decided
SELECT
    o.id, o.version, o.status, o.payment_status, o.fulfilment_status, o.total, o.reason_code, o.reason_message,
    o.cancel_reason, o.updated_at, o.merchant, o.reference, o.customer_id, o.currency, o.lines, o.adjustments,
    o.metadata, o.payment_provider, o.payment_token, o.may_set_price, o.created_at,
    o.capture, o.next_action_url, o.next_action_until
FROM orders o
WHERE o.id = ANY (@id) AND o.status NOT IN ('pending', 'cancel_pending');

-- name: count_in_flight
SELECT count(*) FILTER (WHERE asked < @asked), count(*) FROM unsettled;

-- name: take_due
-- Rows that another instance has just taken, or that are being settled, are left alone.
SELECT order_id, asked
FROM unsettled
WHERE ask_at <= @now
ORDER BY ask_at
LIMIT @limit
FOR UPDATE SKIP LOCKED;

-- name: bring_forward
UPDATE unsettled SET ask_at = @now WHERE ask_at > @too_far;

-- name: ask_later
UPDATE unsettled u
SET ask_at = batch.ask_at, asked = u.asked + 1
FROM unnest(@id, @ask_at) AS batch (id, ask_at)
WHERE u.order_id = batch.id;

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
WHERE o.id >= @from AND o.id < @before AND o.merchant = @merchant AND (@status::text IS NULL OR o.status = @status)
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
    AND (@status::text IS NULL OR o.status = @status)
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
    AND (@customer_id::text IS NULL OR o.customer_id = @customer_id) AND (@status::text IS NULL OR o.status = @status)
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
FROM unnest(@order_id) AS batch (order_id)
JOIN fulfilments f ON f.order_id = batch.order_id
ORDER BY f.order_id, f.number;

-- name: insert_fulfilments
INSERT INTO fulfilments (order_id, number, id, lines, value, carrier, tracking_number, actor, created_at)
SELECT order_id, number, id, lines::json, value, carrier, tracking_number, actor, created_at
FROM unnest(@order_id, @number, @id, @lines, @value, @carrier, @tracking_number, @actor, @created_at)
    AS batch (order_id, number, id, lines, value, carrier, tracking_number, actor, created_at);

-- name: insert_fulfilment_work
INSERT INTO fulfilment_work (order_id, number, participant, due, ask_at, asked)
SELECT order_id, number, participant, due, @ask_at, 0
FROM unnest(@order_id, @number, @participant, @due) AS batch (order_id, number, participant, due);

-- name: take_due_fulfilment_work
-- What a clock that was ahead has put off is due as well. What another instance has just taken is left alone.
SELECT order_id, number, participant, asked, due
FROM fulfilment_work
WHERE ask_at <= @now OR ask_at > @too_far
ORDER BY ask_at
LIMIT @limit
FOR UPDATE SKIP LOCKED;

-- name: ask_fulfilment_work_later
UPDATE fulfilment_work w
SET ask_at = batch.ask_at, asked = w.asked + 1
FROM unnest(@order_id, @number, @participant, @ask_at) AS batch (order_id, number, participant, ask_at)
WHERE w.order_id = batch.order_id AND w.number = batch.number AND w.participant = batch.participant;

-- name: delete_fulfilment_work
DELETE FROM fulfilment_work w
USING unnest(@order_id, @number, @participant) AS batch (order_id, number, participant)
WHERE w.order_id = batch.order_id AND w.number = batch.number AND w.participant = batch.participant;

-- name: finish_taken
-- The payment has come to where these wanted it. What is closed, number 0, also wants nothing held any more.
DELETE FROM fulfilment_work w
USING unnest(@order_id, @captured, @is_held) AS batch (order_id, captured, is_held)
WHERE w.order_id = batch.order_id AND w.participant = 'customer-service' AND w.due <= batch.captured
    AND (w.number > 0 OR NOT batch.is_held);

-- name: ask_for_the_rest
-- A payment that moved is free for what else is to be taken: nothing else tells customer-service before the next pause is over.
UPDATE fulfilment_work w
SET ask_at = @now
FROM unnest(@order_id) AS batch (order_id)
WHERE w.order_id = batch.order_id AND w.participant = 'customer-service' AND w.ask_at > @now;
