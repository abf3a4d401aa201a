-- The sandbox gateway's own record; nothing of ours reads it but for comparing.
CREATE TABLE sandbox_charges (
    id         text        PRIMARY KEY,
    key        text        NOT NULL,
    order_id   uuid        NOT NULL,
    token      text        NOT NULL,
    currency   text        NOT NULL,
    state      text        NOT NULL,
    amount     bigint      NOT NULL,
    authorized bigint      NOT NULL,
    captured   bigint      NOT NULL,
    refunded   bigint      NOT NULL,
    voided     boolean     NOT NULL,
    code       text,
    message    text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
) WITH (fillfactor = 60);
CREATE INDEX sandbox_charges_order_id ON sandbox_charges (order_id);

CREATE TABLE sandbox_requests (
    key        text        PRIMARY KEY,
    operation  text        NOT NULL,
    outcome    text        NOT NULL,
    code       text,
    message    text,
    updated_at timestamptz NOT NULL
);
