-- SQLite has one writer at a time: a plain read replaces PostgreSQL's row locks.

-- name: lock_reservations
SELECT {reservation}
FROM json_each(@rows) AS batch
JOIN reservations r ON r.order_id = unhex(batch.value ->> 0);

-- name: lock_items
SELECT {level}, p.unit_price, p.currency
FROM json_each(@rows) AS batch
JOIN levels l ON l.sku = batch.value ->> 0
JOIN products p ON p.sku = l.sku;

-- name: update_levels
UPDATE levels
SET on_hand = @on_hand, allocated = @allocated, reserved = @reserved, version = @version
WHERE sku = @sku;

-- name: insert_reservations
INSERT INTO reservations ({new_reservation})
VALUES (@order_id, @state, @code, @message, @currency, @lines, @now, @now);

-- name: update_reservations
UPDATE reservations
SET state = @state, code = @code, message = @message, updated_at = @now
WHERE order_id = @order_id;

-- name: replace_reservation_lines
UPDATE reservations SET lines = @lines, currency = @currency WHERE order_id = @order_id;

-- name: insert_holds
INSERT INTO holds (order_id) VALUES (@order_id);

-- name: delete_holds
DELETE FROM holds WHERE order_id = @order_id;

-- name: insert_order_movements
-- Movements of a batch of orders; their seq values are not needed.
INSERT INTO movements (sku, order_id, kind, on_hand_delta, allocated_delta, at, actor)
VALUES (@sku, @order_id, @kind, @on_hand_delta, @allocated_delta, @now, @actor);

-- name: load_shipments
SELECT s.order_id, s.fulfilment, s.lines
FROM json_each(@rows) AS batch
JOIN shipments s ON s.order_id = unhex(batch.value ->> 0);

-- name: insert_shipments
INSERT INTO shipments (order_id, fulfilment, lines, created_at)
SELECT unhex(value ->> 0), value ->> 1, value ->> 2, @now
FROM json_each(@rows);

-- name: insert_movements
-- Returns seq in the order of the set: rows are inserted as json_each reads them, and each rowid is the next.
INSERT INTO movements ({new_movement})
SELECT value ->> 0, unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 4, @now, value ->> 5, value ->> 6
FROM json_each(@rows)
RETURNING seq;

-- name: lock_products
SELECT {product}, {catalogue_level}
FROM json_each(@rows) AS batch
JOIN levels l ON l.sku = batch.value ->> 0
JOIN products p ON p.sku = l.sku;

-- name: insert_products
INSERT INTO products ({new_product})
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
INSERT INTO levels ({new_level})
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(@rows);

-- name: delete_levels
DELETE FROM levels WHERE sku IN (SELECT value ->> 0 FROM json_each(@rows));

-- name: held_reservations
-- Reads the small table of holds: reservations keeps every order. The second element of a line is its SKU.
SELECT {reservation}
FROM holds h
JOIN reservations r ON r.order_id = h.order_id
WHERE (@before IS NULL OR h.order_id < @before)
    AND (@sku IS NULL OR EXISTS (SELECT 1 FROM json_each(r.lines) AS line WHERE line.value ->> 1 = @sku))
ORDER BY h.order_id DESC
LIMIT @most;
