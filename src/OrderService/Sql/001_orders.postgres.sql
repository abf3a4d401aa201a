-- Orders, what happened to them, and which of them still wait for the coordinator.
-- json, not jsonb: these columns are only ever written and read whole, and keep the order of their keys.
CREATE TABLE orders (
    id                uuid        PRIMARY KEY,
    merchant          text        NOT NULL,
    reference         text,
    customer_id       text        NOT NULL,
    currency          text        NOT NULL,
    status            text        NOT NULL,
    payment_status    text        NOT NULL,
    fulfilment_status text        NOT NULL,
    lines             json        NOT NULL,
    adjustments       json        NOT NULL,
    adjustments_minor bigint      NOT NULL,
    metadata          json        NOT NULL,
    total             bigint      CHECK (total >= 0),
    payment_provider  text        NOT NULL,
    payment_token     text,
    may_set_price     boolean     NOT NULL,
    cancel_reason     text,
    reason_code       text,
    reason_message    text,
    version           bigint      NOT NULL CHECK (version >= 1),
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL
) WITH (fillfactor = 60);
-- No index names a column that is updated, so that every update stays within its page.
CREATE UNIQUE INDEX orders_reference ON orders (merchant, reference) WHERE reference IS NOT NULL;
CREATE INDEX orders_customer ON orders (customer_id, id);

-- Append-only; written with the change it tells of. It is the outbox of everything outside.
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

-- A row only while an order waits, so that the sweep reads a small table. Rows come and go with every order:
-- it is vacuumed by the count of dead rows, and needs no index but its key.
CREATE TABLE unsettled (
    order_id uuid        PRIMARY KEY,
    ask_at   timestamptz NOT NULL,
    asked    int         NOT NULL
) WITH (
    fillfactor = 60, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0
);
