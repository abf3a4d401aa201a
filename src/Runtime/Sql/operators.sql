-- columns: operator_action
id, at, actor, action, order_id, subject, reason, state_before, state_after, trace_id, run, channel

-- columns: dead_letter
id, order_id, type, source, step, reason, failed_at, last_failed_at, failures, replayed_at

-- name: operator_actions
SELECT {operator_action}
FROM operator_actions
WHERE (@before IS NULL OR id < @before)
    AND (@order_id IS NULL OR order_id = @order_id)
    AND (@actor IS NULL OR actor = @actor)
    AND (@action IS NULL OR action = @action)
    AND (@run IS NULL OR run = @run)
    AND (@channels IS NULL OR replace(@channels, ',' || channel || ',', '') <> @channels)
ORDER BY id DESC
LIMIT @most;

-- name: dead_letters
-- A list needs only the beginning of a message.
SELECT {dead_letter}, substr(raw, 1, 8192) AS raw, length(raw) <= 8192 AS is_whole
FROM dead_letters
WHERE (@before_at IS NULL OR (failed_at, id) < (@before_at, @before_id))
    AND (@order_id IS NULL OR order_id = @order_id)
    AND (@type IS NULL OR type = @type)
    AND (NOT @only_open OR replayed_at IS NULL)
ORDER BY failed_at DESC, id DESC
LIMIT @most;
