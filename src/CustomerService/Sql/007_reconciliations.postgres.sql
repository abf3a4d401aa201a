-- Our record compared with a gateway's own list (docs/adr/0022): a row a run, with how far it is, so that it goes on after
-- a restart; what the gateway lists, until it is compared; and what differs. None of it is on an order's path.
CREATE TABLE reconciliations (
    id           uuid        PRIMARY KEY,
    provider     text        NOT NULL,
    range_from   timestamptz NOT NULL,
    range_to     timestamptz NOT NULL,
    -- Null for what the schedule began.
    asked_by     text,
    state        text        NOT NULL,
    -- Where the gateway's list goes on, and behind which order the comparison does.
    next_page    text,
    compared_to  uuid,
    listed       bigint      NOT NULL,
    unrelated    bigint      NOT NULL,
    compared     bigint      NOT NULL,
    under_way    bigint      NOT NULL,
    differences  bigint      NOT NULL,
    failures     bigint      NOT NULL,
    message      text,
    started_at   timestamptz NOT NULL,
    -- When its list was begun: what moved since cannot be judged by it.
    listed_at    timestamptz,
    finished_at  timestamptz,
    owner        uuid,
    lease_until  timestamptz
);
-- One at a time.
CREATE UNIQUE INDEX reconciliations_open ON reconciliations (provider) WHERE finished_at IS NULL;

CREATE TABLE reconciliation_charges (
    run_id     uuid        NOT NULL,
    order_id   uuid        NOT NULL,
    reference  text        NOT NULL,
    currency   text        NOT NULL,
    state      text        NOT NULL,
    held       bigint      NOT NULL,
    captured   bigint      NOT NULL,
    refunded   bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (run_id, order_id, reference)
);

CREATE TABLE reconciliation_differences (
    run_id         uuid   NOT NULL,
    n              bigint NOT NULL,
    kind           text   NOT NULL,
    order_id       uuid   NOT NULL,
    reference      text,
    currency       text   NOT NULL,
    our_held       bigint NOT NULL,
    our_captured   bigint NOT NULL,
    our_refunded   bigint NOT NULL,
    their_held     bigint NOT NULL,
    their_captured bigint NOT NULL,
    their_refunded bigint NOT NULL,
    message        text   NOT NULL,
    repair         text   NOT NULL,
    PRIMARY KEY (run_id, n)
);

-- The sandbox's own list is read by when its charges were made.
CREATE INDEX sandbox_charges_created_at ON sandbox_charges (created_at, id);
