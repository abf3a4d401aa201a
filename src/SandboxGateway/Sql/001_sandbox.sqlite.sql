-- The sandbox gateway's own record. The service reads the record only through the provider, and to reconcile.
CREATE TABLE sandbox_charges (
    id          TEXT    PRIMARY KEY,
    key         TEXT    NOT NULL,
    order_id    BLOB    NOT NULL,
    token       TEXT    NOT NULL,
    currency    TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    amount      INTEGER NOT NULL,
    authorized  INTEGER NOT NULL,
    captured    INTEGER NOT NULL,
    refunded    INTEGER NOT NULL,
    voided      INTEGER NOT NULL,
    code        TEXT,
    message     TEXT,
    -- When the authorization expires; null for never.
    holds_until INTEGER,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX sandbox_charges_order_id ON sandbox_charges (order_id);
CREATE INDEX sandbox_charges_created_at ON sandbox_charges (created_at, id);

-- Requests received, by idempotency key.
CREATE TABLE sandbox_requests (
    key        TEXT    PRIMARY KEY,
    operation  TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,
    code       TEXT,
    message    TEXT,
    updated_at INTEGER NOT NULL
) STRICT;
