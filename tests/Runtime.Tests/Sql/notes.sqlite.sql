-- name: add_notes
INSERT INTO notes (order_id, note) SELECT unhex(value ->> 0), value ->> 1 FROM json_each(@rows);

-- name: all_notes
SELECT order_id, note FROM notes ORDER BY seq;

-- name: all_dead_letters
SELECT order_id, type, raw, reason, failures FROM dead_letters ORDER BY failed_at, id;

-- name: add_answer
INSERT INTO idempotency (scope, key, hash, status, body, settled, created_at)
VALUES ('a', @key, x'00', 200, x'00', 1, @at);

-- name: answer_keys
SELECT key FROM idempotency ORDER BY key;
