-- Repeated failures of the same kind are counted in one dead letter, and deleted some time after the last.
ALTER TABLE dead_letters ADD COLUMN failures bigint NOT NULL DEFAULT 1;
ALTER TABLE dead_letters ADD COLUMN last_failed_at timestamptz;
UPDATE dead_letters SET last_failed_at = failed_at;
ALTER TABLE dead_letters ALTER COLUMN last_failed_at SET NOT NULL;

-- The time as known to the service: a single row.
CREATE TABLE clock (
    id      int         PRIMARY KEY CHECK (id = 1),
    seen_at timestamptz,          -- last moment seen
    aged_at timestamptz NOT NULL  -- advances while a service runs, and never jumps: the age of stored rows
);
INSERT INTO clock (id, aged_at)
SELECT 1, max(created_at) FROM idempotency WHERE scope <> '' HAVING count(*) > 0;
