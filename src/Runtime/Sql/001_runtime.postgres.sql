-- Tables in the database of every service.

-- Responses to requests with an Idempotency-Key, for 48 hours.
CREATE TABLE idempotency (
    scope        text        NOT NULL,  -- owner of the key: merchant and caller
    key          text        NOT NULL,
    hash         bytea       NOT NULL,  -- SHA-256 of the request: method, path and body
    status       int         NOT NULL,
    content_type text,
    location     text,
    version      bigint,                -- ETag of the response
    body         bytea       NOT NULL,
    settled      boolean     NOT NULL,  -- false while the caller waits for more than the commit
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (scope, key)
);
-- BRIN is enough: rows arrive in order of time, and only the hourly purge uses the index.
CREATE INDEX idempotency_created_at ON idempotency USING brin (created_at);

-- Unreadable or failed messages, until a person decides.
CREATE TABLE dead_letters (
    id          uuid        PRIMARY KEY,  -- the message's id; derived from the content of an unreadable message
    order_id    uuid,
    type        text,
    source      text,
    step        text,
    raw         text        NOT NULL,     -- a CloudEvent as JSON, or the unreadable input
    reason      text        NOT NULL,
    failed_at   timestamptz NOT NULL,
    replayed_at timestamptz
);
CREATE INDEX dead_letters_order_id ON dead_letters (order_id);
-- The order of the list, newest first.
CREATE INDEX dead_letters_failed_at ON dead_letters (failed_at, id);

-- Audit log of operator actions: written in the transaction of the action, and never changed.
CREATE TABLE operator_actions (
    id           uuid        PRIMARY KEY,
    at           timestamptz NOT NULL,
    actor        text        NOT NULL,  -- local, or the prefix of the key
    action       text        NOT NULL,
    order_id     uuid,
    subject      text,                  -- the step or the dead letter
    reason       text        NOT NULL,
    state_before text,                  -- JSON
    state_after  text,                  -- JSON
    trace_id     text,
    run          uuid                   -- the bulk action
);
CREATE INDEX operator_actions_order_id ON operator_actions (order_id);
CREATE INDEX operator_actions_run ON operator_actions (run, id) WHERE run IS NOT NULL;

CREATE FUNCTION refuse_operator_actions_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'operator_actions is append-only';
END $$;
CREATE TRIGGER operator_actions_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON operator_actions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_operator_actions_change();
