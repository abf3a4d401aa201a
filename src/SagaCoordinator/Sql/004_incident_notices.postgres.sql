-- The notice of incidents that is being sent, and the incidents that the receivers know of: a single row, written with
-- its version as a guard, so that one instance sends.
CREATE TABLE incident_notices (
    id      int         PRIMARY KEY CHECK (id = 1),
    version bigint      NOT NULL,
    told    text        NOT NULL, -- JSON: number of incidents by step and code, as last sent
    pending text,                 -- JSON of the notice to send; null for none
    due_at  timestamptz           -- next attempt of the pending notice
);
