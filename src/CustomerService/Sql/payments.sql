-- columns: payment
order_id, customer_id, channel, provider, route, token, currency, amount, state, authorized, captured, refunded, voided, code,
    message, action_url, gateway_reference, capture_before, attention_code, attention, undo_step, last_resolution_id, version,
    created_at, updated_at

-- columns: attempt
order_id, operation, number, provider, state, amount, gateway_reference, code, message, requested_by, reason, started_at,
    finished_at, due_at, sends, look_ups, evidence, resolved_by, approved_by

-- columns: channel_is_visible
-- @channels is ',main,eu,', or null for all; a comma is not part of a name.
(CAST(@channels AS text) IS NULL OR replace(@channels, ',' || channel || ',', '') <> @channels)

-- name: find_payment
SELECT {payment} FROM payments WHERE order_id = @order_id AND {channel_is_visible};

-- name: list_payments
-- Newest first, as the ids of orders are time-ordered.
SELECT {payment}
FROM payments
WHERE order_id >= @from AND order_id < @before
    AND (@order_id IS NULL OR order_id = @order_id)
    AND (@state IS NULL OR state = @state)
    AND (@in_doubt IS NULL OR (@in_doubt = 1) = (
        state IN ('authorizing', 'capturing', 'voiding', 'refunding')
        AND EXISTS (
            SELECT 1 FROM payment_attempts a
            WHERE a.order_id = payments.order_id
                AND (a.state = 'in_doubt' OR (a.state = 'open' AND a.started_at <= @unanswered_since)))))
    AND {channel_is_visible}
ORDER BY order_id DESC
LIMIT @most;

-- name: list_payments_needing_attention
-- By the index payments_attention, at any age. A separate statement, because SQLite plans without knowing the parameters
-- and would not use the index for an optional condition.
SELECT {payment}
FROM payments
WHERE (attention_code IS NOT NULL OR attention IS NOT NULL)
    AND order_id >= @from AND order_id < @before
    AND (@order_id IS NULL OR order_id = @order_id)
    AND (@state IS NULL OR state = @state)
    AND (@in_doubt IS NULL OR (@in_doubt = 1) = (
        state IN ('authorizing', 'capturing', 'voiding', 'refunding')
        AND EXISTS (
            SELECT 1 FROM payment_attempts a
            WHERE a.order_id = payments.order_id
                AND (a.state = 'in_doubt' OR (a.state = 'open' AND a.started_at <= @unanswered_since)))))
    AND {channel_is_visible}
ORDER BY order_id DESC
LIMIT @most;

-- name: payments_floor
SELECT order_id FROM payments WHERE order_id < @before ORDER BY order_id DESC LIMIT 1 OFFSET @window;

-- name: find_ending_holds
-- Payments not flagged yet, and payments with an authorization that expired after flagging.
SELECT order_id
FROM payments
WHERE capture_before <= @soon
    AND (attention_code IS NULL OR (capture_before <= @now AND attention_code <> 'hold_ended'))
ORDER BY capture_before
LIMIT @most;

-- name: count_in_doubt
-- Attempts that are not over, by the index on due_at. One that is given up becomes an incident.
SELECT count(*) AS count, min(started_at) AS oldest FROM payment_attempts WHERE due_at IS NOT NULL AND state = 'in_doubt';

-- name: count_attention
SELECT count(*) AS count FROM payments WHERE attention_code IS NOT NULL OR attention IS NOT NULL;

-- name: find_due_attempts
SELECT order_id FROM payment_attempts WHERE due_at <= @now ORDER BY due_at LIMIT @most;

-- name: bring_forward
UPDATE payment_attempts SET due_at = @now WHERE due_at > @too_far AND look_ups < 4 AND state <> 'open';

-- name: bring_late_look_ups_forward
-- From the fourth look-up on, the next may be an hour away: the last of GatewayLimits.LookUpPauses.
UPDATE payment_attempts SET due_at = @now WHERE due_at > @too_far AND look_ups >= 4;

-- name: bring_leases_forward
-- A request may be on its way until the lease ends.
UPDATE payment_attempts SET due_at = @now WHERE due_at > @too_far AND state = 'open';

-- name: late_results
-- Payments with a webhook whose attempt a restore has lost. An open attempt is settled first.
SELECT DISTINCT e.order_id
FROM parked_events e
JOIN payments p ON p.order_id = e.order_id
WHERE e.received_at < @before
    AND NOT EXISTS (SELECT 1 FROM payment_attempts a WHERE a.order_id = e.order_id AND a.finished_at IS NULL)
ORDER BY e.order_id
LIMIT @most;

-- name: forget_parked_events
DELETE FROM parked_events WHERE received_at < @before;

-- name: forget_events
DELETE FROM gateway_events
WHERE (provider, event_id) IN (
    SELECT provider, event_id FROM gateway_events WHERE received_at < @before ORDER BY received_at LIMIT @most
);

-- name: doubt_waiting_attempts
-- After a restore: a request that waits to be sent again may have been sent since.
UPDATE payment_attempts
SET state = 'in_doubt', code = 'in_doubt', due_at = @now
WHERE state = 'retry' AND due_at IS NOT NULL;
