CREATE TABLE products (
    sku        TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL,
    unit_price INTEGER NOT NULL CHECK (unit_price >= 0),
    currency   TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE levels (
    sku       TEXT    PRIMARY KEY,
    on_hand   INTEGER NOT NULL,
    allocated INTEGER NOT NULL,
    reserved  INTEGER NOT NULL,
    version   INTEGER NOT NULL,
    CONSTRAINT levels_promised CHECK (reserved >= 0 AND allocated >= 0 AND on_hand >= allocated + reserved)
) STRICT;

-- One row per order, for good: it answers a repeated command and refuses a late one.
CREATE TABLE reservations (
    order_id   BLOB    PRIMARY KEY,
    state      TEXT    NOT NULL CHECK (state IN ('held', 'committed', 'released', 'expired', 'refused')),
    code       TEXT,
    message    TEXT,
    currency   TEXT    NOT NULL,
    lines      TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- Only what is held now, in order of expiry, so that the sweep reads its beginning and nothing else.
CREATE TABLE holds (
    order_id   BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (expires_at, order_id)
) STRICT, WITHOUT ROWID;

-- The ledger. An index on the SKU carries seq, the rowid, as its last column.
CREATE TABLE movements (
    seq             INTEGER PRIMARY KEY,
    sku             TEXT    NOT NULL,
    order_id        BLOB,
    kind            TEXT    NOT NULL,
    on_hand_delta   INTEGER NOT NULL,
    allocated_delta INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    note            TEXT,
    actor           TEXT    NOT NULL
) STRICT;
CREATE INDEX movements_sku ON movements (sku);
