-- Every transaction locks reservations by order, then levels by SKU: no two transactions deadlock.

-- name: lock_reservations
SELECT {reservation}
FROM unnest(@order_id) AS batch (order_id)
JOIN reservations r ON r.order_id = batch.order_id
ORDER BY r.order_id
FOR UPDATE OF r;

-- name: lock_items
SELECT {level}, p.unit_price, p.currency
FROM unnest(@sku) AS batch (sku)
JOIN levels l ON l.sku = batch.sku
JOIN products p ON p.sku = l.sku
ORDER BY l.sku
FOR UPDATE OF l;

-- name: update_levels
UPDATE levels l
SET on_hand = batch.on_hand, allocated = batch.allocated, reserved = batch.reserved, version = batch.version
FROM unnest(@sku, @on_hand, @allocated, @reserved, @version) AS batch ({new_level})
WHERE l.sku = batch.sku;

-- name: insert_reservations
-- No ON CONFLICT: a row that another instance inserted meanwhile was unknown to this batch's decisions. The key violation
-- makes the batch retry, and the retry loads the row.
INSERT INTO reservations ({new_reservation})
SELECT order_id, state, code, message, currency, lines::jsonb, @now, @now
FROM (
    SELECT
        unnest(@order_id) AS order_id, unnest(@state) AS state, unnest(@code) AS code, unnest(@message) AS message,
        unnest(@currency) AS currency, unnest(@lines) AS lines
) AS batch;

-- name: update_reservations
UPDATE reservations r
SET state = batch.state, code = batch.code, message = batch.message, updated_at = @now
FROM (
    SELECT
        unnest(@order_id) AS order_id, unnest(@state) AS state, unnest(@code) AS code, unnest(@message) AS message
) AS batch
WHERE r.order_id = batch.order_id;

-- name: replace_reservation_lines
UPDATE reservations r
SET lines = batch.lines::jsonb, currency = batch.currency
FROM unnest(@order_id, @lines, @currency) AS batch (order_id, lines, currency)
WHERE r.order_id = batch.order_id;

-- name: insert_holds
INSERT INTO holds (order_id) SELECT unnest(@order_id);

-- name: delete_holds
DELETE FROM holds h
USING unnest(@order_id) AS batch (order_id)
WHERE h.order_id = batch.order_id;

-- name: insert_order_movements
-- Movements of a batch of orders; their seq values are not needed.
INSERT INTO movements (sku, order_id, kind, on_hand_delta, allocated_delta, at, actor)
SELECT sku, order_id, kind, on_hand_delta, allocated_delta, @now, @actor
FROM (
    SELECT
        unnest(@sku) AS sku, unnest(@order_id) AS order_id, unnest(@kind) AS kind,
        unnest(@allocated_delta) AS allocated_delta, unnest(@on_hand_delta) AS on_hand_delta
) AS batch;

-- name: load_shipments
SELECT s.order_id, s.fulfilment, s.lines
FROM unnest(@order_id) AS batch (order_id)
JOIN shipments s ON s.order_id = batch.order_id;

-- name: insert_shipments
-- A key violation makes the batch retry, as for reservations.
INSERT INTO shipments (order_id, fulfilment, lines, created_at)
SELECT order_id, fulfilment, lines::jsonb, @now
FROM unnest(@order_id, @fulfilment, @lines) AS batch (order_id, fulfilment, lines);

-- name: insert_movements
-- Returns seq in the order of the set: identity values are assigned in the order of the rows inserted.
INSERT INTO movements ({new_movement})
SELECT sku, order_id, kind, on_hand_delta, allocated_delta, @now, note, actor
FROM unnest(@sku, @order_id, @kind, @on_hand_delta, @allocated_delta, @note, @actor) WITH ORDINALITY
    AS batch (sku, order_id, kind, on_hand_delta, allocated_delta, note, actor, ordinal)
ORDER BY ordinal
RETURNING seq;

-- name: lock_products
SELECT {product}, {catalogue_level}
FROM unnest(@sku) AS batch (sku)
JOIN levels l ON l.sku = batch.sku
JOIN products p ON p.sku = l.sku
ORDER BY l.sku
FOR UPDATE OF l, p;

-- name: insert_products
INSERT INTO products ({new_product})
SELECT {new_product}
FROM unnest(@sku, @name, @unit_price, @currency, @version, @created_at, @updated_at) AS batch ({new_product})
ORDER BY sku;

-- name: update_products
UPDATE products p
SET name = batch.name, unit_price = batch.unit_price, currency = batch.currency, version = batch.version,
    created_at = batch.created_at, updated_at = batch.updated_at
FROM unnest(@sku, @name, @unit_price, @currency, @version, @created_at, @updated_at) AS batch ({new_product})
WHERE p.sku = batch.sku;

-- name: delete_products
DELETE FROM products p USING unnest(@sku) AS batch (sku) WHERE p.sku = batch.sku;

-- name: insert_levels
INSERT INTO levels ({new_level})
SELECT {new_level}
FROM unnest(@sku, @on_hand, @allocated, @reserved, @version) AS batch ({new_level})
ORDER BY sku;

-- name: delete_levels
DELETE FROM levels l USING unnest(@sku) AS batch (sku) WHERE l.sku = batch.sku;

-- name: held_reservations
-- Reads the small table of holds: reservations keeps every order. jsonb containment finds [line, sku, …] by the SKU.
SELECT {reservation}
FROM holds h
JOIN reservations r ON r.order_id = h.order_id
WHERE (@before::uuid IS NULL OR h.order_id < @before)
    AND (@sku::text IS NULL OR r.lines @> jsonb_build_array(jsonb_build_array(@sku::text)))
ORDER BY h.order_id DESC
LIMIT @most;
