-- A hold ends with its saga only (docs/adr/0036). The key is the order: order ids ascend with the time of the order, so old holds
-- come first. Release 0.1.0 gave goods back when a hold expired. Such an order holds nothing: its commit takes the goods again.
CREATE TABLE kept_reservations (
    order_id   BLOB    PRIMARY KEY,
    state      TEXT    NOT NULL CHECK (state IN ('held', 'committed', 'released', 'refused')),
    code       TEXT,             -- reason of a refusal, with its message
    message    TEXT,
    currency   TEXT    NOT NULL,
    lines      TEXT    NOT NULL, -- [[line, sku, quantity, unit price in minor units], …]
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
INSERT INTO kept_reservations (order_id, state, code, message, currency, lines, created_at, updated_at)
SELECT order_id, state, code, message, currency, lines, created_at, updated_at
FROM reservations
WHERE state <> 'expired';
DROP TABLE reservations;
ALTER TABLE kept_reservations RENAME TO reservations;

CREATE TABLE kept_holds (
    order_id BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;
INSERT INTO kept_holds (order_id) SELECT order_id FROM holds;
DROP TABLE holds;
ALTER TABLE kept_holds RENAME TO holds;
