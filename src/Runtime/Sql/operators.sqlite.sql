-- name: append_operator_actions
INSERT INTO operator_actions (
    id, at, actor, action, order_id, subject, reason, state_before, state_after, trace_id, run)
SELECT
    unhex(value ->> 0), @now, value ->> 1, value ->> 2, unhex(value ->> 3), value ->> 4, value ->> 5, value ->> 6,
    value ->> 7, value ->> 8, unhex(value ->> 9)
FROM json_each(@rows);

-- name: operator_actions
SELECT id, at, actor, action, order_id, subject, reason, state_before, state_after, trace_id, run
FROM operator_actions
WHERE (@before IS NULL OR id < @before)
    AND (@order_id IS NULL OR order_id = @order_id)
    AND (@actor IS NULL OR actor = @actor)
    AND (@action IS NULL OR action = @action)
    AND (@run IS NULL OR run = @run)
ORDER BY id DESC
LIMIT @most;

-- name: dead_letters
-- The message itself only as far as a list needs it.
SELECT id, order_id, type, source, step, substr(raw, 1, 8192), length(raw) <= 8192, reason, failed_at, replayed_at
FROM dead_letters
WHERE (@before_at IS NULL OR (failed_at, id) < (@before_at, @before_id))
    AND (@order_id IS NULL OR order_id = @order_id)
    AND (@type IS NULL OR type = @type)
    AND (NOT @only_open OR replayed_at IS NULL)
ORDER BY failed_at DESC, id DESC
LIMIT @most;

-- name: dead_letters_by_id
SELECT d.id, d.order_id, d.type, d.source, d.step, d.raw, 1, d.reason, d.failed_at, d.replayed_at
FROM json_each(@rows) AS asked
JOIN dead_letters d ON d.id = unhex(asked.value ->> 0);

-- name: mark_replayed
UPDATE dead_letters SET replayed_at = @now WHERE id IN (SELECT unhex(value ->> 0) FROM json_each(@rows));
