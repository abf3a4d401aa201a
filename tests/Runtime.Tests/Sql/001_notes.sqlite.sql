-- Committed effects of a test's handlers.
CREATE TABLE notes (
    seq      INTEGER PRIMARY KEY,
    order_id BLOB NOT NULL,
    note     TEXT NOT NULL
) STRICT;
