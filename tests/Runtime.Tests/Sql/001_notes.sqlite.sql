-- What a test's handlers leave behind once they are committed.
CREATE TABLE notes (
    seq      INTEGER PRIMARY KEY,
    order_id BLOB NOT NULL,
    note     TEXT NOT NULL
) STRICT;
