-- Tables of a peer's stock service: the substance of src/StockService/Sql/001_stock.postgres.sql.
CREATE TABLE IF NOT EXISTS products (
    sku        text   COLLATE "C" PRIMARY KEY,
    name       text   NOT NULL,
    unit_price bigint NOT NULL,
    currency   text   NOT NULL
);

CREATE TABLE IF NOT EXISTS levels (
    sku       text   COLLATE "C" PRIMARY KEY,
    on_hand   bigint NOT NULL,
    reserved  bigint NOT NULL DEFAULT 0,
    allocated bigint NOT NULL DEFAULT 0,
    CHECK (reserved >= 0 AND allocated >= 0 AND on_hand >= allocated + reserved)
) WITH (fillfactor = 60);

CREATE TABLE IF NOT EXISTS reservations (
    order_id   uuid        PRIMARY KEY,
    skus       text[]      NOT NULL,
    quantities bigint[]    NOT NULL,
    total      bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    state      text        NOT NULL,
    updated_at timestamptz NOT NULL
) WITH (fillfactor = 60);

CREATE TABLE IF NOT EXISTS movements (
    seq             bigint      GENERATED ALWAYS AS IDENTITY,
    sku             text        COLLATE "C" NOT NULL,
    order_id        uuid        NOT NULL,
    kind            text        NOT NULL,
    on_hand_delta   bigint      NOT NULL,
    allocated_delta bigint      NOT NULL,
    at              timestamptz NOT NULL,
    PRIMARY KEY (sku, seq)
);
