-- Every movement of money, once: what was taken from one account and given to another (docs/adr/0021). The accounts:
-- customer:{id} is what a customer has as store credit, gateway:{provider} what a gateway is to pay out to us, orders
-- what orders have paid, credits where top-ups come from. A row is both sides, so all accounts together are always zero.
CREATE TABLE journal (
    -- A payment's movement names its order, a top-up its credit.
    order_id  uuid,
    credit_id uuid,
    kind      text        NOT NULL,
    -- What the payment's captures or refunds come to with this one: the same movement cannot stand twice.
    total     bigint      NOT NULL,
    debit     text        NOT NULL,
    credit    text        NOT NULL,
    currency  text        NOT NULL,
    amount    bigint      NOT NULL,
    at        timestamptz NOT NULL,
    CONSTRAINT journal_source CHECK (
        CASE kind
            WHEN 'credit' THEN credit_id IS NOT NULL AND order_id IS NULL
            ELSE kind IN ('capture', 'refund') AND order_id IS NOT NULL AND credit_id IS NULL
        END),
    CONSTRAINT journal_amount CHECK (amount > 0 AND total >= amount),
    CONSTRAINT journal_accounts CHECK (debit <> credit),
    CONSTRAINT journal_movement UNIQUE (order_id, kind, total)
);
CREATE UNIQUE INDEX journal_credit ON journal (credit_id) WHERE credit_id IS NOT NULL;

-- What there was before there was a journal: a row for all that was captured of a payment, one for all that was refunded.
INSERT INTO journal (credit_id, kind, total, debit, credit, currency, amount, at)
SELECT id, 'credit', amount, 'credits', 'customer:' || customer_id, currency, amount, created_at
FROM credits
ORDER BY created_at, id;

INSERT INTO journal (order_id, kind, total, debit, credit, currency, amount, at)
SELECT order_id, 'capture', captured, CASE provider WHEN 'balance' THEN 'customer:' || customer_id ELSE 'gateway:' || provider END,
    'orders', currency, captured, created_at
FROM payments
WHERE captured > 0
ORDER BY order_id;

INSERT INTO journal (order_id, kind, total, debit, credit, currency, amount, at)
SELECT order_id, 'refund', refunded, 'orders',
    CASE provider WHEN 'balance' THEN 'customer:' || customer_id ELSE 'gateway:' || provider END, currency, refunded, updated_at
FROM payments
WHERE refunded > 0
ORDER BY order_id;

CREATE FUNCTION refuse_journal_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'journal is append-only';
END $$;
CREATE TRIGGER journal_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_journal_change();

-- The role that makes the table may not do it either, should the trigger ever be gone; and where the server's
-- administrator has prepared for it (deploy/postgres-seal.sql), the table becomes another role's.
REVOKE UPDATE, DELETE, TRUNCATE ON journal FROM CURRENT_USER;
DO $$ BEGIN
    IF to_regprocedure('seal_journal()') IS NOT NULL THEN
        PERFORM seal_journal();
    END IF;
END $$;
