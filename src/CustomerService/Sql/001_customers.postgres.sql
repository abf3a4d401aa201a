-- Schema of customer-service: customers and store credit, payments and attempts at gateways, the journal,
-- reconciliations, and the built-in sandbox gateway. Amounts are minor units of the row's currency.

-- Text keys collate by byte: cheaper, and the same order on both engines.
CREATE TABLE customers (
    id         text        COLLATE "C" PRIMARY KEY,
    name       text,
    email      text,
    version    bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- Erasure clears name and email; balances, credits and payments stay.
    erased_at  timestamptz
);

CREATE TABLE balances (
    customer_id text   COLLATE "C" NOT NULL,
    currency    text   COLLATE "C" NOT NULL,
    amount      bigint NOT NULL CONSTRAINT balances_not_negative CHECK (amount >= 0),
    version     bigint NOT NULL,
    PRIMARY KEY (customer_id, currency)
) WITH (fillfactor = 60);

-- Top-ups of store credit; never changed or deleted.
CREATE TABLE credits (
    id          uuid        PRIMARY KEY,
    customer_id text        COLLATE "C" NOT NULL,
    currency    text        NOT NULL,
    amount      bigint      NOT NULL CHECK (amount > 0),
    reference   text        COLLATE "C",
    created_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX credits_reference ON credits (customer_id, reference) WHERE reference IS NOT NULL;

-- A single payment per order. A tombstone (state undone) has no customer, provider or currency.
CREATE TABLE payments (
    order_id           uuid        PRIMARY KEY,
    customer_id        text        COLLATE "C",
    -- balance, or the gateway of the latest authorization.
    provider           text,
    -- The route used to choose the gateway; null when the order named the provider.
    route              text,
    token              text,
    currency           text,
    amount             bigint      NOT NULL,
    state              text        NOT NULL,
    authorized         bigint      NOT NULL,
    captured           bigint      NOT NULL,
    refunded           bigint      NOT NULL,
    voided             boolean     NOT NULL,
    code               text,
    message            text,
    -- Where the customer completes 3-D Secure.
    action_url         text,
    gateway_reference  text,
    -- When the authorization expires at the gateway; null when unknown, or when nothing is held.
    capture_before     timestamptz,
    -- Why a person has to look: a code while money is held or overdue, a sentence for everything else.
    attention_code     text,
    attention          text,
    -- The step whose undo was requested and is not finished.
    undo_step          text,
    -- The latest operator resolution applied; older resolutions and repeats are ignored.
    last_resolution_id uuid,
    version            bigint      NOT NULL,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    CONSTRAINT payments_captured CHECK (captured >= 0 AND captured <= authorized),
    CONSTRAINT payments_refunded CHECK (refunded >= 0 AND refunded <= captured)
) WITH (fillfactor = 60);
-- Partial, so that updates of store credit payments stay HOT.
CREATE INDEX payments_customer_id ON payments (customer_id) WHERE provider <> 'balance';
CREATE INDEX payments_capture_before ON payments (capture_before) WHERE capture_before IS NOT NULL;
-- Few rows of many, counted by every page with an attention badge.
CREATE INDEX payments_attention ON payments (order_id) WHERE attention_code IS NOT NULL OR attention IS NOT NULL;

-- Requests to gateways: committed before sending, completed with the result.
CREATE TABLE payment_attempts (
    order_id          uuid        NOT NULL,
    operation         text        NOT NULL,
    number            int         NOT NULL,
    -- The idempotency key: {order_id}:{operation}:{number}.
    gateway_key       text        NOT NULL,
    provider          text,
    state             text        NOT NULL,
    amount            bigint      NOT NULL,
    gateway_reference text,
    code              text,
    message           text,
    -- The requesting operator or service and the reason; null for the order process.
    requested_by      text,
    reason            text,
    started_at        timestamptz NOT NULL,
    finished_at       timestamptz,
    due_at            timestamptz,
    sends             int         NOT NULL,
    look_ups          int         NOT NULL,
    -- The results of look-ups while in doubt, as JSON.
    evidence          text,
    -- The operator whose resolution ended the doubt.
    resolved_by       text,
    PRIMARY KEY (order_id, operation, number)
) WITH (fillfactor = 60);
-- Attempts come at the pace of gateways, not of batches, so updates may touch an index.
CREATE INDEX payment_attempts_due_at ON payment_attempts (due_at);

-- Changes of payments not caused by a command, until acknowledged by order-service.
CREATE TABLE payment_notifications (
    order_id uuid        PRIMARY KEY,
    version  bigint      NOT NULL,
    due_at   timestamptz NOT NULL
);

-- Webhooks received, by the gateway's event id, to recognize repeats.
CREATE TABLE gateway_events (
    provider    text        NOT NULL,
    event_id    text        NOT NULL,
    type        text        NOT NULL,
    gateway_key text,
    -- The attempt named by gateway_key was found.
    matched     boolean     NOT NULL,
    body        text        NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (provider, event_id)
);
CREATE INDEX gateway_events_received_at ON gateway_events (received_at);

-- Webhooks received before the attempt was stored. Small: matched and expired rows are deleted.
CREATE TABLE parked_events (
    provider    text        NOT NULL,
    event_id    text        NOT NULL,
    order_id    uuid        NOT NULL,
    operation   text        NOT NULL,
    number      int         NOT NULL,
    result      text        NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (provider, event_id)
);

-- Double-entry journal of every movement of money (docs/adr/0021). Accounts: customer:{id} is a customer's store credit,
-- gateway:{provider} the debt of a gateway to us, orders the amount paid by orders, credits the source of top-ups. Each row
-- names both sides, so the sum over all accounts is always zero.
CREATE TABLE journal (
    -- Captures and refunds name an order, top-ups a credit.
    order_id       uuid,
    credit_id      uuid,
    kind           text        NOT NULL,
    -- Sum of the payment's captures or refunds up to and including the row; makes the row unique.
    running_total  bigint      NOT NULL,
    debit_account  text        NOT NULL,
    credit_account text        NOT NULL,
    currency       text        NOT NULL,
    amount         bigint      NOT NULL,
    recorded_at    timestamptz NOT NULL,
    CONSTRAINT journal_source CHECK (
        CASE kind
            WHEN 'credit' THEN credit_id IS NOT NULL AND order_id IS NULL
            ELSE kind IN ('capture', 'refund') AND order_id IS NOT NULL AND credit_id IS NULL
        END),
    CONSTRAINT journal_amount CHECK (amount > 0 AND running_total >= amount),
    CONSTRAINT journal_accounts CHECK (debit_account <> credit_account),
    CONSTRAINT journal_entry UNIQUE (order_id, kind, running_total)
);
CREATE UNIQUE INDEX journal_credit ON journal (credit_id) WHERE credit_id IS NOT NULL;

CREATE FUNCTION refuse_journal_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'journal is append-only';
END $$;
CREATE TRIGGER journal_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_journal_change();

-- The owner loses the same rights, in case the trigger is ever dropped. Where the administrator has run
-- deploy/postgres-seal.sql, ownership moves to another role.
REVOKE UPDATE, DELETE, TRUNCATE ON journal FROM CURRENT_USER;
DO $$ BEGIN
    IF to_regprocedure('seal_journal()') IS NOT NULL THEN
        PERFORM seal_journal();
    END IF;
END $$;

-- Comparisons of our record with a gateway's own list (docs/adr/0022), one row per run. The stored progress lets a run
-- resume after a restart. Not on any order's path.
CREATE TABLE reconciliations (
    id               uuid        PRIMARY KEY,
    provider         text        NOT NULL,
    range_from       timestamptz NOT NULL,
    range_to         timestamptz NOT NULL,
    -- Null for scheduled runs.
    requested_by     text,
    state            text        NOT NULL,
    -- The next page of the gateway's list, and the last order compared.
    next_page        text,
    compared_through uuid,
    listed           bigint      NOT NULL,
    unrelated        bigint      NOT NULL,
    compared         bigint      NOT NULL,
    in_progress      bigint      NOT NULL,
    differences      bigint      NOT NULL,
    failures         bigint      NOT NULL,
    message          text,
    started_at       timestamptz NOT NULL,
    -- Start of listing: payments changed later cannot be compared with the list.
    listed_at        timestamptz,
    finished_at      timestamptz,
    owner            uuid,
    lease_until      timestamptz
);
-- A single run per provider at a time.
CREATE UNIQUE INDEX reconciliations_open ON reconciliations (provider) WHERE finished_at IS NULL;

-- Charges listed by the gateway, until they are compared.
CREATE TABLE reconciliation_charges (
    run_id     uuid        NOT NULL,
    order_id   uuid        NOT NULL,
    reference  text        NOT NULL,
    currency   text        NOT NULL,
    state      text        NOT NULL,
    held       bigint      NOT NULL,
    captured   bigint      NOT NULL,
    refunded   bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (run_id, order_id, reference)
);

CREATE TABLE reconciliation_differences (
    run_id           uuid   NOT NULL,
    number           bigint NOT NULL,
    kind             text   NOT NULL,
    order_id         uuid   NOT NULL,
    reference        text,
    currency         text   NOT NULL,
    our_held         bigint NOT NULL,
    our_captured     bigint NOT NULL,
    our_refunded     bigint NOT NULL,
    gateway_held     bigint NOT NULL,
    gateway_captured bigint NOT NULL,
    gateway_refunded bigint NOT NULL,
    message          text   NOT NULL,
    repair           text   NOT NULL,
    PRIMARY KEY (run_id, number)
);

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
