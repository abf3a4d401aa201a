-- Every transaction locks in one order: reservations by order, then levels by SKU. So no two wait for each other.

-- name: lock_reservations
SELECT r.order_id, r.state, r.code, r.message, r.currency, r.lines, r.expires_at, r.created_at, r.updated_at
FROM unnest(@order_id) AS asked (order_id)
JOIN reservations r ON r.order_id = asked.order_id
ORDER BY r.order_id
FOR UPDATE OF r;

-- name: lock_due_reservations
-- What another instance is deciding right now is skipped, so this waits for nobody and may lock in any order.
SELECT r.order_id, r.state, r.code, r.message, r.currency, r.lines, r.expires_at, r.created_at, r.updated_at
FROM holds h
JOIN reservations r ON r.order_id = h.order_id
WHERE h.expires_at <= @before
ORDER BY h.expires_at, h.order_id
LIMIT @most
FOR UPDATE OF r SKIP LOCKED;

-- name: lock_items
SELECT l.sku, l.on_hand, l.allocated, l.reserved, l.version, p.unit_price, p.currency
FROM unnest(@sku) AS asked (sku)
JOIN levels l ON l.sku = asked.sku
JOIN products p ON p.sku = l.sku
ORDER BY l.sku
FOR UPDATE OF l;

-- name: update_levels
UPDATE levels l
SET on_hand = batch.on_hand, allocated = batch.allocated, reserved = batch.reserved, version = batch.version
FROM unnest(@sku, @on_hand, @allocated, @reserved, @version) AS batch (sku, on_hand, allocated, reserved, version)
WHERE l.sku = batch.sku;

-- name: insert_reservations
-- No ON CONFLICT: a row that another instance wrote meanwhile means that this batch decided without knowing it. The
-- key's violation has the batch tried again, and then it knows.
INSERT INTO reservations (order_id, state, code, message, currency, lines, expires_at, created_at, updated_at)
SELECT order_id, state, code, message, currency, lines::jsonb, expires_at, @now, @now
FROM (
    SELECT
        unnest(@order_id) AS order_id, unnest(@state) AS state, unnest(@code) AS code, unnest(@message) AS message,
        unnest(@currency) AS currency, unnest(@lines) AS lines, unnest(@expires_at) AS expires_at
) AS batch;

-- name: update_reservations
UPDATE reservations r
SET state = batch.state, code = batch.code, message = batch.message, expires_at = batch.expires_at, updated_at = @now
FROM (
    SELECT
        unnest(@order_id) AS order_id, unnest(@state) AS state, unnest(@code) AS code, unnest(@message) AS message,
        unnest(@expires_at) AS expires_at
) AS batch
WHERE r.order_id = batch.order_id;

-- name: insert_holds
INSERT INTO holds (order_id, expires_at)
SELECT order_id, expires_at FROM unnest(@order_id, @expires_at) AS batch (order_id, expires_at);

-- name: delete_holds
DELETE FROM holds h
USING unnest(@order_id, @expires_at) AS batch (order_id, expires_at)
WHERE h.expires_at = batch.expires_at AND h.order_id = batch.order_id;

-- name: insert_order_movements
-- The lines of a batch of orders; nobody asks for their numbers.
INSERT INTO movements (sku, order_id, kind, on_hand_delta, allocated_delta, at, actor)
SELECT
    sku, order_id,
    CASE WHEN on_hand_delta < 0 THEN 'shipped' WHEN allocated_delta > 0 THEN 'allocated' ELSE 'deallocated' END,
    on_hand_delta, allocated_delta, @now, @actor
FROM (
    SELECT
        unnest(@sku) AS sku, unnest(@order_id) AS order_id, unnest(@allocated_delta) AS allocated_delta,
        unnest(@on_hand_delta) AS on_hand_delta
) AS batch;

-- name: shipments
SELECT s.order_id, s.fulfilment, s.lines
FROM unnest(@order_id) AS asked (order_id)
JOIN shipments s ON s.order_id = asked.order_id;

-- name: insert_shipments
-- A conflict is a violation, and has the batch tried again, as with reservations.
INSERT INTO shipments (order_id, fulfilment, lines, created_at)
SELECT order_id, fulfilment, lines::jsonb, @now
FROM unnest(@order_id, @fulfilment, @lines) AS batch (order_id, fulfilment, lines);

