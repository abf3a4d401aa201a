-- What left the house of an order. One row per fulfilment, for good: it answers a repeated command.
CREATE TABLE shipments (
    order_id   uuid        NOT NULL,
    fulfilment int         NOT NULL,
    lines      jsonb       NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (order_id, fulfilment)
);
