-- name: heal_orders
SELECT o.id, o.channel, o.reference, o.customer_id, o.currency, o.status, o.payment_status, o.lines::text AS lines,
    o.adjustments_minor, o.total_minor, o.payment_provider, o.payment_token, o.capture_policy, o.may_set_price,
    o.payment_version, o.secured_minor, o.goods, o.cancel_reason, o.reason_code, o.reason_message, o.version, o.updated_at,
    (SELECT count(*) FROM fulfilment_work w
        WHERE w.order_id = o.id AND w.participant = 'stock-service' AND w.refused IS NULL) AS stock_work,
    (SELECT count(*) FROM fulfilment_work w
        WHERE w.order_id = o.id AND w.participant = 'customer-service' AND w.refused IS NULL) AS customer_work,
    (
        SELECT json_agg(json_build_object('number', f.number, 'lines', f.lines, 'value', f.value_minor) ORDER BY f.number)::text
        FROM fulfilments f
        WHERE f.order_id = o.id
    ) AS fulfilments
FROM orders o
ORDER BY o.id;

-- name: heal_reservations
SELECT r.order_id, r.state, r.currency, r.lines::text AS lines, r.updated_at,
    (
        SELECT json_agg(json_build_object('number', s.fulfilment, 'lines', s.lines) ORDER BY s.fulfilment)::text
        FROM shipments s
        WHERE s.order_id = r.order_id
    ) AS shipments
FROM reservations r
ORDER BY r.order_id;
