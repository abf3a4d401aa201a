-- SQLite has one writer at a time: rows locked on PostgreSQL are plain reads here.

-- name: lock_sagas
SELECT {saga}
FROM json_each(@rows) AS batch
JOIN sagas s ON s.order_id = unhex(batch.value ->> 0);

-- name: lock_due_sagas
SELECT {saga}
FROM saga_timers t
JOIN sagas s ON s.order_id = t.order_id
WHERE t.due_at <= @now
ORDER BY t.due_at
LIMIT @most;

-- name: lock_open_sagas
SELECT {saga}
FROM saga_timers t
JOIN sagas s ON s.order_id = t.order_id
WHERE t.order_id > @after
ORDER BY t.order_id
LIMIT @most;

-- name: insert_sagas
INSERT INTO sagas (
    order_id, state, step, waiting_for, code, version, facts, steps, ended_at, definition_version, started_at, channel,
    updated_at)
VALUES (
    @order_id, @state, @step, @waiting_for, @code, @version, @facts, @steps, @ended_at, @definition_version, @started_at,
    @channel, @now)
ON CONFLICT (order_id) DO NOTHING;

-- name: update_sagas
-- A row with another version is not written.
UPDATE sagas
SET state = @state, step = @step, waiting_for = @waiting_for, code = @code, version = @version,
    facts = COALESCE(@facts, facts), steps = @steps, ended_at = @ended_at, updated_at = @now
WHERE order_id = @order_id AND version = @version_before;

-- name: insert_timers
INSERT INTO saga_timers (order_id, due_at) VALUES (@order_id, @due_at);

-- name: postpone_timers
UPDATE saga_timers SET due_at = @due_at WHERE order_id = @order_id;

-- name: delete_timers
DELETE FROM saga_timers WHERE order_id = @order_id;

-- name: sagas
SELECT {saga}
FROM sagas s
WHERE (@before IS NULL OR s.order_id < @before)
    AND (@from IS NULL OR s.order_id >= @from)
    AND (@state IS NULL OR s.state IN (@state, @or_state))
    AND (@step IS NULL OR s.step = @step)
    AND (@code IS NULL OR s.code = @code)
    AND (@waiting_for IS NULL OR s.waiting_for = @waiting_for)
    AND (@started_before IS NULL OR s.started_at <= @started_before)
    AND {channel_is_visible}
ORDER BY s.order_id DESC
LIMIT @most;

-- name: open_sagas
SELECT {saga}
FROM saga_timers t
JOIN sagas s ON s.order_id = t.order_id
WHERE (@before IS NULL OR t.order_id < @before)
    AND (@from IS NULL OR t.order_id >= @from)
    AND (@state IS NULL OR s.state IN (@state, @or_state))
    AND (@step IS NULL OR s.step = @step)
    AND (@code IS NULL OR s.code = @code)
    AND (@waiting_for IS NULL OR s.waiting_for = @waiting_for)
    AND (@started_before IS NULL OR s.started_at <= @started_before)
    AND {channel_is_visible}
ORDER BY t.order_id DESC
LIMIT @most;

-- name: sagas_by_id
SELECT {saga}
FROM json_each(@rows) AS batch
JOIN sagas s ON s.order_id = unhex(batch.value ->> 0) AND {channel_is_visible}
ORDER BY s.order_id DESC;

-- name: due_timers
SELECT {saga}, t.due_at
FROM saga_timers t
JOIN sagas s ON s.order_id = t.order_id
WHERE t.due_at <= @until
    AND (@after_at IS NULL OR (t.due_at, t.order_id) > (@after_at, @after_id))
    AND {channel_is_visible}
ORDER BY t.due_at, t.order_id
LIMIT @most;

-- name: incidents
SELECT {saga}, {note}
FROM saga_timers t
JOIN sagas s ON s.order_id = t.order_id
LEFT JOIN incident_notes n ON n.order_id = t.order_id
WHERE s.state = 'failed'
    AND (@before IS NULL OR t.order_id < @before)
    AND (@step IS NULL OR s.step = @step)
    AND (@code IS NULL OR s.code = @code)
    AND (@owner IS NULL OR n.owner = @owner)
    AND {channel_is_visible}
ORDER BY t.order_id DESC
LIMIT @most;

-- name: incident_notes
SELECT n.order_id, {note}
FROM json_each(@rows) AS batch
JOIN incident_notes n ON n.order_id = unhex(batch.value ->> 0);

-- name: save_incident_notes
INSERT INTO incident_notes (order_id, owner, note, updated_at, updated_by)
SELECT unhex(value ->> 0), value ->> 1, value ->> 2, @now, value ->> 3
FROM json_each(@rows)
WHERE true -- SQLite's parser needs a WHERE between a SELECT's FROM and ON CONFLICT
ON CONFLICT (order_id) DO UPDATE
SET owner = excluded.owner, note = excluded.note, updated_at = excluded.updated_at, updated_by = excluded.updated_by;

-- name: notes_of_customers
SELECT n.order_id, n.note
FROM incident_notes n
JOIN sagas s ON s.order_id = n.order_id
WHERE n.note IS NOT NULL AND s.facts ->> 'customerId' IN (SELECT value ->> 0 FROM json_each(@rows));

-- name: actions_of_customers
SELECT a.id, s.facts ->> 'customerId' AS customer_id, a.reason
FROM operator_actions a
JOIN sagas s ON s.order_id = a.order_id
WHERE s.facts ->> 'customerId' IN (SELECT value ->> 0 FROM json_each(@rows));

-- name: steps_of_customers
-- The words of operators that cancelled or compensated, of whom the audit knows.
SELECT s.order_id, s.facts ->> 'customerId' AS customer_id, s.steps
FROM sagas s
WHERE s.facts ->> 'customerId' IN (SELECT value ->> 0 FROM json_each(@rows))
    AND s.order_id IN (SELECT order_id FROM operator_actions);

-- name: erase_steps
UPDATE sagas
SET steps = batch.steps
FROM (SELECT unhex(value ->> 0) AS order_id, value ->> 1 AS steps FROM json_each(@rows)) AS batch
WHERE sagas.order_id = batch.order_id;

-- name: erase_notes
UPDATE incident_notes SET note = '[erased]' WHERE order_id IN (SELECT unhex(value ->> 0) FROM json_each(@rows));

-- name: erase_actions
UPDATE operator_actions
SET reason = batch.reason, state_before = NULL, state_after = NULL
FROM (SELECT unhex(value ->> 0) AS id, value ->> 1 AS reason FROM json_each(@rows)) AS batch
WHERE operator_actions.id = batch.id;
