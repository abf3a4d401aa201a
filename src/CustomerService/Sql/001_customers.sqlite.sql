-- Schema of customer-service: customers and store credit, payments and attempts at gateways, the journal,
-- reconciliations, and the built-in sandbox gateway. Amounts are minor units of the row's currency.

CREATE TABLE customers (
    id         TEXT    PRIMARY KEY,
    name       TEXT,
    email      TEXT,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- Erasure clears name and email; balances, credits and payments stay.
    erased_at  INTEGER
) STRICT;

CREATE TABLE balances (
    customer_id TEXT    NOT NULL,
    currency    TEXT    NOT NULL,
    amount      INTEGER NOT NULL CONSTRAINT balances_not_negative CHECK (amount >= 0),
    version     INTEGER NOT NULL,
    PRIMARY KEY (customer_id, currency)
) STRICT;

-- Top-ups of store credit; never changed or deleted.
CREATE TABLE credits (
    id          BLOB    PRIMARY KEY,
    customer_id TEXT    NOT NULL,
    currency    TEXT    NOT NULL,
    amount      INTEGER NOT NULL CHECK (amount > 0),
    reference   TEXT,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX credits_reference ON credits (customer_id, reference) WHERE reference IS NOT NULL;

-- A single payment per order. A tombstone (state undone) has no customer, provider or currency.
CREATE TABLE payments (
    order_id           BLOB    PRIMARY KEY,
    customer_id        TEXT,
    -- balance, or the gateway of the latest authorization.
    provider           TEXT,
    -- The route used to choose the gateway; null when the order named the provider.
    route              TEXT,
    token              TEXT,
    currency           TEXT,
    amount             INTEGER NOT NULL,
    state              TEXT    NOT NULL,
    authorized         INTEGER NOT NULL,
    captured           INTEGER NOT NULL,
    refunded           INTEGER NOT NULL,
    voided             INTEGER NOT NULL,
    code               TEXT,
    message            TEXT,
    -- Where the customer completes 3-D Secure.
    action_url         TEXT,
    gateway_reference  TEXT,
    -- When the authorization expires at the gateway; null when unknown, or when nothing is held.
    capture_before     INTEGER,
    -- Why a person has to look: a code while money is held or overdue, a sentence for everything else.
    attention_code     TEXT,
    attention          TEXT,
    -- The step whose undo was requested and is not finished.
    undo_step          TEXT,
    -- The latest operator resolution applied; older resolutions and repeats are ignored.
    last_resolution_id BLOB,
    version            INTEGER NOT NULL,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    CONSTRAINT payments_captured CHECK (captured >= 0 AND captured <= authorized),
    CONSTRAINT payments_refunded CHECK (refunded >= 0 AND refunded <= captured)
) STRICT;
CREATE INDEX payments_customer_id ON payments (customer_id) WHERE provider <> 'balance';
CREATE INDEX payments_capture_before ON payments (capture_before) WHERE capture_before IS NOT NULL;
-- Few rows of many, counted by every page with an attention badge.
CREATE INDEX payments_attention ON payments (order_id) WHERE attention_code IS NOT NULL OR attention IS NOT NULL;

-- Requests to gateways: committed before sending, completed with the result.
CREATE TABLE payment_attempts (
    order_id          BLOB    NOT NULL,
    operation         TEXT    NOT NULL,
    number            INTEGER NOT NULL,
    -- The idempotency key: {order_id}:{operation}:{number}.
    gateway_key       TEXT    NOT NULL,
    provider          TEXT,
    state             TEXT    NOT NULL,
    amount            INTEGER NOT NULL,
    gateway_reference TEXT,
    code              TEXT,
    message           TEXT,
    -- The requesting operator or service and the reason; null for the order process.
    requested_by      TEXT,
    reason            TEXT,
    started_at        INTEGER NOT NULL,
    finished_at       INTEGER,
    due_at            INTEGER,
    sends             INTEGER NOT NULL,
    look_ups          INTEGER NOT NULL,
    -- The results of look-ups while in doubt, as JSON.
    evidence          TEXT,
    -- The operator whose resolution ended the doubt.
    resolved_by       TEXT,
    PRIMARY KEY (order_id, operation, number)
) STRICT;
CREATE INDEX payment_attempts_due_at ON payment_attempts (due_at);

-- Changes of payments not caused by a command, until acknowledged by order-service.
CREATE TABLE payment_notifications (
    order_id BLOB    PRIMARY KEY,
    version  INTEGER NOT NULL,
    due_at   INTEGER NOT NULL
) STRICT;

-- Webhooks received, by the gateway's event id, to recognize repeats.
CREATE TABLE gateway_events (
    provider    TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,
    type        TEXT    NOT NULL,
    gateway_key TEXT,
    -- The attempt named by gateway_key was found.
    matched     INTEGER NOT NULL,
    body        TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (provider, event_id)
) STRICT;
CREATE INDEX gateway_events_received_at ON gateway_events (received_at);

-- Webhooks received before the attempt was stored. Small: matched and expired rows are deleted.
CREATE TABLE parked_events (
    provider    TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,
    order_id    BLOB    NOT NULL,
    operation   TEXT    NOT NULL,
    number      INTEGER NOT NULL,
    result      TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (provider, event_id)
) STRICT;

-- Double-entry journal of every movement of money (docs/adr/0021). Accounts: customer:{id} is a customer's store credit,
-- gateway:{provider} the debt of a gateway to us, orders the amount paid by orders, credits the source of top-ups. Each row
-- names both sides, so the sum over all accounts is always zero.
CREATE TABLE journal (
    -- Captures and refunds name an order, top-ups a credit.
    order_id       BLOB,
    credit_id      BLOB,
    kind           TEXT    NOT NULL,
    -- Sum of the payment's captures or refunds up to and including the row; makes the row unique.
    running_total  INTEGER NOT NULL,
    debit_account  TEXT    NOT NULL,
    credit_account TEXT    NOT NULL,
    currency       TEXT    NOT NULL,
    amount         INTEGER NOT NULL,
    recorded_at    INTEGER NOT NULL,
    CONSTRAINT journal_source CHECK (
        CASE kind
            WHEN 'credit' THEN credit_id IS NOT NULL AND order_id IS NULL
            ELSE kind IN ('capture', 'refund') AND order_id IS NOT NULL AND credit_id IS NULL
        END),
    CONSTRAINT journal_amount CHECK (amount > 0 AND running_total >= amount),
    CONSTRAINT journal_accounts CHECK (debit_account <> credit_account),
    CONSTRAINT journal_entry UNIQUE (order_id, kind, running_total)
) STRICT;
CREATE UNIQUE INDEX journal_credit ON journal (credit_id) WHERE credit_id IS NOT NULL;

CREATE TRIGGER journal_not_updated BEFORE UPDATE ON journal
BEGIN
    SELECT RAISE(ABORT, 'journal is append-only');
END;
CREATE TRIGGER journal_not_deleted BEFORE DELETE ON journal
BEGIN
    SELECT RAISE(ABORT, 'journal is append-only');
END;

-- Comparisons of our record with a gateway's own list (docs/adr/0022), one row per run. The stored progress lets a run
-- resume after a restart. Not on any order's path.
CREATE TABLE reconciliations (
    id               BLOB    PRIMARY KEY,
    provider         TEXT    NOT NULL,
    range_from       INTEGER NOT NULL,
    range_to         INTEGER NOT NULL,
    -- Null for scheduled runs.
    requested_by     TEXT,
    state            TEXT    NOT NULL,
    -- The next page of the gateway's list, and the last order compared.
    next_page        TEXT,
    compared_through BLOB,
    listed           INTEGER NOT NULL,
    unrelated        INTEGER NOT NULL,
    compared         INTEGER NOT NULL,
    in_progress      INTEGER NOT NULL,
    differences      INTEGER NOT NULL,
    failures         INTEGER NOT NULL,
    message          TEXT,
    started_at       INTEGER NOT NULL,
    -- Start of listing: payments changed later cannot be compared with the list.
    listed_at        INTEGER,
    finished_at      INTEGER,
    owner            BLOB,
    lease_until      INTEGER
) STRICT;
-- A single run per provider at a time.
CREATE UNIQUE INDEX reconciliations_open ON reconciliations (provider) WHERE finished_at IS NULL;

-- Charges listed by the gateway, until they are compared.
CREATE TABLE reconciliation_charges (
    run_id     BLOB    NOT NULL,
    order_id   BLOB    NOT NULL,
    reference  TEXT    NOT NULL,
    currency   TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    held       INTEGER NOT NULL,
    captured   INTEGER NOT NULL,
    refunded   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (run_id, order_id, reference)
) STRICT;

CREATE TABLE reconciliation_differences (
    run_id           BLOB    NOT NULL,
    number           INTEGER NOT NULL,
    kind             TEXT    NOT NULL,
    order_id         BLOB    NOT NULL,
    reference        TEXT,
    currency         TEXT    NOT NULL,
    our_held         INTEGER NOT NULL,
    our_captured     INTEGER NOT NULL,
    our_refunded     INTEGER NOT NULL,
    gateway_held     INTEGER NOT NULL,
    gateway_captured INTEGER NOT NULL,
    gateway_refunded INTEGER NOT NULL,
    message          TEXT    NOT NULL,
    repair           TEXT    NOT NULL,
    PRIMARY KEY (run_id, number)
) STRICT;

-- The sandbox gateway's own record. The service reads the record only through the provider, and to reconcile.
CREATE TABLE sandbox_charges (
    id          TEXT    PRIMARY KEY,
    key         TEXT    NOT NULL,
    order_id    BLOB    NOT NULL,
    token       TEXT    NOT NULL,
    currency    TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    amount      INTEGER NOT NULL,
    authorized  INTEGER NOT NULL,
    captured    INTEGER NOT NULL,
    refunded    INTEGER NOT NULL,
    voided      INTEGER NOT NULL,
    code        TEXT,
    message     TEXT,
    -- When the authorization expires; null for never.
    holds_until INTEGER,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX sandbox_charges_order_id ON sandbox_charges (order_id);
CREATE INDEX sandbox_charges_created_at ON sandbox_charges (created_at, id);

-- Requests received, by idempotency key.
CREATE TABLE sandbox_requests (
    key        TEXT    PRIMARY KEY,
    operation  TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,
    code       TEXT,
    message    TEXT,
    updated_at INTEGER NOT NULL
) STRICT;
