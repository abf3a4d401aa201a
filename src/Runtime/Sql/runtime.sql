-- columns: answer
scope, key, hash, status, content_type, location, version, body, settled, created_at

-- name: database_since
-- Creation of the database, which tells two installations apart.
SELECT min(applied_at) AS since FROM schema_migrations;

-- name: load_clock
SELECT seen_at, aged_at FROM clock WHERE id = 1;

-- name: load_fence
SELECT closed_at, reason, resumed FROM fence WHERE id = 1;

-- name: close_fence
INSERT INTO fence (id, closed_at, reason) VALUES (1, @now, @reason)
ON CONFLICT (id) DO UPDATE SET closed_at = @now, reason = @reason, resumed = false;

-- name: resume_behind_fence
UPDATE fence SET resumed = true WHERE id = 1;

-- name: open_fence
DELETE FROM fence WHERE id = 1;

-- name: load_marks
SELECT service, mark FROM marks;
