-- Every service's own: answers given under an Idempotency-Key, and messages that could not be handled.
CREATE TABLE idempotency (
    scope        text        NOT NULL,
    key          text        NOT NULL,
    hash         bytea       NOT NULL,
    status       int         NOT NULL,
    content_type text,
    location     text,
    version      bigint,
    body         bytea       NOT NULL,
    settled      boolean     NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (scope, key)
);
-- BRIN: rows come in order of time, and only the hourly purge asks by it.
CREATE INDEX idempotency_created_at ON idempotency USING brin (created_at);

CREATE TABLE dead_letters (
    id          uuid        PRIMARY KEY,
    order_id    uuid,
    type        text,
    source      text,
    step        text,
    raw         text        NOT NULL,
    reason      text        NOT NULL,
    failed_at   timestamptz NOT NULL,
    replayed_at timestamptz
);
CREATE INDEX dead_letters_order_id ON dead_letters (order_id);
