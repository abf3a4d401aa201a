-- columns: answer
scope, key, hash, status, content_type, location, version, body, settled, created_at

-- name: ping
SELECT 1 AS reply;
