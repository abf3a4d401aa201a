-- Statements that both engines share, and every list of columns.

-- columns: order_state
o.id, o.version, o.status, o.payment_status, o.fulfilment_status, o.total_minor, o.reason_code, o.reason_message,
    o.cancel_reason, o.updated_at, o.capture_policy, o.next_action_url, o.next_action_until, o.payment_version, o.secured_minor,
    o.goods

-- columns: order_terms
o.merchant, o.reference, o.customer_id, o.currency, o.lines, o.adjustments, o.metadata, o.payment_provider,
    o.payment_token, o.may_set_price, o.discount_limit, o.created_at

-- columns: new_order
id, merchant, reference, customer_id, currency, status, payment_status, fulfilment_status, lines, adjustments,
    adjustments_minor, metadata, total_minor, payment_provider, payment_token, capture_policy, may_set_price, discount_limit,
    version, created_at, updated_at

-- columns: new_event
order_id, version, type, status, at, actor, trace_id, data

-- columns: event
e.seq, e.order_id, e.version, e.type, e.status, e.at, e.actor, e.trace_id, e.data

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

-- name: load_feed
SELECT {event}
FROM order_events e
WHERE e.seq > @after AND e.seq <= @until
ORDER BY e.seq
LIMIT @limit;

-- name: load_merchant_feed
SELECT {event}
FROM order_events e
JOIN orders o ON o.id = e.order_id AND o.merchant = @merchant
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
WHERE o.id >= @from AND o.id < @before AND o.merchant = @merchant AND (CAST(@status AS text) IS NULL OR o.status = @status)
ORDER BY o.id DESC
LIMIT @limit;

-- name: list_orders_of_customer
SELECT {order_state}, {order_terms}
FROM orders o
WHERE o.customer_id = @customer_id AND o.id >= @from AND o.id < @before AND o.merchant = @merchant
    AND (CAST(@status AS text) IS NULL OR o.status = @status)
ORDER BY o.id DESC
LIMIT @limit;

-- name: list_orders_of_reference
-- Each half has an index of its own: the order that has the reference, and orders that came to nothing under it.
SELECT {order_state}, {order_terms}
FROM (
    SELECT id FROM orders WHERE merchant = @merchant AND reference = @reference AND NOT reference_freed
    UNION ALL
    SELECT id FROM orders WHERE merchant = @merchant AND reference = @reference AND reference_freed
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
WHERE u.order_id >= @from AND u.order_id < @before AND o.merchant = @merchant AND o.status = @status
ORDER BY u.order_id DESC
LIMIT @limit;
