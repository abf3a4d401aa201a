-- Erasures of customers. order-service has to agree, because it knows which orders are open, and then erases its texts;
-- saga-coordinator erases its notes. Each is asked until it has answered.
CREATE TABLE erasures (
    id           uuid        PRIMARY KEY,
    customer_id  text        COLLATE "C" NOT NULL,
    requested_by text        NOT NULL,
    requested_at timestamptz NOT NULL,
    -- asked, withdrawn, refused or erased: src/CustomerService/Customers/Erasure.cs
    state        text        NOT NULL,
    decided_at   timestamptz,
    -- Of the latest answer: open orders and the first of them, and all orders.
    open_orders  bigint      NOT NULL,
    open_order   uuid,
    orders       bigint,
    -- Name and e-mail address as a JSON array, until saga-coordinator has erased them.
    words        text,
    orders_done  boolean     NOT NULL,
    notes_done   boolean     NOT NULL,
    asked_at     timestamptz NOT NULL,
    -- Null when no answer is outstanding.
    next_ask_at  timestamptz
);
CREATE UNIQUE INDEX erasures_customer_id ON erasures (customer_id) WHERE state <> 'refused';
CREATE INDEX erasures_next_ask_at ON erasures (next_ask_at) WHERE next_ask_at IS NOT NULL;

CREATE INDEX erasures_by_customer ON erasures (customer_id, id);

-- The running or finished erasure of the customer.
ALTER TABLE customers ADD COLUMN erasure_id uuid;

-- Customers erased before: order-service and saga-coordinator have not heard of them.
INSERT INTO erasures (id, customer_id, requested_by, requested_at, state, decided_at, open_orders, orders_done, notes_done,
    asked_at, next_ask_at)
SELECT gen_random_uuid(), id, 'an earlier version', erased_at, 'erased', erased_at, 0, false, false, erased_at, erased_at
FROM customers
WHERE erased_at IS NOT NULL;
UPDATE customers c SET erasure_id = e.id FROM erasures e WHERE e.customer_id = c.id;

-- The audit stays append-only, except that an erasure replaces the words that name a person. Who did what to which order, and
-- when, never changes.
DROP TRIGGER operator_actions_append_only ON operator_actions;
CREATE TRIGGER operator_actions_append_only
    BEFORE DELETE OR TRUNCATE ON operator_actions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_operator_actions_change();
CREATE TRIGGER operator_actions_only_erased
    BEFORE UPDATE ON operator_actions
    FOR EACH ROW
    WHEN (
        (NEW.id, NEW.at, NEW.actor, NEW.action, NEW.order_id, NEW.subject, NEW.trace_id, NEW.run)
            IS DISTINCT FROM (OLD.id, OLD.at, OLD.actor, OLD.action, OLD.order_id, OLD.subject, OLD.trace_id, OLD.run)
        OR NEW.reason NOT LIKE '%[erased]%')
    EXECUTE FUNCTION refuse_operator_actions_change();

-- Answers of order-service about orders without a payment here. Small: asked for by reconciliations and operators only.
CREATE TABLE told_orders (
    order_id    uuid PRIMARY KEY,
    told_at     timestamptz NOT NULL,
    status      text, -- null for an order unknown to order-service
    customer_id text,
    currency    text,
    provider    text,
    token       text,
    amount      bigint
);
CREATE INDEX told_orders_told_at ON told_orders (told_at);
