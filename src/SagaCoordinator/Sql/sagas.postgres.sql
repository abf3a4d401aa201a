-- Every transaction writes sagas first, then timers, and only timers of sagas written or locked before. Each set is ordered
-- by key. The timers' job skips locked sagas. Two batches with several sagas in common, due to duplicates, may still
-- deadlock; PostgreSQL aborts the later one, and the batch is retried.

-- name: lock_sagas
SELECT {saga}
FROM unnest(@order_id) AS batch (order_id)
JOIN sagas s ON s.order_id = batch.order_id
ORDER BY s.order_id
FOR UPDATE OF s;

-- name: lock_due_sagas
-- A saga being advanced at the moment is not overdue: the next run finds the timer again.
SELECT {saga}
FROM saga_timers t
JOIN sagas s ON s.order_id = t.order_id
WHERE t.due_at <= @now
ORDER BY t.due_at
LIMIT @most
FOR UPDATE OF s SKIP LOCKED;

-- name: lock_open_sagas
SELECT {saga}
FROM saga_timers t
JOIN sagas s ON s.order_id = t.order_id
WHERE t.order_id > @after
ORDER BY t.order_id
LIMIT @most
FOR UPDATE OF s SKIP LOCKED;

-- name: insert_sagas
INSERT INTO sagas (
    order_id, state, step, waiting_for, code, version, facts, steps, ended_at, definition_version, started_at, channel,
    updated_at)
SELECT
    order_id, state, step, waiting_for, code, version, facts::json, steps::json, ended_at, definition_version, started_at,
    channel, @now
FROM (
    SELECT
        unnest(@order_id) AS order_id, unnest(@state) AS state, unnest(@step) AS step,
        unnest(@waiting_for) AS waiting_for, unnest(@code) AS code, unnest(@version) AS version,
        unnest(@facts) AS facts, unnest(@steps) AS steps, unnest(@ended_at) AS ended_at,
        unnest(@definition_version) AS definition_version, unnest(@started_at) AS started_at, unnest(@channel) AS channel
) AS batch
ON CONFLICT (order_id) DO NOTHING
RETURNING order_id;

-- name: update_sagas
-- A row with another version is neither written nor returned.
UPDATE sagas s
SET state = batch.state, step = batch.step, waiting_for = batch.waiting_for, code = batch.code, version = batch.version,
    facts = COALESCE(batch.facts::json, s.facts), steps = batch.steps::json, ended_at = batch.ended_at,
    updated_at = @now
FROM (
    SELECT
        unnest(@order_id) AS order_id, unnest(@state) AS state, unnest(@step) AS step,
        unnest(@waiting_for) AS waiting_for, unnest(@code) AS code, unnest(@version) AS version,
        unnest(@facts) AS facts, unnest(@steps) AS steps, unnest(@ended_at) AS ended_at,
        unnest(@version_before) AS version_before
) AS batch
WHERE s.order_id = batch.order_id AND s.version = batch.version_before
RETURNING s.order_id;

-- name: insert_timers
INSERT INTO saga_timers (order_id, due_at)
SELECT order_id, due_at FROM unnest(@order_id, @due_at) AS batch (order_id, due_at);

-- name: postpone_timers
UPDATE saga_timers t
SET due_at = batch.due_at
FROM unnest(@order_id, @due_at) AS batch (order_id, due_at)
WHERE t.order_id = batch.order_id;

-- name: delete_timers
DELETE FROM saga_timers t
USING unnest(@order_id) AS batch (order_id)
WHERE t.order_id = batch.order_id;

-- name: sagas
-- Newest first, by key: keys ascend with the time of the order.
SELECT {saga}
FROM sagas s
WHERE (@before::uuid IS NULL OR s.order_id < @before)
    AND (@from::uuid IS NULL OR s.order_id >= @from)
    AND (@state::text IS NULL OR s.state IN (@state, @or_state))
    AND (@step::text IS NULL OR s.step = @step)
    AND (@code::text IS NULL OR s.code = @code)
    AND (@waiting_for::text IS NULL OR s.waiting_for = @waiting_for)
    AND (@started_before::timestamptz IS NULL OR s.started_at <= @started_before)
    AND {channel_is_visible}
