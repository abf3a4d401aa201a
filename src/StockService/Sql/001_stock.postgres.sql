-- SKUs are compared byte by byte (COLLATE "C"), as in SQLite: both engines list and lock in the same order.
CREATE TABLE products (
    sku        text        COLLATE "C" PRIMARY KEY,
    name       text        NOT NULL,
    unit_price bigint      NOT NULL CHECK (unit_price >= 0), -- minor units
    currency   text        NOT NULL,
    version    bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- Stock of each product, in units. Every order updates rows here; the fillfactor keeps the updates on their page.
CREATE TABLE levels (
    sku       text   COLLATE "C" PRIMARY KEY,
    on_hand   bigint NOT NULL,
    allocated bigint NOT NULL, -- sold, not yet shipped
    reserved  bigint NOT NULL, -- held for undecided orders: the sum over holds
    version   bigint NOT NULL,
    CONSTRAINT levels_promised CHECK (reserved >= 0 AND allocated >= 0 AND on_hand >= allocated + reserved)
) WITH (fillfactor = 60);

-- One row per order, never deleted: a repeated command gets the same reply from here, and a late command is refused.
CREATE TABLE reservations (
    order_id   uuid        PRIMARY KEY,
    state      text        NOT NULL CHECK (state IN ('held', 'committed', 'released', 'expired', 'refused')),
    code       text,                 -- reason of a refusal, with its message
    message    text,
    currency   text        NOT NULL,
    lines      jsonb       NOT NULL, -- [[line, sku, quantity, unit price in minor units], …]; jsonb, to be searched by SKU
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
-- Every row is written twice, larger the second time. At this fillfactor both versions fit on one page; a row that moved
-- would need new entries in every index, and vacuum would have to remove the old entries.
) WITH (fillfactor = 46);

-- Reservations in state 'held'. The key is the order of expiry, so the sweep reads the first rows only, and a hold costs one
-- index. Writers know both columns from the reservation.
CREATE TABLE holds (
    order_id   uuid        NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (expires_at, order_id)
);

-- The stock ledger, append-only. The key matches the only way to read it: per SKU, in order.
CREATE TABLE movements (
    seq             bigint      GENERATED ALWAYS AS IDENTITY,
    sku             text        COLLATE "C" NOT NULL,
    order_id        uuid,                     -- null when a caller moved the stock
    kind            text        NOT NULL,
    on_hand_delta   bigint      NOT NULL,
    allocated_delta bigint      NOT NULL,
    at              timestamptz NOT NULL,
    note            text,
    actor           text        NOT NULL,
    PRIMARY KEY (sku, seq)
);

-- Shipped goods, one row per fulfilment, never deleted: a repeated command finds its row. Number 0 is the release of what was
-- not shipped.
CREATE TABLE shipments (
    order_id   uuid        NOT NULL,
    fulfilment int         NOT NULL, -- the fulfilment's number in order-service
    lines      jsonb       NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (order_id, fulfilment)
);
