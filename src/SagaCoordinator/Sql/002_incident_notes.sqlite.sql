-- Who minds an incident and what they found out. A row for those that somebody wrote about; it outlives the incident.
CREATE TABLE incident_notes (
    order_id   BLOB    PRIMARY KEY,
    owner      TEXT,
    note       TEXT,
    updated_at INTEGER NOT NULL,
    updated_by TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
