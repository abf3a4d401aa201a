-- What left the house of an order. One row per fulfilment, for good: it answers a repeated command.
CREATE TABLE shipments (
    order_id   BLOB    NOT NULL,
    fulfilment INTEGER NOT NULL,
    lines      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (order_id, fulfilment)
) STRICT, WITHOUT ROWID;
