CREATE TABLE customers (
    id         TEXT    PRIMARY KEY,
    name       TEXT,
    email      TEXT,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- Name and e-mail are gone from here on; balances, credits and payments stay.
    erased_at  INTEGER
) STRICT;

CREATE TABLE balances (
    customer_id TEXT    NOT NULL,
    currency    TEXT    NOT NULL,
    amount      INTEGER NOT NULL CONSTRAINT balances_not_negative CHECK (amount >= 0),
    version     INTEGER NOT NULL,
    PRIMARY KEY (customer_id, currency)
) STRICT;

CREATE TABLE credits (
    id          BLOB    PRIMARY KEY,
    customer_id TEXT    NOT NULL,
    currency    TEXT    NOT NULL,
    amount      INTEGER NOT NULL CHECK (amount > 0),
    reference   TEXT,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX credits_reference ON credits (customer_id, reference) WHERE reference IS NOT NULL;

-- A tombstone (state undone) has no customer, provider or currency.
CREATE TABLE payments (
    order_id          BLOB    PRIMARY KEY,
    customer_id       TEXT,
    provider          TEXT,
    token             TEXT,
    currency          TEXT,
    amount            INTEGER NOT NULL,
    state             TEXT    NOT NULL,
    authorized        INTEGER NOT NULL,
    captured          INTEGER NOT NULL,
    refunded          INTEGER NOT NULL,
    voided            INTEGER NOT NULL,
    code              TEXT,
    message           TEXT,
    action            TEXT,
    gateway_reference TEXT,
    undo_step         TEXT,
    version           INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    CONSTRAINT payments_captured CHECK (captured >= 0 AND captured <= authorized),
    CONSTRAINT payments_refunded CHECK (refunded >= 0 AND refunded <= captured)
) STRICT;
-- Only what a gateway settles can be unsettled.
CREATE INDEX payments_customer_id ON payments (customer_id) WHERE provider <> 'balance';

CREATE TABLE gateway_calls (
    order_id          BLOB    NOT NULL,
    operation         TEXT    NOT NULL,
    n                 INTEGER NOT NULL,
    gateway_key       TEXT    NOT NULL,
    state             TEXT    NOT NULL,
    amount            INTEGER NOT NULL,
    gateway_reference TEXT,
    code              TEXT,
    message           TEXT,
    started_at        INTEGER NOT NULL,
    finished_at       INTEGER,
    due_at            INTEGER,
    attempts          INTEGER NOT NULL,
    probes            INTEGER NOT NULL,
    PRIMARY KEY (order_id, operation, n)
) STRICT;
CREATE INDEX gateway_calls_due_at ON gateway_calls (due_at);

CREATE TABLE gateway_events (
    provider    TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,
    type        TEXT    NOT NULL,
    gateway_key TEXT,
    -- The attempt it names was found here.
    matched     INTEGER NOT NULL,
    body        TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (provider, event_id)
) STRICT;
