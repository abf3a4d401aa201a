-- name: acknowledged
-- The 2xx responses that name an order, stored under an Idempotency-Key; ordered by id like the other streams.
SELECT DISTINCT substr(location, 16)::uuid AS id
FROM idempotency
WHERE status BETWEEN 200 AND 299 AND length(location) = 51 AND location LIKE '/api/v1/orders/%'
ORDER BY id;

-- name: orders
SELECT o.id, o.customer_id, o.currency, o.status, o.payment_status, o.lines::text AS lines, o.adjustments_minor, o.total_minor,
    o.version, o.updated_at, o.fulfilment_status, o.capture_policy, o.metadata ->> 'importLines' AS import_lines,
    o.adjustments::text AS adjustments, o.discount_limit,
    o.created_at,
    o.metadata::text <> '{}' OR EXISTS (
        SELECT 1 FROM json_array_elements(o.adjustments) AS a WHERE a ->> 'label' <> 'erased') AS has_texts,
    EXISTS (SELECT 1 FROM fulfilment_work w WHERE w.order_id = o.id) AS has_open_work,
    (
        SELECT json_agg(json_build_object('number', f.number, 'lines', f.lines, 'value', f.value_minor) ORDER BY f.number)::text
        FROM fulfilments f
        WHERE f.order_id = o.id
    ) AS fulfilments
FROM orders o
ORDER BY o.id;

-- name: reservations
SELECT r.order_id, r.state, r.lines::text AS lines, r.updated_at, h.order_id IS NOT NULL AS is_held,
    (
        SELECT json_agg(json_build_object('number', s.fulfilment, 'lines', s.lines) ORDER BY s.fulfilment)::text
        FROM shipments s
        WHERE s.order_id = r.order_id
    ) AS shipments
FROM reservations r
LEFT JOIN holds h ON h.order_id = r.order_id
ORDER BY r.order_id;
