-- The sandbox gateway's own record; nothing of ours reads it but for comparing.
CREATE TABLE sandbox_charges (
    id         TEXT    PRIMARY KEY,
    key        TEXT    NOT NULL,
    order_id   BLOB    NOT NULL,
    token      TEXT    NOT NULL,
    currency   TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    amount     INTEGER NOT NULL,
    authorized INTEGER NOT NULL,
    captured   INTEGER NOT NULL,
    refunded   INTEGER NOT NULL,
    voided     INTEGER NOT NULL,
    code       TEXT,
    message    TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sandbox_charges_order_id ON sandbox_charges (order_id);

CREATE TABLE sandbox_requests (
    key        TEXT    PRIMARY KEY,
    operation  TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,
    code       TEXT,
    message    TEXT,
    updated_at INTEGER NOT NULL
) STRICT;
