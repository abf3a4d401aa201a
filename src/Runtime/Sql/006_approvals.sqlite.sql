-- Operations above an amount that wait for a second person, and their decisions.
CREATE TABLE approvals (
    id              BLOB    PRIMARY KEY,
    operation       TEXT    NOT NULL,
    order_id        BLOB,
    customer_id     TEXT,
    channel         TEXT,              -- null for a credit, which concerns all channels
    amount          INTEGER NOT NULL, -- minor units
    currency        TEXT    NOT NULL,
    effect          TEXT    NOT NULL,
    reason          TEXT    NOT NULL,
    command         TEXT    NOT NULL, -- JSON
    requested_by    TEXT    NOT NULL,
    requested_at    INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('pending', 'approved', 'rejected', 'expired')),
    decided_by      TEXT,
    decided_at      INTEGER,
    decision_reason TEXT,
    trace_id        TEXT,
    -- Another person decides.
    CHECK (decided_by <> requested_by),
    CHECK ((state IN ('approved', 'rejected')) = (decided_by IS NOT NULL))
) STRICT;
CREATE INDEX approvals_state ON approvals (state, id);
CREATE INDEX approvals_order_id ON approvals (order_id);
CREATE INDEX approvals_customer_id ON approvals (customer_id);
CREATE INDEX approvals_expires_at ON approvals (expires_at) WHERE state = 'pending';
