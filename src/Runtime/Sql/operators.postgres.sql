-- name: append_operator_actions
INSERT INTO operator_actions ({operator_action})
SELECT id, @now, actor, action, order_id, subject, reason, state_before, state_after, trace_id, run, channel
FROM unnest(@id, @actor, @action, @order_id, @subject, @reason, @state_before, @state_after, @trace_id, @run,
    @channel)
    AS batch (id, actor, action, order_id, subject, reason, state_before, state_after, trace_id, run, channel);

-- name: dead_letters_by_id
SELECT {dead_letter}, raw, true AS is_whole FROM dead_letters WHERE id = ANY (@id);

-- name: mark_replayed
UPDATE dead_letters SET replayed_at = @now WHERE id = ANY (@id);
