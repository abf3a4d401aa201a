-- Orders, what happened to them, and which of them still wait for the coordinator.
CREATE TABLE orders (
    id                BLOB    PRIMARY KEY,
    merchant          TEXT    NOT NULL,
    reference         TEXT,
    customer_id       TEXT    NOT NULL,
    currency          TEXT    NOT NULL,
    status            TEXT    NOT NULL,
    payment_status    TEXT    NOT NULL,
    fulfilment_status TEXT    NOT NULL,
    lines             TEXT    NOT NULL,
    adjustments       TEXT    NOT NULL,
    adjustments_minor INTEGER NOT NULL,
    metadata          TEXT    NOT NULL,
    total             INTEGER CHECK (total >= 0),
    payment_provider  TEXT    NOT NULL,
    payment_token     TEXT,
    may_set_price     INTEGER NOT NULL,
    cancel_reason     TEXT,
    reason_code       TEXT,
    reason_message    TEXT,
    version           INTEGER NOT NULL CHECK (version >= 1),
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX orders_reference ON orders (merchant, reference) WHERE reference IS NOT NULL;
CREATE INDEX orders_customer ON orders (customer_id, id);

-- Append-only; written with the change it tells of. It is the outbox of everything outside.
CREATE TABLE order_events (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    order_id BLOB    NOT NULL,
    version  INTEGER NOT NULL,
    type     TEXT    NOT NULL,
    status   TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    actor    TEXT    NOT NULL,
    trace_id TEXT,
    data     TEXT    NOT NULL,
    UNIQUE (order_id, version)
) STRICT;

-- A row only while an order waits, so that the sweep reads a small table.
CREATE TABLE unsettled (
    order_id BLOB    PRIMARY KEY,
    ask_at   INTEGER NOT NULL,
    asked    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
