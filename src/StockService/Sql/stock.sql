-- Statements that both engines share, and every list of columns.

-- columns: reservation
r.order_id, r.state, r.code, r.message, r.currency, r.lines, r.created_at, r.updated_at

-- columns: new_reservation
order_id, state, code, message, currency, lines, created_at, updated_at

-- columns: level
l.sku, l.on_hand, l.allocated, l.reserved, l.version

-- columns: new_level
sku, on_hand, allocated, reserved, version

-- columns: product
p.sku, p.name, p.unit_price, p.currency, p.version, p.created_at, p.updated_at

-- columns: new_product
sku, name, unit_price, currency, version, created_at, updated_at

-- columns: catalogue_level
l.on_hand, l.allocated, l.reserved, l.version AS level_version

-- columns: new_movement
sku, order_id, kind, on_hand_delta, allocated_delta, at, note, actor

-- name: product
SELECT {product} FROM products p WHERE p.sku = @sku;

-- name: products
SELECT {product}
FROM products p
WHERE p.sku > @after
ORDER BY p.sku
LIMIT @most;

-- name: level
SELECT {level} FROM levels l WHERE l.sku = @sku;

-- name: levels
SELECT {level}
FROM levels l
WHERE l.sku > @after AND (CAST(@below AS bigint) IS NULL OR l.on_hand - l.allocated - l.reserved < @below)
ORDER BY l.sku
LIMIT @most;

-- name: movements
SELECT seq, {new_movement}
FROM movements
WHERE sku = @sku AND seq < @before
ORDER BY seq DESC
LIMIT @most;

-- name: find_holds
SELECT order_id
FROM holds
WHERE order_id > @after AND order_id < @before
ORDER BY order_id
LIMIT @most;

-- name: reservation
SELECT {reservation} FROM reservations r WHERE r.order_id = @order_id;
