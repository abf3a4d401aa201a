-- Who asked for an attempt, and why; null for what the process asked for.
ALTER TABLE gateway_calls ADD COLUMN asked_by TEXT;
ALTER TABLE gateway_calls ADD COLUMN reason TEXT;

-- Payments that operators moved, until order-service knows.
CREATE TABLE moved_payments (
    order_id BLOB    PRIMARY KEY,
    version  INTEGER NOT NULL,
    due_at   INTEGER NOT NULL
) STRICT;
