-- What operators did: written once, in the transaction that did it, and never changed.
CREATE TABLE operator_actions (
    id           uuid        PRIMARY KEY,
    at           timestamptz NOT NULL,
    actor        text        NOT NULL,
    action       text        NOT NULL,
    order_id     uuid,
    subject      text,
    reason       text        NOT NULL,
    state_before text,
    state_after  text,
    trace_id     text
);
CREATE INDEX operator_actions_order_id ON operator_actions (order_id);

CREATE FUNCTION refuse_operator_actions_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'operator_actions is append-only';
END $$;
CREATE TRIGGER operator_actions_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON operator_actions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_operator_actions_change();

-- The list's order, newest first. Nothing of the happy path comes here.
CREATE INDEX dead_letters_failed_at ON dead_letters (failed_at, id);
