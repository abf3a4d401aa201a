-- What left the house of an order, numbered from 1; never changed.
CREATE TABLE fulfilments (
    order_id        BLOB    NOT NULL,
    number          INTEGER NOT NULL,
    id              BLOB    NOT NULL,
    lines           TEXT    NOT NULL,
    value           INTEGER NOT NULL CHECK (value >= 0),
    carrier         TEXT,
    tracking_number TEXT,
    actor           TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (order_id, number)
) STRICT, WITHOUT ROWID;

-- A row only while somebody who takes part in a fulfilment has not answered, so that the sweep reads a small table.
CREATE TABLE fulfilment_work (
    order_id    BLOB    NOT NULL,
    number      INTEGER NOT NULL,
    participant TEXT    NOT NULL,
    ask_at      INTEGER NOT NULL,
    asked       INTEGER NOT NULL,
    PRIMARY KEY (order_id, number, participant)
) STRICT, WITHOUT ROWID;
