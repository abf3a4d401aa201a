-- name: acknowledged
-- The 2xx responses that name an order, stored under an Idempotency-Key; ordered by id like the other streams.
SELECT DISTINCT unhex(replace(substr(location, 16), '-', '')) AS id
FROM idempotency
WHERE status BETWEEN 200 AND 299 AND length(location) = 51 AND location LIKE '/api/v1/orders/%'
ORDER BY id;

-- name: orders
SELECT o.id, o.customer_id, o.currency, o.status, o.payment_status, o.lines, o.adjustments_minor, o.total_minor,
    o.version, o.updated_at, o.fulfilment_status, o.capture_policy, o.metadata ->> 'importLines' AS import_lines,
    o.adjustments, o.discount_limit,
    o.created_at,
    o.metadata <> '{}' OR EXISTS (
        SELECT 1 FROM json_each(o.adjustments) AS a WHERE a.value ->> 'label' <> 'erased') AS has_texts,
    EXISTS (SELECT 1 FROM fulfilment_work w WHERE w.order_id = o.id) AS has_open_work,
    (
        SELECT json_group_array(json_object('number', f.number, 'lines', json(f.lines), 'value', f.value_minor))
        FROM fulfilments f
        WHERE f.order_id = o.id
    ) AS fulfilments
FROM orders o
ORDER BY o.id;

-- name: reservations
SELECT r.order_id, r.state, r.lines, r.updated_at, h.order_id IS NOT NULL AS is_held,
    (
        SELECT json_group_array(json_object('number', s.fulfilment, 'lines', json(s.lines)))
        FROM shipments s
        WHERE s.order_id = r.order_id
    ) AS shipments
FROM reservations r
LEFT JOIN holds h ON h.order_id = r.order_id
ORDER BY r.order_id;
