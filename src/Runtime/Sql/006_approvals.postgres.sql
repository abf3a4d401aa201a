-- Operations above an amount that wait for a second person, and their decisions.
CREATE TABLE approvals (
    id              uuid        PRIMARY KEY,
    operation       text        NOT NULL,
    order_id        uuid,
    customer_id     text,
    channel         text,              -- null for a credit, which concerns all channels
    amount          bigint      NOT NULL, -- minor units
    currency        text        NOT NULL,
    effect          text        NOT NULL,
    reason          text        NOT NULL,
    command         text        NOT NULL, -- JSON
    requested_by    text        NOT NULL,
    requested_at    timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    state           text        NOT NULL CHECK (state IN ('pending', 'approved', 'rejected', 'expired')),
    decided_by      text,
    decided_at      timestamptz,
    decision_reason text,
    trace_id        text,
    -- Another person decides.
    CHECK (decided_by <> requested_by),
    CHECK ((state IN ('approved', 'rejected')) = (decided_by IS NOT NULL))
);
CREATE INDEX approvals_state ON approvals (state, id);
CREATE INDEX approvals_order_id ON approvals (order_id);
CREATE INDEX approvals_customer_id ON approvals (customer_id);
CREATE INDEX approvals_expires_at ON approvals (expires_at) WHERE state = 'pending';
