-- Receivers of webhooks. A single instance at a time sends to an endpoint, under a lease, so that the events of an order
-- arrive in order.
CREATE TABLE webhook_endpoints (
    id               BLOB    PRIMARY KEY,
    merchant         TEXT,             -- null for the orders of all merchants
    url              TEXT    NOT NULL,
    types            TEXT    NOT NULL, -- event types separated by commas; '*' for all
    description      TEXT,
    secret           TEXT    NOT NULL, -- 'whsec_' and base64
    old_secret       TEXT,             -- secret before the last rotation
    old_secret_until INTEGER,          -- end of the overlap of both secrets
    state            TEXT    NOT NULL CHECK (state IN ('active', 'disabled')),
    reason           TEXT,             -- why disabled: 'operator', 'gone' or 'unreachable'
    position         INTEGER NOT NULL, -- every event up to this seq was sent, recorded for a retry, or is of no interest
    failures         INTEGER NOT NULL, -- rounds in a row without a delivered event
    failing_since    INTEGER,          -- time of the first of these rounds
    next_round_at    INTEGER NOT NULL,
    lease_owner      BLOB,             -- instance that sends at present
    lease_until      INTEGER,
    version          INTEGER NOT NULL, -- incremented by each change of a caller
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Delivery of an event to an endpoint: the log, and the queue of retries. Events that were not attempted yet have no row.
CREATE TABLE webhook_deliveries (
    id              BLOB    PRIMARY KEY, -- UUIDv7: ids sort by time
    endpoint_id     BLOB    NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    seq             INTEGER NOT NULL,    -- event
    order_id        BLOB    NOT NULL,
    type            TEXT    NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts        INTEGER NOT NULL,    -- 0 for an event held back by an earlier event of the order
    next_attempt_at INTEGER,             -- null once the delivery has ended
    attempted_at    INTEGER,             -- last attempt
    response_status INTEGER,             -- HTTP status of the last attempt; null without a response
    took_ms         INTEGER,
    response        TEXT,                -- beginning of the response's body, or why there was no response
    UNIQUE (endpoint_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (endpoint_id, order_id, seq) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_attempt_at) WHERE state = 'waiting';
