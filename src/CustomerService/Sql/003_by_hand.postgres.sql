-- Who asked for an attempt, and why; null for what the process asked for.
ALTER TABLE gateway_calls ADD COLUMN asked_by text, ADD COLUMN reason text;

-- Payments that operators moved, until order-service knows.
CREATE TABLE moved_payments (
    order_id uuid        PRIMARY KEY,
    version  bigint      NOT NULL,
    due_at   timestamptz NOT NULL
);
