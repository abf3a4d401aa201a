-- A row exists while the database is behind the other services, as after its restore to an earlier moment. The service then
-- accepts nothing but repairs; once resumed, it handles messages and jobs, and still refuses requests.
CREATE TABLE fence (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    closed_at INTEGER NOT NULL,
    reason    TEXT    NOT NULL, -- a sentence for operators
    resumed   INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Marks of databases: the own one, and the highest of each neighbour. A restored database has not reached the mark that its
-- neighbours have seen.
CREATE TABLE marks (
    service TEXT    PRIMARY KEY,
    mark    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
