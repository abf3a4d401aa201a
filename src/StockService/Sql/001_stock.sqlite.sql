CREATE TABLE products (
    sku        TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL,
    unit_price INTEGER NOT NULL CHECK (unit_price >= 0), -- minor units
    currency   TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- Stock of each product, in units.
CREATE TABLE levels (
    sku       TEXT    PRIMARY KEY,
    on_hand   INTEGER NOT NULL,
    allocated INTEGER NOT NULL, -- sold, not yet shipped
    reserved  INTEGER NOT NULL, -- held for undecided orders: the sum over holds
    version   INTEGER NOT NULL,
    CONSTRAINT levels_promised CHECK (reserved >= 0 AND allocated >= 0 AND on_hand >= allocated + reserved)
) STRICT;

-- One row per order, never deleted: a repeated command gets the same reply from here, and a late command is refused.
CREATE TABLE reservations (
    order_id   BLOB    PRIMARY KEY,
    state      TEXT    NOT NULL CHECK (state IN ('held', 'committed', 'released', 'expired', 'refused')),
    code       TEXT,             -- reason of a refusal, with its message
    message    TEXT,
    currency   TEXT    NOT NULL,
    lines      TEXT    NOT NULL, -- [[line, sku, quantity, unit price in minor units], …]
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- Reservations in state 'held', in order of expiry: the sweep reads the first rows only.
CREATE TABLE holds (
    order_id   BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (expires_at, order_id)
) STRICT, WITHOUT ROWID;

-- The stock ledger, append-only. The index on the SKU carries seq, the rowid, as its last column.
CREATE TABLE movements (
    seq             INTEGER PRIMARY KEY,
    sku             TEXT    NOT NULL,
    order_id        BLOB,                -- null when a caller moved the stock
    kind            TEXT    NOT NULL,
    on_hand_delta   INTEGER NOT NULL,
    allocated_delta INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    note            TEXT,
    actor           TEXT    NOT NULL
) STRICT;
CREATE INDEX movements_sku ON movements (sku);

-- Shipped goods, one row per fulfilment, never deleted: a repeated command finds its row. Number 0 is the release of what was
-- not shipped.
CREATE TABLE shipments (
    order_id   BLOB    NOT NULL,
    fulfilment INTEGER NOT NULL, -- the fulfilment's number in order-service
    lines      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (order_id, fulfilment)
) STRICT, WITHOUT ROWID;
