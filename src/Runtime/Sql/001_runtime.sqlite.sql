-- Every service's own: answers given under an Idempotency-Key, and messages that could not be handled.
CREATE TABLE idempotency (
    scope        TEXT    NOT NULL,
    key          TEXT    NOT NULL,
    hash         BLOB    NOT NULL,
    status       INTEGER NOT NULL,
    content_type TEXT,
    location     TEXT,
    version      INTEGER,
    body         BLOB    NOT NULL,
    settled      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT;

CREATE TABLE dead_letters (
    id          BLOB PRIMARY KEY,
    order_id    BLOB,
    type        TEXT,
    source      TEXT,
    step        TEXT,
    raw         TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    failed_at   INTEGER NOT NULL,
    replayed_at INTEGER
) STRICT;
CREATE INDEX dead_letters_order_id ON dead_letters (order_id);