ORDER BY s.order_id DESC
LIMIT @most;

-- name: open_sagas
-- The same for open sagas, by way of the small table of timers.
SELECT {saga}
FROM saga_timers t
JOIN sagas s ON s.order_id = t.order_id
WHERE (@before::uuid IS NULL OR t.order_id < @before)
    AND (@from::uuid IS NULL OR t.order_id >= @from)
    AND (@state::text IS NULL OR s.state IN (@state, @or_state))
    AND (@step::text IS NULL OR s.step = @step)
    AND (@code::text IS NULL OR s.code = @code)
    AND (@waiting_for::text IS NULL OR s.waiting_for = @waiting_for)
    AND (@started_before::timestamptz IS NULL OR s.started_at <= @started_before)
    AND {channel_is_visible}
ORDER BY t.order_id DESC
LIMIT @most;

-- name: sagas_by_id
SELECT {saga}
FROM unnest(@order_id) AS batch (order_id)
JOIN sagas s ON s.order_id = batch.order_id AND {channel_is_visible}
ORDER BY s.order_id DESC;

-- name: due_timers
-- By due time. Sagas in the hands of an operator have no due time and are omitted.
SELECT {saga}, t.due_at
FROM saga_timers t
JOIN sagas s ON s.order_id = t.order_id
WHERE t.due_at <= @until
    AND (@after_at::timestamptz IS NULL OR (t.due_at, t.order_id) > (@after_at, @after_id))
    AND {channel_is_visible}
ORDER BY t.due_at, t.order_id
LIMIT @most;

-- name: incidents
-- Open incidents with their notes.
SELECT {saga}, {note}
FROM saga_timers t
JOIN sagas s ON s.order_id = t.order_id
LEFT JOIN incident_notes n ON n.order_id = t.order_id
WHERE s.state = 'failed'
    AND (@before::uuid IS NULL OR t.order_id < @before)
    AND (@step::text IS NULL OR s.step = @step)
    AND (@code::text IS NULL OR s.code = @code)
    AND (@owner::text IS NULL OR n.owner = @owner)
    AND {channel_is_visible}
ORDER BY t.order_id DESC
LIMIT @most;

-- name: incident_notes
SELECT n.order_id, {note}
FROM unnest(@order_id) AS batch (order_id)
JOIN incident_notes n ON n.order_id = batch.order_id;

-- name: save_incident_notes
INSERT INTO incident_notes (order_id, owner, note, updated_at, updated_by)
SELECT order_id, owner, note, @now, updated_by
FROM unnest(@order_id, @owner, @note, @updated_by) AS batch (order_id, owner, note, updated_by)
ORDER BY order_id
ON CONFLICT (order_id) DO UPDATE
SET owner = excluded.owner, note = excluded.note, updated_at = excluded.updated_at, updated_by = excluded.updated_by;

-- name: notes_of_customers
SELECT n.order_id, n.note
FROM incident_notes n
JOIN sagas s ON s.order_id = n.order_id
WHERE n.note IS NOT NULL AND s.facts ->> 'customerId' = ANY (@customer_id);

-- name: actions_of_customers
SELECT a.id, s.facts ->> 'customerId' AS customer_id, a.reason
FROM operator_actions a
JOIN sagas s ON s.order_id = a.order_id
WHERE s.facts ->> 'customerId' = ANY (@customer_id);

-- name: steps_of_customers
-- The words of operators that cancelled or compensated, of whom the audit knows.
SELECT s.order_id, s.facts ->> 'customerId' AS customer_id, s.steps::text AS steps
FROM sagas s
WHERE s.facts ->> 'customerId' = ANY (@customer_id)
    AND s.order_id IN (SELECT order_id FROM operator_actions);

-- name: erase_steps
UPDATE sagas s
SET steps = batch.steps::json
FROM unnest(@order_id, @steps) AS batch (order_id, steps)
WHERE s.order_id = batch.order_id;

-- name: erase_notes
UPDATE incident_notes SET note = '[erased]' WHERE order_id = ANY (@order_id);

-- name: erase_actions
UPDATE operator_actions a
SET reason = batch.reason, state_before = NULL, state_after = NULL
FROM unnest(@id, @reason) AS batch (id, reason)
WHERE a.id = batch.id;
