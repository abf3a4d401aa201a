-- Every order ever placed.
CREATE TABLE orders (
    id                BLOB    PRIMARY KEY, -- UUIDv7: ids sort by time
    merchant          TEXT    NOT NULL,
    reference         TEXT,
    customer_id       TEXT    NOT NULL,
    currency          TEXT    NOT NULL,
    status            TEXT    NOT NULL,
    payment_status    TEXT    NOT NULL,
    fulfilment_status TEXT    NOT NULL,
    lines             TEXT    NOT NULL,    -- [[line, sku, quantity, unit price in minor units], …]
    adjustments       TEXT    NOT NULL,
    adjustments_minor INTEGER NOT NULL,    -- sum of the adjustments
    metadata          TEXT    NOT NULL,
    total_minor       INTEGER CHECK (total_minor >= 0), -- null until every line has a price
    payment_provider  TEXT    NOT NULL,
    payment_token     TEXT,
    capture_policy    TEXT,                -- 'fulfilment', or null for capture on confirmation
    may_set_price     INTEGER NOT NULL,
    cancel_reason     TEXT,
    reason_code       TEXT,
    reason_message    TEXT,
    next_action_url   TEXT,                -- may be null while next_action_until is set
    next_action_until INTEGER,             -- deadline for the customer's action; null without one
    version           INTEGER NOT NULL CHECK (version >= 1),
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX orders_reference ON orders (merchant, reference) WHERE reference IS NOT NULL;
CREATE INDEX orders_customer ON orders (customer_id, id);

-- Append-only, one row per version of an order, written in the transaction of the change. Webhooks and the public feed read
-- from here: the table is the outbox for everything outside.
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

-- Orders that wait for an outcome from the coordinator. A separate table keeps the resend sweep off the large one.
CREATE TABLE unsettled_orders (
    order_id        BLOB    PRIMARY KEY,
    next_attempt_at INTEGER NOT NULL,
    attempts        INTEGER NOT NULL       -- messages sent so far, 1 and up
) STRICT, WITHOUT ROWID;

-- Shipments of orders, numbered from 1 within an order; rows never change.
CREATE TABLE fulfilments (
    order_id        BLOB    NOT NULL,
    number          INTEGER NOT NULL,
    id              BLOB    NOT NULL,
    lines           TEXT    NOT NULL,
    value_minor     INTEGER NOT NULL CHECK (value_minor >= 0), -- share of the order's total
    carrier         TEXT,
    tracking_number TEXT,
    actor           TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (order_id, number)
) STRICT, WITHOUT ROWID;

-- Participants that have not yet confirmed their part in a fulfilment. Number 0 closes the order.
CREATE TABLE fulfilment_work (
    order_id        BLOB    NOT NULL,
    number          INTEGER NOT NULL,
    participant     TEXT    NOT NULL,      -- name of a service
    due_minor       INTEGER,               -- amount to be captured in total; customer-service only
    next_attempt_at INTEGER NOT NULL,
    attempts        INTEGER NOT NULL,      -- messages sent so far, 1 and up
    PRIMARY KEY (order_id, number, participant)
) STRICT, WITHOUT ROWID;
