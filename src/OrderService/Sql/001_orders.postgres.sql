-- Every order ever placed. JSON columns are json, not jsonb: the service reads and writes them whole, and json keeps the
-- order of keys.
CREATE TABLE orders (
    id                uuid        PRIMARY KEY, -- UUIDv7: ids sort by time
    merchant          text        NOT NULL,
    reference         text,
    customer_id       text        NOT NULL,
    currency          text        NOT NULL,
    status            text        NOT NULL,
    payment_status    text        NOT NULL,
    fulfilment_status text        NOT NULL,
    lines             json        NOT NULL,    -- [[line, sku, quantity, unit price in minor units], …]
    adjustments       json        NOT NULL,
    adjustments_minor bigint      NOT NULL,    -- sum of the adjustments
    metadata          json        NOT NULL,
    total_minor       bigint      CHECK (total_minor >= 0), -- null until every line has a price
    payment_provider  text        NOT NULL,
    payment_token     text,
    capture_policy    text,                    -- 'fulfilment', or null for capture on confirmation
    may_set_price     boolean     NOT NULL,
    cancel_reason     text,
    reason_code       text,
    reason_message    text,
    next_action_url   text,                    -- may be null while next_action_until is set
    next_action_until timestamptz,             -- deadline for the customer's action; null without one
    version           bigint      NOT NULL CHECK (version >= 1),
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL
-- Every row is written twice, larger the second time. At this fillfactor both versions fit on one page; a row that moved
-- would need new entries in every index, and vacuum would have to remove the old entries.
) WITH (fillfactor = 42);
-- No index names an updated column, so every update is a HOT update.
CREATE UNIQUE INDEX orders_reference ON orders (merchant, reference) WHERE reference IS NOT NULL;
CREATE INDEX orders_customer ON orders (customer_id, id);

-- Append-only, one row per version of an order, written in the transaction of the change. Webhooks and the public feed read
-- from here: the table is the outbox for everything outside.
CREATE TABLE order_events (
    seq      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id uuid        NOT NULL,
    version  bigint      NOT NULL,
    type     text        NOT NULL,
    status   text        NOT NULL,
    at       timestamptz NOT NULL,
    actor    text        NOT NULL,
    trace_id text,
    data     json        NOT NULL,
    UNIQUE (order_id, version)
);

-- Orders that wait for an outcome from the coordinator. A separate table keeps the resend sweep off the large one. Every
-- order inserts and deletes a row: autovacuum counts dead rows instead of a share of the table.
CREATE TABLE unsettled_orders (
    order_id        uuid        PRIMARY KEY,
    next_attempt_at timestamptz NOT NULL,
    attempts        int         NOT NULL       -- messages sent so far, 1 and up
) WITH (
    fillfactor = 60, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0
);

-- Shipments of orders, numbered from 1 within an order; rows never change.
CREATE TABLE fulfilments (
    order_id        uuid        NOT NULL,
    number          int         NOT NULL,
    id              uuid        NOT NULL,
    lines           json        NOT NULL,
    value_minor     bigint      NOT NULL CHECK (value_minor >= 0), -- share of the order's total
    carrier         text,
    tracking_number text,
    actor           text        NOT NULL,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (order_id, number)
);

-- Participants that have not yet confirmed their part in a fulfilment. Number 0 closes the order.
CREATE TABLE fulfilment_work (
    order_id        uuid        NOT NULL,
    number          int         NOT NULL,
    participant     text        NOT NULL,      -- name of a service
    due_minor       bigint,                    -- amount to be captured in total; customer-service only
    next_attempt_at timestamptz NOT NULL,
    attempts        int         NOT NULL,      -- messages sent so far, 1 and up
    PRIMARY KEY (order_id, number, participant)
);
