-- Tables of a peer's customer service: the substance of src/CustomerService/Sql/001_customers.postgres.sql.
CREATE TABLE IF NOT EXISTS customers (
    id    text COLLATE "C" PRIMARY KEY,
    name  text NOT NULL,
    email text
);

CREATE TABLE IF NOT EXISTS balances (
    customer_id text   COLLATE "C" NOT NULL,
    currency    text   COLLATE "C" NOT NULL,
    amount      bigint NOT NULL CHECK (amount >= 0),
    version     bigint NOT NULL,
    PRIMARY KEY (customer_id, currency)
) WITH (fillfactor = 60);

CREATE TABLE IF NOT EXISTS credits (
    id          uuid        PRIMARY KEY,
    customer_id text        COLLATE "C" NOT NULL,
    currency    text        NOT NULL,
    amount      bigint      NOT NULL,
    created_at  timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS payments (
    order_id    uuid        PRIMARY KEY,
    customer_id text        COLLATE "C" NOT NULL,
    provider    text        NOT NULL,
    currency    text        NOT NULL,
    amount      bigint      NOT NULL,
    state       text        NOT NULL,
    authorized  bigint      NOT NULL,
    captured    bigint      NOT NULL,
    created_at  timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS journal (
    order_id       uuid        NOT NULL,
    kind           text        NOT NULL,
    running_total  bigint      NOT NULL,
    debit_account  text        NOT NULL,
    credit_account text        NOT NULL,
    currency       text        NOT NULL,
    amount         bigint      NOT NULL,
    recorded_at    timestamptz NOT NULL,
    UNIQUE (order_id, kind, running_total)
);
