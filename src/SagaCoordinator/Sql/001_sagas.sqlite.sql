CREATE TABLE sagas (
    order_id           BLOB    PRIMARY KEY,
    definition_version INTEGER NOT NULL,
    started_at         INTEGER NOT NULL,
    facts              TEXT    NOT NULL,
    state              TEXT    NOT NULL CHECK (state IN
        ('running', 'waiting', 'compensating', 'completed', 'compensated', 'failed')),
    step               TEXT,
    waiting_for        TEXT,
    code               TEXT,
    version            INTEGER NOT NULL,
    steps              TEXT    NOT NULL,
    updated_at         INTEGER NOT NULL,
    ended_at           INTEGER
) STRICT;

-- A row while the saga has not ended, so that open ones are found without a look at those that have. due_at null: only
-- a person, or an answer, can move it.
CREATE TABLE saga_timers (
    order_id BLOB    PRIMARY KEY,
    due_at   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX saga_timers_due_at ON saga_timers (due_at);
