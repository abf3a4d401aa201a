CREATE TABLE samples (
    id       BLOB PRIMARY KEY,
    batch    TEXT NOT NULL,
    uuid     BLOB,
    text     TEXT,
    big      INTEGER,
    flag     INTEGER NOT NULL,
    time     INTEGER,
    bytes    BLOB,
    document TEXT
) STRICT;
CREATE INDEX samples_batch ON samples (batch);

CREATE TABLE counters (
    key   TEXT    PRIMARY KEY,
    value INTEGER NOT NULL CONSTRAINT counters_not_negative CHECK (value >= 0)
) STRICT;

CREATE TABLE entries (
    id      BLOB PRIMARY KEY,
    counter TEXT NOT NULL REFERENCES counters (key),
    label   TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX entries_label ON entries (counter, label);
