-- Position of the events published to the broker's exchange; a single row once the exchange is in use.
CREATE TABLE event_exchange (
    id          int    PRIMARY KEY CHECK (id = 1),
    position    bigint NOT NULL, -- every event up to this seq was published
    lease_owner uuid,            -- instance that publishes at present
    lease_until timestamptz
);
