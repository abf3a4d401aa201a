-- Who minds an incident and what they found out. A row for those that somebody wrote about; it outlives the incident.
CREATE TABLE incident_notes (
    order_id   uuid        PRIMARY KEY,
    owner      text,
    note       text,
    updated_at timestamptz NOT NULL,
    updated_by text        NOT NULL
);
