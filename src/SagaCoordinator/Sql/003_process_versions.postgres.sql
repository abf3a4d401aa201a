-- Every process that a coordinator has started with: an order finishes on the version of its start, whatever file is in use by
-- then. A version never changes.
CREATE TABLE process_versions (
    version      int         PRIMARY KEY,
    hash         text        NOT NULL, -- SHA-256 of the definition
    definition   text        NOT NULL, -- the file, without white space
    first_run_at timestamptz NOT NULL
);
