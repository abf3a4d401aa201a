-- Webhooks that name an attempt of ours which is not here yet. Small: what is matched, or too old, leaves.
CREATE TABLE parked_events (
    provider    text        NOT NULL,
    event_id    text        NOT NULL,
    order_id    uuid        NOT NULL,
    operation   text        NOT NULL,
    n           int         NOT NULL,
    result      text        NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (provider, event_id)
);
CREATE INDEX gateway_events_received_at ON gateway_events (received_at);
