-- Table of a peer's coordinator: the substance of src/SagaCoordinator/Sql/001_sagas.postgres.sql.
CREATE TABLE IF NOT EXISTS sagas (
    order_id    uuid        PRIMARY KEY,
    customer_id text        NOT NULL,
    currency    text        NOT NULL,
    lines       jsonb       NOT NULL,
    started_at  timestamptz NOT NULL,
    state       text        NOT NULL,
    total       bigint,
    reason      text,
    version     bigint      NOT NULL,
    updated_at  timestamptz NOT NULL
) WITH (fillfactor = 40);
