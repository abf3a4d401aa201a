-- Webhooks that name an attempt of ours which is not here yet. Small: what is matched, or too old, leaves.
CREATE TABLE parked_events (
    provider    TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,
    order_id    BLOB    NOT NULL,
    operation   TEXT    NOT NULL,
    n           INTEGER NOT NULL,
    result      TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (provider, event_id)
) STRICT;
CREATE INDEX gateway_events_received_at ON gateway_events (received_at);
