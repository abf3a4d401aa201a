-- A row exists while the database is behind the other services, as after its restore to an earlier moment. The service then
-- accepts nothing but repairs; once resumed, it handles messages and jobs, and still refuses requests.
CREATE TABLE fence (
    id        int         PRIMARY KEY CHECK (id = 1),
    closed_at timestamptz NOT NULL,
    reason    text        NOT NULL, -- a sentence for operators
    resumed   boolean     NOT NULL DEFAULT false
);

-- Marks of databases: the own one, and the highest of each neighbour. A restored database has not reached the mark that its
-- neighbours have seen.
CREATE TABLE marks (
    service text   PRIMARY KEY,
    mark    bigint NOT NULL
);