-- name: insert_movements
-- Returns seq in the order of the set: identities are given out in the order of the rows inserted.
INSERT INTO movements (sku, order_id, kind, on_hand_delta, allocated_delta, at, note, actor)
SELECT sku, order_id, kind, on_hand_delta, allocated_delta, @now, note, actor
FROM unnest(@sku, @order_id, @kind, @on_hand_delta, @allocated_delta, @note, @actor) WITH ORDINALITY
    AS batch (sku, order_id, kind, on_hand_delta, allocated_delta, note, actor, place)
ORDER BY place
RETURNING seq;

-- name: lock_products
SELECT p.sku, p.name, p.unit_price, p.currency, p.version, p.created_at, p.updated_at,
    l.on_hand, l.allocated, l.reserved, l.version
FROM unnest(@sku) AS asked (sku)
JOIN levels l ON l.sku = asked.sku
JOIN products p ON p.sku = l.sku
ORDER BY l.sku
FOR UPDATE OF l, p;

-- name: insert_products
INSERT INTO products (sku, name, unit_price, currency, version, created_at, updated_at)
SELECT sku, name, unit_price, currency, version, created_at, updated_at
FROM unnest(@sku, @name, @unit_price, @currency, @version, @created_at, @updated_at)
    AS batch (sku, name, unit_price, currency, version, created_at, updated_at)
ORDER BY sku;

-- name: update_products
UPDATE products p
SET name = batch.name, unit_price = batch.unit_price, currency = batch.currency, version = batch.version,
    created_at = batch.created_at, updated_at = batch.updated_at
FROM unnest(@sku, @name, @unit_price, @currency, @version, @created_at, @updated_at)
    AS batch (sku, name, unit_price, currency, version, created_at, updated_at)
WHERE p.sku = batch.sku;

-- name: delete_products
DELETE FROM products p USING unnest(@sku) AS batch (sku) WHERE p.sku = batch.sku;

-- name: insert_levels
INSERT INTO levels (sku, on_hand, allocated, reserved, version)
SELECT sku, on_hand, allocated, reserved, version
FROM unnest(@sku, @on_hand, @allocated, @reserved, @version) AS batch (sku, on_hand, allocated, reserved, version)
ORDER BY sku;

-- name: delete_levels
DELETE FROM levels l USING unnest(@sku) AS batch (sku) WHERE l.sku = batch.sku;

-- name: product
SELECT sku, name, unit_price, currency, version, created_at, updated_at FROM products WHERE sku = @sku;

-- name: products
SELECT sku, name, unit_price, currency, version, created_at, updated_at
FROM products
WHERE sku > @after
ORDER BY sku
LIMIT @most;

-- name: level
SELECT sku, on_hand, allocated, reserved, version FROM levels WHERE sku = @sku;

-- name: levels
SELECT sku, on_hand, allocated, reserved, version
FROM levels
WHERE sku > @after AND (@below::bigint IS NULL OR on_hand - allocated - reserved < @below)
ORDER BY sku
LIMIT @most;

-- name: movements
SELECT seq, sku, order_id, kind, on_hand_delta, allocated_delta, at, note, actor
FROM movements
WHERE sku = @sku AND seq < @before
ORDER BY seq DESC
LIMIT @most;

-- name: reservation
SELECT order_id, state, code, message, currency, lines, expires_at, created_at, updated_at
FROM reservations
WHERE order_id = @order_id;

-- name: held_reservations
-- By way of the small table of holds: reservations keeps every order for good. A line is an array, in older rows an object.
SELECT r.order_id, r.state, r.code, r.message, r.currency, r.lines, r.expires_at, r.created_at, r.updated_at
FROM holds h
JOIN reservations r ON r.order_id = h.order_id
WHERE (@before::uuid IS NULL OR h.order_id < @before)
    AND (@sku::text IS NULL
        OR r.lines @> jsonb_build_array(jsonb_build_array(@sku::text))
        OR r.lines @> jsonb_build_array(jsonb_build_object('sku', @sku::text)))
ORDER BY h.order_id DESC
LIMIT @most;
