-- name: insert_sample
INSERT INTO samples (id, batch, uuid, text, big, flag, time, bytes, document)
VALUES (@id, @batch, @uuid, @text, @big, @flag, @time, @bytes, @document);

-- name: insert_samples
INSERT INTO samples (id, batch, uuid, text, big, flag, time, bytes, document)
SELECT unhex(value ->> 0), @batch, unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 4, value ->> 5,
    unhex(value ->> 6), value ->> 7
FROM json_each(@rows);

-- name: insert_each_sample
-- A statement about a single row, run for each row of the set.
INSERT INTO samples (id, batch, uuid, text, big, flag, time, bytes, document)
VALUES (@id, @batch, @uuid, @text, @big, @flag, @time, @bytes, @document);

-- name: keep_samples
INSERT INTO samples (id, batch, flag, big) VALUES (@id, @batch, @flag, @big) ON CONFLICT DO NOTHING;

-- name: raise_samples
UPDATE samples SET big = @big WHERE id = @id AND big < @big;

-- name: find_samples
SELECT {sample} FROM samples WHERE id IN (SELECT unhex(value ->> 0) FROM json_each(@rows)) ORDER BY id;

-- name: insert_counters
INSERT INTO counters (key, value) SELECT value ->> 0, value ->> 1 FROM json_each(@rows);

-- name: ensure_counters
INSERT INTO counters (key, value) SELECT value ->> 0, value ->> 1 FROM json_each(@rows)
WHERE true -- SQLite's parser needs a WHERE between FROM and ON CONFLICT
ON CONFLICT (key) DO NOTHING;

-- name: lock_counters
-- A writing transaction is alone on SQLite; there are no row locks.
SELECT c.key, c.value FROM json_each(@rows) AS asked JOIN counters c ON c.key = asked.value ->> 0 ORDER BY c.key;

-- name: read_counters
SELECT c.key, c.value FROM json_each(@rows) AS asked JOIN counters c ON c.key = asked.value ->> 0 ORDER BY c.key;

-- name: save_counters
UPDATE counters SET value = rows.value
FROM (SELECT value ->> 0 AS key, value ->> 1 AS value FROM json_each(@rows)) AS rows
WHERE counters.key = rows.key;
