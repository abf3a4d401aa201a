-- Tables of a peer's order service: the substance of src/OrderService/Sql/001_orders.postgres.sql.
CREATE TABLE IF NOT EXISTS orders (
    id          uuid        PRIMARY KEY,
    customer_id text        COLLATE "C" NOT NULL,
    currency    text        NOT NULL,
    lines       jsonb       NOT NULL,
    created_at  timestamptz NOT NULL,
    status      text        NOT NULL,
    total       bigint,
    reason      text,
    version     bigint      NOT NULL,
    updated_at  timestamptz NOT NULL
) WITH (fillfactor = 60);

CREATE TABLE IF NOT EXISTS events (
    seq      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id uuid        NOT NULL,
    type     text        NOT NULL,
    version  bigint      NOT NULL,
    data     jsonb       NOT NULL,
    at       timestamptz NOT NULL
);
