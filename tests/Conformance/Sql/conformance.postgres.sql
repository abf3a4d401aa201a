-- name: insert_sample
INSERT INTO samples (id, batch, uuid, text, big, flag, time, bytes, document)
VALUES (@id, @batch, @uuid, @text, @big, @flag, @time, @bytes, @document::jsonb);

-- name: insert_samples
INSERT INTO samples (id, batch, uuid, text, big, flag, time, bytes, document)
SELECT id, @batch, uuid, text, big, flag, time, bytes, document::jsonb
FROM unnest(@id, @uuid, @text, @big, @flag, @time, @bytes, @document)
    AS rows (id, uuid, text, big, flag, time, bytes, document);

-- name: insert_each_sample
INSERT INTO samples (id, batch, uuid, text, big, flag, time, bytes, document)
SELECT id, @batch, uuid, text, big, flag, time, bytes, document::jsonb
FROM (
    SELECT
        unnest(@id) AS id, unnest(@uuid) AS uuid, unnest(@text) AS text, unnest(@big) AS big, unnest(@flag) AS flag,
        unnest(@time) AS time, unnest(@bytes) AS bytes, unnest(@document) AS document
) AS rows;

-- name: keep_samples
INSERT INTO samples (id, batch, flag, big)
SELECT id, @batch, flag, big FROM unnest(@id, @flag, @big) AS rows (id, flag, big)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: raise_samples
UPDATE samples s
SET big = rows.big
FROM unnest(@id, @big) AS rows (id, big)
WHERE s.id = rows.id AND s.big < rows.big
RETURNING s.id;

-- name: find_samples
SELECT {sample} FROM samples WHERE id = ANY (@id) ORDER BY id;

-- name: insert_counters
INSERT INTO counters (key, value) SELECT key, value FROM unnest(@key, @value) AS rows (key, value);

-- name: ensure_counters
INSERT INTO counters (key, value) SELECT key, value FROM unnest(@key, @value) AS rows (key, value)
ON CONFLICT (key) DO NOTHING;

-- name: lock_counters
SELECT key, value FROM counters WHERE key = ANY (@key) ORDER BY key FOR UPDATE;

-- name: read_counters
SELECT key, value FROM counters WHERE key = ANY (@key) ORDER BY key;

-- name: save_counters
UPDATE counters c SET value = rows.value FROM unnest(@key, @value) AS rows (key, value) WHERE c.key = rows.key;
