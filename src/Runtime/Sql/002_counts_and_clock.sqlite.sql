-- Repeated failures of the same kind are counted in one dead letter, and deleted some time after the last.
ALTER TABLE dead_letters ADD COLUMN failures INTEGER NOT NULL DEFAULT 1;
-- The default fills existing rows for the moment; SQLite adds no column that is NOT NULL without a default.
ALTER TABLE dead_letters ADD COLUMN last_failed_at INTEGER NOT NULL DEFAULT 0;
UPDATE dead_letters SET last_failed_at = failed_at;

-- The time as known to the service: a single row.
CREATE TABLE clock (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    seen_at INTEGER,          -- last moment seen
    aged_at INTEGER NOT NULL  -- advances while a service runs, and never jumps: the age of stored rows
) STRICT;
INSERT INTO clock (id, aged_at)
SELECT 1, max(created_at) FROM idempotency WHERE scope <> '' HAVING count(*) > 0;
