-- Tables in the database of every service.

-- Responses to requests with an Idempotency-Key, for 48 hours.
CREATE TABLE idempotency (
    scope        TEXT    NOT NULL,  -- owner of the key: merchant and caller
    key          TEXT    NOT NULL,
    hash         BLOB    NOT NULL,  -- SHA-256 of the request: method, path and body
    status       INTEGER NOT NULL,
    content_type TEXT,
    location     TEXT,
    version      INTEGER,           -- ETag of the response
    body         BLOB    NOT NULL,
    settled      INTEGER NOT NULL,  -- false while the caller waits for more than the commit
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT;

-- Unreadable or failed messages, until a person decides.
CREATE TABLE dead_letters (
    id          BLOB    PRIMARY KEY,  -- the message's id; derived from the content of an unreadable message
    order_id    BLOB,
    type        TEXT,
    source      TEXT,
    step        TEXT,
    raw         TEXT    NOT NULL,     -- a CloudEvent as JSON, or the unreadable input
    reason      TEXT    NOT NULL,
    failed_at   INTEGER NOT NULL,
    replayed_at INTEGER
) STRICT;
CREATE INDEX dead_letters_order_id ON dead_letters (order_id);
-- The order of the list, newest first.
CREATE INDEX dead_letters_failed_at ON dead_letters (failed_at, id);

-- Audit log of operator actions: written in the transaction of the action, and never changed.
CREATE TABLE operator_actions (
    id           BLOB    PRIMARY KEY,
    at           INTEGER NOT NULL,
    actor        TEXT    NOT NULL,  -- local, or the prefix of the key
    action       TEXT    NOT NULL,
    order_id     BLOB,
    subject      TEXT,              -- the step or the dead letter
    reason       TEXT    NOT NULL,
    state_before TEXT,              -- JSON
    state_after  TEXT,              -- JSON
    trace_id     TEXT,
    run          BLOB               -- the bulk action
) STRICT;
CREATE INDEX operator_actions_order_id ON operator_actions (order_id);
CREATE INDEX operator_actions_run ON operator_actions (run, id) WHERE run IS NOT NULL;

CREATE TRIGGER operator_actions_not_updated BEFORE UPDATE ON operator_actions
BEGIN
    SELECT RAISE(ABORT, 'operator_actions is append-only');
END;
CREATE TRIGGER operator_actions_not_deleted BEFORE DELETE ON operator_actions
BEGIN
    SELECT RAISE(ABORT, 'operator_actions is append-only');
END;
