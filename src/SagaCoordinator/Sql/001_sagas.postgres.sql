-- json, not jsonb: facts and steps are only ever written and read whole. What does not change comes first: PostgreSQL
-- leaves it out of the log when a row is updated within its page.
CREATE TABLE sagas (
    order_id           uuid        PRIMARY KEY,
    definition_version int         NOT NULL,
    started_at         timestamptz NOT NULL,
    facts              json        NOT NULL,
    state              text        NOT NULL CHECK (state IN
        ('running', 'waiting', 'compensating', 'completed', 'compensated', 'failed')),
    step               text,
    waiting_for        text,
    code               text,
    version            bigint      NOT NULL,
    steps              json        NOT NULL,
    updated_at         timestamptz NOT NULL,
    ended_at           timestamptz
) WITH (fillfactor = 50);
-- No index names a column that is updated: an order is advanced several times, each time within its page.

-- A row while the saga has not ended, so that open ones are found without a look at those that have. due_at null: only
-- a person, or an answer, can move it. Rows come and go by the thousand a second: vacuum as soon as that pays.
CREATE TABLE saga_timers (
    order_id uuid        PRIMARY KEY,
    due_at   timestamptz
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
CREATE INDEX saga_timers_due_at ON saga_timers (due_at);
