-- Tables of saga-coordinator. Times are milliseconds since 1970 (UTC).

-- Saga of each order.
CREATE TABLE sagas (
    order_id           BLOB    PRIMARY KEY,
    definition_version INTEGER NOT NULL, -- version of the process
    started_at         INTEGER NOT NULL,
    facts              TEXT    NOT NULL, -- the order, its prices included: src/SagaCoordinator/Process/SagaColumns.Facts.cs
    state              TEXT    NOT NULL CHECK (state IN
        ('running', 'waiting', 'compensating', 'completed', 'compensated', 'failed')),
    step               TEXT,             -- current step, or the step that caused the rollback
    waiting_for        TEXT,             -- a service, 'customer' or 'operator'; null once the saga has ended
    code               TEXT,             -- of the incident, the doubt or the refusal
    version            INTEGER NOT NULL, -- incremented by each decision; guards optimistic updates
    steps              TEXT    NOT NULL, -- state of the steps and totals of the payment: SagaColumns.Steps.cs
    updated_at         INTEGER NOT NULL,
    ended_at           INTEGER
) STRICT;

-- Timer of each saga that has not ended, so that open sagas are found without reading ended ones. A null due_at means that
-- only an operator or a reply can advance the saga.
CREATE TABLE saga_timers (
    order_id BLOB    PRIMARY KEY,
    due_at   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX saga_timers_due_at ON saga_timers (due_at);

-- Owner and note of an incident, as recorded by operators. A note outlives the incident.
CREATE TABLE incident_notes (
    order_id   BLOB    PRIMARY KEY,
    owner      TEXT,
    note       TEXT,
    updated_at INTEGER NOT NULL,
    updated_by TEXT    NOT NULL -- name of the caller
) STRICT, WITHOUT ROWID;
