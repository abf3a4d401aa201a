-- name: append_operator_actions
INSERT INTO operator_actions ({operator_action})
SELECT
    unhex(value ->> 0), @now, value ->> 1, value ->> 2, unhex(value ->> 3), value ->> 4, value ->> 5, value ->> 6,
    value ->> 7, value ->> 8, unhex(value ->> 9), value ->> 10
FROM json_each(@rows);

-- name: dead_letters_by_id
SELECT {dead_letter}, raw, true AS is_whole
FROM dead_letters
WHERE id IN (SELECT unhex(value ->> 0) FROM json_each(@rows));

-- name: mark_replayed
UPDATE dead_letters SET replayed_at = @now WHERE id IN (SELECT unhex(value ->> 0) FROM json_each(@rows));
