-- Tables of saga-coordinator.

-- Saga of each order. Facts and steps are json, not jsonb: both are only written and read whole. Columns that never change
-- come first, because PostgreSQL leaves an unchanged prefix out of the WAL when a row is updated within its page.
CREATE TABLE sagas (
    order_id           uuid        PRIMARY KEY,
    definition_version int         NOT NULL, -- version of the process
    started_at         timestamptz NOT NULL,
    facts              json        NOT NULL, -- the order, its prices included: src/SagaCoordinator/Process/SagaColumns.Facts.cs
    state              text        NOT NULL CHECK (state IN
        ('running', 'waiting', 'compensating', 'completed', 'compensated', 'failed')),
    step               text,                 -- current step, or the step that caused the rollback
    waiting_for        text,                 -- a service, 'customer' or 'operator'; null once the saga has ended
    code               text,                 -- of the incident, the doubt or the refusal
    version            bigint      NOT NULL, -- incremented by each decision; guards optimistic updates
    steps              json        NOT NULL, -- state of the steps and totals of the payment: SagaColumns.Steps.cs
    updated_at         timestamptz NOT NULL,
    ended_at           timestamptz
) WITH (fillfactor = 40);
-- The fillfactor leaves room on the page for the later, larger versions of each row (HOT updates). No index contains a column
-- that is updated.

-- Timer of each saga that has not ended, so that open sagas are found without reading ended ones. A null due_at means that
-- only an operator or a reply can advance the saga. High churn: vacuum early.
CREATE TABLE saga_timers (
    order_id uuid        PRIMARY KEY,
    due_at   timestamptz
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
CREATE INDEX saga_timers_due_at ON saga_timers (due_at);

-- Owner and note of an incident, as recorded by operators. A note outlives the incident.
CREATE TABLE incident_notes (
    order_id   uuid        PRIMARY KEY,
    owner      text,
    note       text,
    updated_at timestamptz NOT NULL,
    updated_by text        NOT NULL -- name of the caller
);
