-- What left the house of an order, numbered from 1; never changed.
CREATE TABLE fulfilments (
    order_id        uuid        NOT NULL,
    number          int         NOT NULL,
    id              uuid        NOT NULL,
    lines           json        NOT NULL,
    value           bigint      NOT NULL CHECK (value >= 0),
    carrier         text,
    tracking_number text,
    actor           text        NOT NULL,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (order_id, number)
);

-- A row only while somebody who takes part in a fulfilment has not answered, so that the sweep reads a small table.
CREATE TABLE fulfilment_work (
    order_id    uuid        NOT NULL,
    number      int         NOT NULL,
    participant text        NOT NULL,
    ask_at      timestamptz NOT NULL,
    asked       int         NOT NULL,
    PRIMARY KEY (order_id, number, participant)
);
