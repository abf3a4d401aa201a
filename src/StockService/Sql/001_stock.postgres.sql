-- Keys are compared byte by byte (COLLATE "C"), as SQLite does: both engines list and lock in the same order.
CREATE TABLE products (
    sku        text        COLLATE "C" PRIMARY KEY,
    name       text        NOT NULL,
    unit_price bigint      NOT NULL CHECK (unit_price >= 0),
    currency   text        NOT NULL,
    version    bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE levels (
    sku       text   COLLATE "C" PRIMARY KEY,
    on_hand   bigint NOT NULL,
    allocated bigint NOT NULL,
    reserved  bigint NOT NULL,
    version   bigint NOT NULL,
    CONSTRAINT levels_promised CHECK (reserved >= 0 AND allocated >= 0 AND on_hand >= allocated + reserved)
) WITH (fillfactor = 60);

-- One row per order, for good: it answers a repeated command and refuses a late one.
CREATE TABLE reservations (
    order_id   uuid        PRIMARY KEY,
    state      text        NOT NULL CHECK (state IN ('held', 'committed', 'released', 'expired', 'refused')),
    code       text,
    message    text,
    currency   text        NOT NULL,
    lines      jsonb       NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
) WITH (fillfactor = 60);

-- Only what is held now. Its key is the order of expiry, so that the sweep reads its beginning and nothing else, and
-- a hold costs one index; every writer knows both columns from the reservation.
CREATE TABLE holds (
    order_id   uuid        NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (expires_at, order_id)
);

-- The ledger. Its key is the way it is read: per SKU, in order.
CREATE TABLE movements (
    seq             bigint      GENERATED ALWAYS AS IDENTITY,
    sku             text        COLLATE "C" NOT NULL,
    order_id        uuid,
    kind            text        NOT NULL,
    on_hand_delta   bigint      NOT NULL,
    allocated_delta bigint      NOT NULL,
    at              timestamptz NOT NULL,
    note            text,
    actor           text        NOT NULL,
    PRIMARY KEY (sku, seq)
);
