-- columns: answer
scope, key, hash, status, content_type, location, version, body, settled, created_at

-- name: load_clock
SELECT seen_at, aged_at FROM clock WHERE id = 1;

-- name: database_since
-- Creation of the database, which tells two installations apart.
SELECT min(applied_at) AS since FROM schema_migrations;
