-- Receivers of webhooks. A single instance at a time sends to an endpoint, under a lease, so that the events of an order
-- arrive in order.
CREATE TABLE webhook_endpoints (
    id               uuid        PRIMARY KEY,
    merchant         text,                 -- null for the orders of all merchants
    url              text        NOT NULL,
    types            text        NOT NULL, -- event types separated by commas; '*' for all
    description      text,
    secret           text        NOT NULL, -- 'whsec_' and base64
    old_secret       text,                 -- secret before the last rotation
    old_secret_until timestamptz,          -- end of the overlap of both secrets
    state            text        NOT NULL CHECK (state IN ('active', 'disabled')),
    reason           text,                 -- why disabled: 'operator', 'gone' or 'unreachable'
    position         bigint      NOT NULL, -- every event up to this seq was sent, recorded for a retry, or is of no interest
    failures         int         NOT NULL, -- rounds in a row without a delivered event
    failing_since    timestamptz,          -- time of the first of these rounds
    next_round_at    timestamptz NOT NULL,
    lease_owner      uuid,                 -- instance that sends at present
    lease_until      timestamptz,
    version          bigint      NOT NULL, -- incremented by each change of a caller
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);

-- Delivery of an event to an endpoint: the log, and the queue of retries. Events that were not attempted yet have no row.
CREATE TABLE webhook_deliveries (
    id              uuid        PRIMARY KEY, -- UUIDv7: ids sort by time
    endpoint_id     uuid        NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    seq             bigint      NOT NULL,    -- event
    order_id        uuid        NOT NULL,
    type            text        NOT NULL,
    state           text        NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts        int         NOT NULL,    -- 0 for an event held back by an earlier event of the order
    next_attempt_at timestamptz,             -- null once the delivery has ended
    attempted_at    timestamptz,             -- last attempt
    response_status int,                     -- HTTP status of the last attempt; null without a response
    took_ms         int,
    response        text,                    -- beginning of the response's body, or why there was no response
    UNIQUE (endpoint_id, seq)
);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (endpoint_id, order_id, seq) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_attempt_at) WHERE state = 'waiting';
