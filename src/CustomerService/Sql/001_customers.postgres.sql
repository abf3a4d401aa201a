-- Keys compare by byte: cheaper, and the same order on both engines.
CREATE TABLE customers (
    id         text        COLLATE "C" PRIMARY KEY,
    name       text,
    email      text,
    version    bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- Name and e-mail are gone from here on; balances, credits and payments stay.
    erased_at  timestamptz
);

CREATE TABLE balances (
    customer_id text   COLLATE "C" NOT NULL,
    currency    text   COLLATE "C" NOT NULL,
    amount      bigint NOT NULL CONSTRAINT balances_not_negative CHECK (amount >= 0),
    version     bigint NOT NULL,
    PRIMARY KEY (customer_id, currency)
) WITH (fillfactor = 60);

CREATE TABLE credits (
    id          uuid        PRIMARY KEY,
    customer_id text        COLLATE "C" NOT NULL,
    currency    text        NOT NULL,
    amount      bigint      NOT NULL CHECK (amount > 0),
    reference   text        COLLATE "C",
    created_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX credits_reference ON credits (customer_id, reference) WHERE reference IS NOT NULL;

-- A tombstone (state undone) has no customer, provider or currency.
CREATE TABLE payments (
    order_id          uuid        PRIMARY KEY,
    customer_id       text        COLLATE "C",
    provider          text,
    token             text,
    currency          text,
    amount            bigint      NOT NULL,
    state             text        NOT NULL,
    authorized        bigint      NOT NULL,
    captured          bigint      NOT NULL,
    refunded          bigint      NOT NULL,
    voided            boolean     NOT NULL,
    code              text,
    message           text,
    action            text,
    gateway_reference text,
    undo_step         text,
    version           bigint      NOT NULL,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    CONSTRAINT payments_captured CHECK (captured >= 0 AND captured <= authorized),
    CONSTRAINT payments_refunded CHECK (refunded >= 0 AND refunded <= captured)
) WITH (fillfactor = 60);
-- Only what a gateway settles can be unsettled; the provider never changes, so updates stay HOT.
CREATE INDEX payments_customer_id ON payments (customer_id) WHERE provider <> 'balance';

CREATE TABLE gateway_calls (
    order_id          uuid        NOT NULL,
    operation         text        NOT NULL,
    n                 int         NOT NULL,
    gateway_key       text        NOT NULL,
    state             text        NOT NULL,
    amount            bigint      NOT NULL,
    gateway_reference text,
    code              text,
    message           text,
    started_at        timestamptz NOT NULL,
    finished_at       timestamptz,
    due_at            timestamptz,
    attempts          int         NOT NULL,
    probes            int         NOT NULL,
    PRIMARY KEY (order_id, operation, n)
) WITH (fillfactor = 60);
-- Calls come at the pace of gateways, not of batches: their updates may touch an index.
CREATE INDEX gateway_calls_due_at ON gateway_calls (due_at);

CREATE TABLE gateway_events (
    provider    text        NOT NULL,
    event_id    text        NOT NULL,
    type        text        NOT NULL,
    gateway_key text,
    -- The attempt it names was found here.
    matched     boolean     NOT NULL,
    body        text        NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (provider, event_id)
);
