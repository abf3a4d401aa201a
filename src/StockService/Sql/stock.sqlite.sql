-- One writer at a time: what PostgreSQL locks is a plain read here.

-- name: lock_reservations
SELECT r.order_id, r.state, r.code, r.message, r.currency, r.lines, r.expires_at, r.created_at, r.updated_at
FROM json_each(@rows) AS asked
JOIN reservations r ON r.order_id = unhex(asked.value ->> 0);

-- name: lock_due_reservations
SELECT r.order_id, r.state, r.code, r.message, r.currency, r.lines, r.expires_at, r.created_at, r.updated_at
FROM holds h
JOIN reservations r ON r.order_id = h.order_id
WHERE h.expires_at <= @before
ORDER BY h.expires_at, h.order_id
LIMIT @most;

-- name: lock_items
SELECT l.sku, l.on_hand, l.allocated, l.reserved, l.version, p.unit_price, p.currency
FROM json_each(@rows) AS asked
JOIN levels l ON l.sku = asked.value ->> 0
JOIN products p ON p.sku = l.sku;

-- name: update_levels
UPDATE levels
SET on_hand = @on_hand, allocated = @allocated, reserved = @reserved, version = @version
WHERE sku = @sku;

-- name: insert_reservations
INSERT INTO reservations (order_id, state, code, message, currency, lines, expires_at, created_at, updated_at)
VALUES (@order_id, @state, @code, @message, @currency, @lines, @expires_at, @now, @now);

-- name: update_reservations
UPDATE reservations
SET state = @state, code = @code, message = @message, expires_at = @expires_at, updated_at = @now
WHERE order_id = @order_id;

-- name: insert_holds
INSERT INTO holds (order_id, expires_at) VALUES (@order_id, @expires_at);

-- name: delete_holds
DELETE FROM holds WHERE expires_at = @expires_at AND order_id = @order_id;

-- name: insert_order_movements
-- The lines of a batch of orders; nobody asks for their numbers.
INSERT INTO movements (sku, order_id, kind, on_hand_delta, allocated_delta, at, actor)
VALUES (
    @sku, @order_id,
    CASE WHEN @on_hand_delta < 0 THEN 'shipped' WHEN @allocated_delta > 0 THEN 'allocated' ELSE 'deallocated' END,
    @on_hand_delta, @allocated_delta, @now, @actor);

-- name: shipments
SELECT s.order_id, s.fulfilment, s.lines
FROM json_each(@rows) AS asked
JOIN shipments s ON s.order_id = unhex(asked.value ->> 0);

-- name: insert_shipments
INSERT INTO shipments (order_id, fulfilment, lines, created_at)
SELECT unhex(value ->> 0), value ->> 1, value ->> 2, @now
FROM json_each(@rows);

-- name: insert_movements
-- Returns seq in the order of the set: rows are inserted as json_each reads them, and each rowid is the next.
INSERT INTO movements (sku, order_id, kind, on_hand_delta, allocated_delta, at, note, actor)
SELECT value ->> 0, unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 4, @now, value ->> 5, value ->> 6
FROM json_each(@rows)
RETURNING seq;

-- name: lock_products
SELECT p.sku, p.name, p.unit_price, p.currency, p.version, p.created_at, p.updated_at,
    l.on_hand, l.allocated, l.reserved, l.version
FROM json_each(@rows) AS asked
JOIN levels l ON l.sku = asked.value ->> 0
JOIN products p ON p.sku = l.sku;

-- name: insert_products
INSERT INTO products (sku, name, unit_price, currency, version, created_at, updated_at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
FROM json_each(@rows);

-- name: update_products
UPDATE products
SET name = batch.name, unit_price = batch.unit_price, currency = batch.currency, version = batch.version,
    created_at = batch.created_at, updated_at = batch.updated_at
FROM (
    SELECT value ->> 0 AS sku, value ->> 1 AS name, value ->> 2 AS unit_price, value ->> 3 AS currency,
        value ->> 4 AS version, value ->> 5 AS created_at, value ->> 6 AS updated_at
    FROM json_each(@rows)
) AS batch
WHERE products.sku = batch.sku;

-- name: delete_products
DELETE FROM products WHERE sku IN (SELECT value ->> 0 FROM json_each(@rows));

-- name: insert_levels
INSERT INTO levels (sku, on_hand, allocated, reserved, version)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(@rows);

-- name: delete_levels
DELETE FROM levels WHERE sku IN (SELECT value ->> 0 FROM json_each(@rows));

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
WHERE sku > @after AND (@below IS NULL OR on_hand - allocated - reserved < @below)
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
WHERE (@before IS NULL OR h.order_id < @before)
    AND (@sku IS NULL OR EXISTS (SELECT 1 FROM json_each(r.lines) AS line WHERE @sku IN (line.value ->> 1, line.value ->> 'sku')))
ORDER BY h.order_id DESC
LIMIT @most;
