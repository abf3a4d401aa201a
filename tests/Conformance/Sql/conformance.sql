-- columns: sample
id, uuid, text, big, flag, time, bytes, document

-- name: list_samples
SELECT {sample} FROM samples WHERE batch = @batch ORDER BY id;

-- name: count_samples
SELECT count(*) AS count, coalesce(sum(big), 0) AS sum FROM samples WHERE batch = @batch;

-- name: delete_samples
DELETE FROM samples WHERE batch = @batch;

-- name: insert_entry
INSERT INTO entries (id, counter, label) VALUES (@id, @counter, @label);
