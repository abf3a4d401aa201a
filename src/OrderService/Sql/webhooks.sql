-- Statements of outgoing webhooks that both engines share, and their lists of columns.

-- columns: endpoint
id, channel, url, types, description, secret, old_secret, old_secret_until, state, reason, position, failures, failing_since,
    next_round_at, version, created_at, updated_at

-- columns: delivery
d.id, d.endpoint_id, d.seq, d.order_id, d.type, d.state, d.attempts, d.next_attempt_at, d.attempted_at, d.response_status,
    d.took_ms, d.response

-- name: count_active_endpoints
SELECT count(*) AS count FROM webhook_endpoints WHERE state = 'active';

-- name: endpoints_to_serve
-- Endpoints with new events up to the horizon, or with a due retry. A lease past @too_far was set by a clock that was ahead.
SELECT w.id
FROM webhook_endpoints w
WHERE w.state = 'active' AND w.next_round_at <= @now
    AND (w.lease_until IS NULL OR w.lease_until < @now OR w.lease_until > @too_far)
    AND (w.position < @horizon OR EXISTS (
        SELECT 1 FROM webhook_deliveries d
        WHERE d.endpoint_id = w.id AND d.state = 'waiting' AND d.next_attempt_at <= @now))
ORDER BY w.next_round_at
LIMIT @most;

-- name: claim_endpoint
UPDATE webhook_endpoints
SET lease_owner = @owner, lease_until = @lease_until
WHERE id = @id AND state = 'active' AND next_round_at <= @now
    AND (lease_until IS NULL OR lease_until < @now OR lease_until > @too_far)
RETURNING {endpoint};

-- name: due_deliveries
-- The first waiting event of each order.
SELECT {event}, d.id, d.endpoint_id, d.state, d.attempts, d.next_attempt_at, d.attempted_at, d.response_status, d.took_ms,
    d.response
FROM webhook_deliveries d
JOIN order_events e ON e.seq = d.seq
WHERE d.endpoint_id = @endpoint_id AND d.state = 'waiting' AND d.next_attempt_at <= @now
    AND NOT EXISTS (
        SELECT 1 FROM webhook_deliveries b
        WHERE b.endpoint_id = d.endpoint_id AND b.order_id = d.order_id AND b.state = 'waiting' AND b.seq < d.seq)
ORDER BY d.seq
LIMIT @most;

-- name: save_round
-- A caller may have changed the endpoint meanwhile; a round only disables.
UPDATE webhook_endpoints
SET position = @position, failures = @failures, failing_since = @failing_since, next_round_at = @next_round_at,
    state = CASE WHEN @disabled THEN 'disabled' ELSE state END,
    reason = CASE WHEN @disabled AND state = 'active' THEN CAST(@reason AS text) ELSE reason END,
    lease_owner = NULL, lease_until = NULL
WHERE id = @id AND lease_owner = @owner;

-- name: bring_deliveries_forward
-- The receiver is back: what waits for it is due at once.
UPDATE webhook_deliveries SET next_attempt_at = @now
WHERE endpoint_id = @endpoint_id AND state = 'waiting' AND next_attempt_at > @now;

-- name: bring_deliveries_near
UPDATE webhook_deliveries SET next_attempt_at = @now WHERE state = 'waiting' AND next_attempt_at > @too_far;

-- name: bring_rounds_near
UPDATE webhook_endpoints SET next_round_at = @now WHERE next_round_at > @too_far;

-- name: insert_endpoint
INSERT INTO webhook_endpoints ({endpoint})
VALUES (@id, @channel, @url, @types, @description, @secret, @old_secret, @old_secret_until, @state, @reason, @position,
    @failures, @failing_since, @next_round_at, @version, @created_at, @updated_at);

-- name: update_endpoint
UPDATE webhook_endpoints
SET url = @url, types = @types, description = @description, secret = @secret, old_secret = @old_secret,
    old_secret_until = @old_secret_until, state = @state, reason = @reason, failures = @failures,
    failing_since = @failing_since, next_round_at = @next_round_at, version = @version, updated_at = @updated_at
WHERE id = @id;

-- name: delete_endpoint
DELETE FROM webhook_endpoints WHERE id = @id;

-- name: count_endpoints
SELECT count(*) AS count
FROM webhook_endpoints
WHERE channel = @channel OR (channel IS NULL AND CAST(@channel AS text) IS NULL);

-- name: find_endpoint
SELECT {endpoint} FROM webhook_endpoints WHERE id = @id AND {channel_is_visible};

-- name: list_endpoints
SELECT {endpoint}
FROM webhook_endpoints
WHERE {channel_is_visible} AND id > @after
ORDER BY id
LIMIT @most;

-- name: oldest_pending
-- Time of the oldest event that is not delivered: waiting, or not attempted yet. An event that no type of the endpoint matches
-- may count for a moment, until the next round passes it.
SELECT min(at) AS at
FROM (
    SELECT e.at FROM order_events e WHERE e.seq = (
        SELECT min(d.seq) FROM webhook_deliveries d WHERE d.endpoint_id = @endpoint_id AND d.state = 'waiting')
    UNION ALL
    SELECT e.at FROM order_events e WHERE e.seq = (SELECT min(n.seq) FROM order_events n WHERE n.seq > @position)
) AS pending;

-- name: count_waiting
SELECT count(*) AS count FROM webhook_deliveries WHERE endpoint_id = @endpoint_id AND state = 'waiting';

-- name: list_deliveries
SELECT {delivery}
FROM webhook_deliveries d
WHERE d.endpoint_id = @endpoint_id AND d.seq < @before
    AND (CAST(@state AS text) IS NULL OR d.state = @state)
    AND (@order_id IS NULL OR d.order_id = @order_id)
ORDER BY d.seq DESC
LIMIT @most;

-- name: find_delivery
SELECT {event}, d.id, d.endpoint_id, d.state, d.attempts, d.next_attempt_at, d.attempted_at, d.response_status, d.took_ms,
    d.response
FROM webhook_deliveries d
JOIN order_events e ON e.seq = d.seq
WHERE d.id = @id AND d.endpoint_id = @endpoint_id;

-- name: redeliver
UPDATE webhook_deliveries SET state = 'waiting', attempts = 0, next_attempt_at = @now
WHERE id = @id AND endpoint_id = @endpoint_id;

-- name: redeliver_range
UPDATE webhook_deliveries SET state = 'waiting', attempts = 0, next_attempt_at = @now
WHERE id IN (
    SELECT d.id FROM webhook_deliveries d
    WHERE d.endpoint_id = @endpoint_id AND d.seq > @after AND d.seq <= @until
        AND (CAST(@state AS text) IS NULL OR d.state = @state)
    ORDER BY d.seq
    LIMIT @most);

-- name: purge_deliveries
DELETE FROM webhook_deliveries
WHERE id IN (SELECT d.id FROM webhook_deliveries d WHERE d.id < @before AND d.state <> 'waiting' LIMIT @most);

-- name: webhook_health
SELECT count(*) FILTER (WHERE state = 'active' AND failing_since IS NOT NULL) AS failing,
    min(failing_since) FILTER (WHERE state = 'active') AS since,
    count(*) FILTER (WHERE state = 'disabled' AND reason <> 'operator') AS disabled
FROM webhook_endpoints;

-- name: slowest_endpoint
SELECT min(position) AS position FROM webhook_endpoints WHERE state = 'active';
