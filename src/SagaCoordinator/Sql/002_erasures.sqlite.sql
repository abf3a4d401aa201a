-- The audit stays append-only, except that an erasure replaces the words that name a person. Who did what to which order, and
-- when, never changes.
DROP TRIGGER operator_actions_not_updated;
CREATE TRIGGER operator_actions_not_updated BEFORE UPDATE ON operator_actions
WHEN (NEW.id, NEW.at, NEW.actor, NEW.action) IS NOT (OLD.id, OLD.at, OLD.actor, OLD.action)
    OR (NEW.order_id, NEW.subject, NEW.trace_id, NEW.run) IS NOT (OLD.order_id, OLD.subject, OLD.trace_id, OLD.run)
    OR NEW.reason NOT LIKE '%[erased]%'
BEGIN
    SELECT RAISE(ABORT, 'operator_actions is append-only');
END;
