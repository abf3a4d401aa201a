-- The notice of incidents that is being sent, and the incidents that the receivers know of: a single row, written with
-- its version as a guard, so that one instance sends.
CREATE TABLE incident_notices (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL,
    told    TEXT    NOT NULL, -- JSON: number of incidents by step and code, as last sent
    pending TEXT,             -- JSON of the notice to send; null for none
    due_at  INTEGER           -- next attempt of the pending notice
);
