-- What operators did: written once, in the transaction that did it, and never changed.
CREATE TABLE operator_actions (
    id           BLOB    PRIMARY KEY,
    at           INTEGER NOT NULL,
    actor        TEXT    NOT NULL,
    action       TEXT    NOT NULL,
    order_id     BLOB,
    subject      TEXT,
    reason       TEXT    NOT NULL,
    state_before TEXT,
    state_after  TEXT,
    trace_id     TEXT
) STRICT;
CREATE INDEX operator_actions_order_id ON operator_actions (order_id);

CREATE TRIGGER operator_actions_not_updated BEFORE UPDATE ON operator_actions
BEGIN
    SELECT RAISE(ABORT, 'operator_actions is append-only');
END;
CREATE TRIGGER operator_actions_not_deleted BEFORE DELETE ON operator_actions
BEGIN
    SELECT RAISE(ABORT, 'operator_actions is append-only');
END;

-- The list's order, newest first. Nothing of the happy path comes here.
CREATE INDEX dead_letters_failed_at ON dead_letters (failed_at, id);
