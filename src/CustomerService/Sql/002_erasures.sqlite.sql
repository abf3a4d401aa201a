-- Erasures of customers. order-service has to agree, because it knows which orders are open, and then erases its texts;
-- saga-coordinator erases its notes. Each is asked until it has answered.
CREATE TABLE erasures (
    id           BLOB    PRIMARY KEY,
    customer_id  TEXT    NOT NULL,
    requested_by TEXT    NOT NULL,
    requested_at INTEGER NOT NULL,
    -- asked, withdrawn, refused or erased: src/CustomerService/Customers/Erasure.cs
    state        TEXT    NOT NULL,
    decided_at   INTEGER,
    -- Of the latest answer: open orders and the first of them, and all orders.
    open_orders  INTEGER NOT NULL,
    open_order   BLOB,
    orders       INTEGER,
    -- Name and e-mail address as a JSON array, until saga-coordinator has erased them.
    words        TEXT,
    orders_done  INTEGER NOT NULL,
    notes_done   INTEGER NOT NULL,
    asked_at     INTEGER NOT NULL,
    -- Null when no answer is outstanding.
    next_ask_at  INTEGER
) STRICT;
CREATE UNIQUE INDEX erasures_customer_id ON erasures (customer_id) WHERE state <> 'refused';
CREATE INDEX erasures_next_ask_at ON erasures (next_ask_at) WHERE next_ask_at IS NOT NULL;

CREATE INDEX erasures_by_customer ON erasures (customer_id, id);

-- The running or finished erasure of the customer.
ALTER TABLE customers ADD COLUMN erasure_id BLOB;

-- Customers erased before: order-service and saga-coordinator have not heard of them.
INSERT INTO erasures (id, customer_id, requested_by, requested_at, state, decided_at, open_orders, orders_done, notes_done,
    asked_at, next_ask_at)
SELECT randomblob(16), id, 'an earlier version', erased_at, 'erased', erased_at, 0, 0, 0, erased_at, erased_at
FROM customers
WHERE erased_at IS NOT NULL;
UPDATE customers SET erasure_id = (SELECT id FROM erasures WHERE customer_id = customers.id) WHERE erased_at IS NOT NULL;

-- The audit stays append-only, except that an erasure replaces the words that name a person. Who did what to which order, and
-- when, never changes.
DROP TRIGGER operator_actions_not_updated;
CREATE TRIGGER operator_actions_not_updated BEFORE UPDATE ON operator_actions
WHEN (NEW.id, NEW.at, NEW.actor, NEW.action) IS NOT (OLD.id, OLD.at, OLD.actor, OLD.action)
    OR (NEW.order_id, NEW.subject, NEW.trace_id, NEW.run) IS NOT (OLD.order_id, OLD.subject, OLD.trace_id, OLD.run)
    OR NEW.reason NOT LIKE '%[erased]%'
BEGIN
    SELECT RAISE(ABORT, 'operator_actions is append-only');
END;

-- Answers of order-service about orders without a payment here. Small: asked for by reconciliations and operators only.
CREATE TABLE told_orders (
    order_id    BLOB PRIMARY KEY,
    told_at     INTEGER NOT NULL,
    status      TEXT, -- null for an order unknown to order-service
    customer_id TEXT,
    currency    TEXT,
    provider    TEXT,
    token       TEXT,
    amount      INTEGER
) STRICT;
CREATE INDEX told_orders_told_at ON told_orders (told_at);
