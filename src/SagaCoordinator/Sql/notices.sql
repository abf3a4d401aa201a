-- Statements of incident notices that both engines share.

-- name: incident_notice
SELECT version, told, pending, due_at FROM incident_notices WHERE id = 1;

-- name: begin_incident_notices
INSERT INTO incident_notices (id, version, told, pending, due_at) VALUES (1, 1, '[]', NULL, @now)
ON CONFLICT (id) DO NOTHING;

-- name: save_incident_notice
-- Another instance may have written the row since it was read.
UPDATE incident_notices
SET version = version + 1, told = @told, pending = @pending, due_at = @due_at
WHERE id = 1 AND version = @version;

-- name: bring_notices_forward
UPDATE incident_notices SET due_at = @now WHERE due_at > @too_far;
