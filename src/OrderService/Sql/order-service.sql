-- Statements that both engines share, and every list of columns.

-- columns: order_state
o.id, o.version, o.status, o.payment_status, o.fulfilment_status, o.total_minor, o.reason_code, o.reason_message,
    o.cancel_reason, o.updated_at, o.capture_policy, o.next_action_url, o.next_action_until, o.payment_version, o.secured_minor,
    o.goods

-- columns: order_terms
o.channel, o.reference, o.customer_id, o.currency, o.lines, o.adjustments, o.metadata, o.payment_provider,
    o.payment_token, o.may_set_price, o.discount_limit, o.created_at

-- columns: new_order
id, channel, reference, customer_id, currency, status, payment_status, fulfilment_status, lines, adjustments,
    adjustments_minor, metadata, total_minor, payment_provider, payment_token, capture_policy, may_set_price, discount_limit,
    version, created_at, updated_at

-- columns: new_event
order_id, version, type, status, at, actor, trace_id, data

-- columns: event
e.seq, e.order_id, e.version, e.type, e.status, e.at, e.actor, e.trace_id, e.data

-- columns: channel_is_visible
-- @channels is ',main,eu,', or null for all; a comma is not part of a name. Both engines have replace, and compare exactly.
(CAST(@channels AS text) IS NULL OR replace(@channels, ',' || channel || ',', '') <> @channels)

-- columns: is_open
status IN ('pending', 'cancel_pending')
    OR (status = 'confirmed' AND fulfilment_status <> 'fulfilled')
    OR EXISTS (SELECT 1 FROM fulfilment_work w WHERE w.order_id = orders.id)

-- columns: fulfilment
order_id, number, id, lines, value_minor, carrier, tracking_number, actor, created_at

-- name: load_refused_work
SELECT number, participant, refused
FROM fulfilment_work
WHERE order_id = @order_id AND refused IS NOT NULL
ORDER BY number, participant;

-- name: next_event_seq
SELECT min(seq) AS seq FROM order_events WHERE seq > @after;

-- name: event_after
SELECT at FROM order_events WHERE seq > @after ORDER BY seq LIMIT 1;

-- name: load_feed
SELECT {event}
FROM order_events e
WHERE e.seq > @after AND e.seq <= @until
ORDER BY e.seq
LIMIT @limit;

-- name: load_channel_feed
SELECT {event}
FROM order_events e
JOIN orders o ON o.id = e.order_id AND {channel_is_visible}
WHERE e.seq > @after AND e.seq <= @until
ORDER BY e.seq
LIMIT @limit;

-- name: load_order_events
SELECT {event}
FROM order_events e
WHERE e.order_id = @order_id AND e.seq > @after
ORDER BY e.version
LIMIT @limit;

-- name: count_unsettled
SELECT count(*) FILTER (WHERE attempts <= @most_attempts) AS in_flight, count(*) AS unsettled FROM unsettled_orders;

-- name: bring_forward
UPDATE unsettled_orders SET next_attempt_at = @now WHERE next_attempt_at > @too_far;

-- name: window_floor
SELECT id
FROM orders
WHERE id >= @from AND id < @before
ORDER BY id DESC
LIMIT 1 OFFSET @skip;

-- name: list_orders
SELECT {order_state}, {order_terms}
FROM orders o
WHERE o.id >= @from AND o.id < @before AND {channel_is_visible}
    AND (CAST(@status AS text) IS NULL OR o.status = @status)
ORDER BY o.id DESC
LIMIT @limit;

-- name: list_orders_by_start
-- The caller sets @from and @before to the range of the ids that begin with the digits.
SELECT {order_state}, {order_terms}
FROM orders o
WHERE o.id >= @from AND o.id < @before AND {channel_is_visible}
    AND (CAST(@customer_id AS text) IS NULL OR o.customer_id = @customer_id)
    AND (CAST(@reference AS text) IS NULL OR o.reference = @reference)
    AND (CAST(@status AS text) IS NULL OR o.status = @status)
ORDER BY o.id DESC
LIMIT @limit;

-- name: list_orders_by_end
-- The last digits are random: an index on them would be written all over for every order, and read a few times a day. So the
-- ids of the window are scanned. The primary key is enough for that (MATERIALIZED keeps it so); only hits read their row.
WITH hits AS MATERIALIZED (
    SELECT id
    FROM orders
    WHERE id >= @from AND id < @before AND NOT (id >= @first AND id < @end) AND {digits_of_id} LIKE '%' || @digits
)
SELECT {order_state}, {order_terms}
FROM hits
JOIN orders o ON o.id = hits.id
WHERE {channel_is_visible}
    AND (CAST(@customer_id AS text) IS NULL OR o.customer_id = @customer_id)
    AND (CAST(@reference AS text) IS NULL OR o.reference = @reference)
    AND (CAST(@status AS text) IS NULL OR o.status = @status)
ORDER BY o.id DESC
LIMIT @limit;

-- name: list_orders_of_customer
SELECT {order_state}, {order_terms}
FROM orders o
WHERE o.customer_id = @customer_id AND o.id >= @from AND o.id < @before AND {channel_is_visible}
    AND (CAST(@status AS text) IS NULL OR o.status = @status)
ORDER BY o.id DESC
LIMIT @limit;

-- name: list_orders_of_reference
-- Each half has an index of its own: the order that has the reference, and orders that came to nothing under it.
SELECT {order_state}, {order_terms}
FROM (
    SELECT id FROM orders WHERE reference = @reference AND {channel_is_visible} AND NOT reference_freed
    UNION ALL
    SELECT id FROM orders WHERE reference = @reference AND {channel_is_visible} AND reference_freed
) AS named
JOIN orders o ON o.id = named.id
WHERE o.id >= @from AND o.id < @before
    AND (CAST(@customer_id AS text) IS NULL OR o.customer_id = @customer_id)
    AND (CAST(@status AS text) IS NULL OR o.status = @status)
ORDER BY o.id DESC
LIMIT @limit;

-- name: list_waiting_orders
-- Every pending or cancel_pending order is unsettled, so the small table serves this list.
SELECT {order_state}, {order_terms}
FROM unsettled_orders u
JOIN orders o ON o.id = u.order_id
WHERE u.order_id >= @from AND u.order_id < @before AND {channel_is_visible} AND o.status = @status
ORDER BY u.order_id DESC
LIMIT @limit;

-- name: begin_event_exchange
-- The first use begins with the next event.
INSERT INTO event_exchange (id, position) VALUES (1, @position) ON CONFLICT (id) DO NOTHING;

-- name: look_at_event_exchange
-- Position of an exchange that is this instance's or free; too_far: see endpoints_to_serve.
SELECT CASE
        WHEN lease_owner IS NULL OR lease_owner = @owner OR lease_until < @now OR lease_until > @too_far THEN position
        ELSE 9223372036854775807
    END AS position
FROM event_exchange;

-- name: claim_event_exchange
UPDATE event_exchange
SET lease_owner = @owner, lease_until = @lease_until
WHERE lease_owner IS NULL OR lease_owner = @owner OR lease_until < @now OR lease_until > @too_far
RETURNING position;

-- name: save_event_exchange
UPDATE event_exchange SET position = @position, lease_until = @lease_until WHERE lease_owner = @owner;

-- name: leave_event_exchange
UPDATE event_exchange SET lease_owner = NULL, lease_until = NULL WHERE lease_owner = @owner;
