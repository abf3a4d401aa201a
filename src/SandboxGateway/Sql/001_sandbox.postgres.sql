-- The sandbox gateway's own record. The service reads the record only through the provider, and to reconcile.
CREATE TABLE sandbox_charges (
    id          text        PRIMARY KEY,
    key         text        NOT NULL,
    order_id    uuid        NOT NULL,
    token       text        NOT NULL,
    currency    text        NOT NULL,
    state       text        NOT NULL,
    amount      bigint      NOT NULL,
    authorized  bigint      NOT NULL,
    captured    bigint      NOT NULL,
    refunded    bigint      NOT NULL,
    voided      boolean     NOT NULL,
    code        text,
    message     text,
    -- When the authorization expires; null for never.
    holds_until timestamptz,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
) WITH (fillfactor = 60);
CREATE INDEX sandbox_charges_order_id ON sandbox_charges (order_id);
CREATE INDEX sandbox_charges_created_at ON sandbox_charges (created_at, id);

-- Requests received, by idempotency key.
CREATE TABLE sandbox_requests (
    key        text        PRIMARY KEY,
    operation  text        NOT NULL,
    outcome    text        NOT NULL,
    code       text,
    message    text,
    updated_at timestamptz NOT NULL
);
