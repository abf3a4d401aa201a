-- Statements that both engines share, and the lists of columns.

-- columns: saga
s.order_id, s.definition_version, s.version, s.started_at, s.ended_at, s.steps, s.facts, s.updated_at

-- columns: note
n.owner, n.note, n.updated_at AS noted_at, n.updated_by AS noted_by

-- name: bring_forward
UPDATE saga_timers SET due_at = @now WHERE due_at > @too_far;

-- name: saga
SELECT {saga}
FROM sagas s
WHERE s.order_id = @order_id;

-- name: open_work
-- Open sagas in groups. A backlog beyond the cap is not counted.
SELECT
    s.state, s.step, s.waiting_for, s.code, count(*) AS sagas, min(s.started_at) AS oldest_at,
    count(*) FILTER (WHERE t.due_at < @overdue) AS overdue
FROM (SELECT order_id, due_at FROM saga_timers LIMIT @cap) t
JOIN sagas s ON s.order_id = t.order_id
GROUP BY s.state, s.step, s.waiting_for, s.code;

-- name: latest_sagas
-- The newest orders since a time, by key: the key begins with the time.
SELECT s.state, s.step, s.started_at, s.ended_at
FROM sagas s
WHERE s.order_id >= @from
ORDER BY s.order_id DESC
LIMIT @most;
