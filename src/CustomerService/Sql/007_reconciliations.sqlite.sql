-- Our record compared with a gateway's own list (docs/adr/0022): a row a run, with how far it is, so that it goes on after
-- a restart; what the gateway lists, until it is compared; and what differs. None of it is on an order's path.
CREATE TABLE reconciliations (
    id           BLOB    PRIMARY KEY,
    provider     TEXT    NOT NULL,
    range_from   INTEGER NOT NULL,
    range_to     INTEGER NOT NULL,
    -- Null for what the schedule began.
    asked_by     TEXT,
    state        TEXT    NOT NULL,
    -- Where the gateway's list goes on, and behind which order the comparison does.
    next_page    TEXT,
    compared_to  BLOB,
    listed       INTEGER NOT NULL,
    unrelated    INTEGER NOT NULL,
    compared     INTEGER NOT NULL,
    under_way    INTEGER NOT NULL,
    differences  INTEGER NOT NULL,
    failures     INTEGER NOT NULL,
    message      TEXT,
    started_at   INTEGER NOT NULL,
    -- When its list was begun: what moved since cannot be judged by it.
    listed_at    INTEGER,
    finished_at  INTEGER,
    owner        BLOB,
    lease_until  INTEGER
) STRICT;
-- One at a time.
CREATE UNIQUE INDEX reconciliations_open ON reconciliations (provider) WHERE finished_at IS NULL;

CREATE TABLE reconciliation_charges (
    run_id     BLOB    NOT NULL,
    order_id   BLOB    NOT NULL,
    reference  TEXT    NOT NULL,
    currency   TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    held       INTEGER NOT NULL,
    captured   INTEGER NOT NULL,
    refunded   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (run_id, order_id, reference)
) STRICT;

CREATE TABLE reconciliation_differences (
    run_id         BLOB    NOT NULL,
    n              INTEGER NOT NULL,
    kind           TEXT    NOT NULL,
    order_id       BLOB    NOT NULL,
    reference      TEXT,
    currency       TEXT    NOT NULL,
    our_held       INTEGER NOT NULL,
    our_captured   INTEGER NOT NULL,
    our_refunded   INTEGER NOT NULL,
    their_held     INTEGER NOT NULL,
    their_captured INTEGER NOT NULL,
    their_refunded INTEGER NOT NULL,
    message        TEXT    NOT NULL,
    repair         TEXT    NOT NULL,
    PRIMARY KEY (run_id, n)
) STRICT;

-- The sandbox's own list is read by when its charges were made.
CREATE INDEX sandbox_charges_created_at ON sandbox_charges (created_at, id);
