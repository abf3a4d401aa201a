CREATE TABLE samples (
    id       uuid        PRIMARY KEY,
    batch    text        NOT NULL,
    uuid     uuid,
    text     text,
    big      bigint,
    flag     boolean     NOT NULL,
    time     timestamptz,
    bytes    bytea,
    document jsonb
);
CREATE INDEX samples_batch ON samples (batch);

CREATE TABLE counters (
    key   text   PRIMARY KEY,
    value bigint NOT NULL CONSTRAINT counters_not_negative CHECK (value >= 0)
) WITH (fillfactor = 60);

CREATE TABLE entries (
    id      uuid PRIMARY KEY,
    counter text NOT NULL REFERENCES counters (key),
    label   text NOT NULL
);
CREATE UNIQUE INDEX entries_label ON entries (counter, label);
