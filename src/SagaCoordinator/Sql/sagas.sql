-- Statements that both engines share, and the lists of columns.

-- columns: saga
s.order_id, s.definition_version, s.version, s.started_at, s.ended_at, s.steps, s.facts, s.updated_at

-- columns: note
n.owner, n.note, n.updated_at AS noted_at, n.updated_by AS noted_by

-- columns: channel_is_visible
-- @channels is ',main,eu,', or null for all; a comma is not part of a name.
(CAST(@channels AS text) IS NULL OR replace(@channels, ',' || s.channel || ',', '') <> @channels)

-- name: bring_forward
UPDATE saga_timers SET due_at = @now WHERE due_at > @too_far;

-- name: saga
SELECT {saga}
FROM sagas s
WHERE s.order_id = @order_id AND {channel_is_visible};

-- name: open_work
-- Open sagas in groups. A backlog beyond the cap is not counted.
SELECT
    s.state, s.step, s.waiting_for, s.code, count(*) AS sagas, min(s.started_at) AS oldest_at,
    count(*) FILTER (WHERE t.due_at < @overdue) AS overdue
FROM (SELECT order_id, due_at FROM saga_timers LIMIT @cap) t
JOIN sagas s ON s.order_id = t.order_id AND {channel_is_visible}
GROUP BY s.state, s.step, s.waiting_for, s.code;

-- name: latest_sagas
-- The newest orders since a time, by key: the key begins with the time.
SELECT s.state, s.step, s.started_at, s.ended_at
FROM sagas s
WHERE s.order_id >= @from AND {channel_is_visible}
ORDER BY s.order_id DESC
LIMIT @most;

-- name: process_versions
SELECT version, hash, definition, first_run_at FROM process_versions ORDER BY version;

-- name: insert_process_version
INSERT INTO process_versions (version, hash, definition, first_run_at)
VALUES (@version, @hash, @definition, @now)
ON CONFLICT (version) DO NOTHING;

-- name: process_census
-- Open sagas by version and step. A backlog beyond the cap is not counted.
SELECT s.definition_version, s.step, count(*) AS sagas, min(s.started_at) AS oldest_at
FROM (SELECT order_id FROM saga_timers LIMIT @cap) t
JOIN sagas s ON s.order_id = t.order_id AND {channel_is_visible}
GROUP BY s.definition_version, s.step
ORDER BY s.definition_version, s.step;

-- name: versions_in_flight
SELECT DISTINCT s.definition_version
FROM saga_timers t
JOIN sagas s ON s.order_id = t.order_id
ORDER BY s.definition_version;

-- name: saga_exists
SELECT order_id FROM sagas WHERE order_id = @order_id;
