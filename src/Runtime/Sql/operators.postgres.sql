-- name: append_operator_actions
INSERT INTO operator_actions (
    id, at, actor, action, order_id, subject, reason, state_before, state_after, trace_id, run)
SELECT id, @now, actor, action, order_id, subject, reason, state_before, state_after, trace_id, run
FROM unnest(@id, @actor, @action, @order_id, @subject, @reason, @state_before, @state_after, @trace_id, @run)
    AS batch (id, actor, action, order_id, subject, reason, state_before, state_after, trace_id, run);

-- name: operator_actions
SELECT id, at, actor, action, order_id, subject, reason, state_before, state_after, trace_id, run
FROM operator_actions
WHERE (@before::uuid IS NULL OR id < @before)
    AND (@order_id::uuid IS NULL OR order_id = @order_id)
    AND (@actor::text IS NULL OR actor = @actor)
    AND (@action::text IS NULL OR action = @action)
    AND (@run::uuid IS NULL OR run = @run)
ORDER BY id DESC
LIMIT @most;

-- name: dead_letters
-- The message itself only as far as a list needs it.
SELECT id, order_id, type, source, step, substr(raw, 1, 8192), length(raw) <= 8192, reason, failed_at, replayed_at
FROM dead_letters
WHERE (@before_at::timestamptz IS NULL OR (failed_at, id) < (@before_at, @before_id))
    AND (@order_id::uuid IS NULL OR order_id = @order_id)
    AND (@type::text IS NULL OR type = @type)
    AND (NOT @only_open OR replayed_at IS NULL)
ORDER BY failed_at DESC, id DESC
LIMIT @most;

-- name: dead_letters_by_id
SELECT d.id, d.order_id, d.type, d.source, d.step, d.raw, true, d.reason, d.failed_at, d.replayed_at
FROM unnest(@id) AS asked (id)
JOIN dead_letters d ON d.id = asked.id;

-- name: mark_replayed
UPDATE dead_letters SET replayed_at = @now WHERE id = ANY (@id);
