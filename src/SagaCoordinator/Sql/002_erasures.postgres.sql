-- The audit stays append-only, except that an erasure replaces the words that name a person. Who did what to which order, and
-- when, never changes.
DROP TRIGGER operator_actions_append_only ON operator_actions;
CREATE TRIGGER operator_actions_append_only
    BEFORE DELETE OR TRUNCATE ON operator_actions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_operator_actions_change();
CREATE TRIGGER operator_actions_only_erased
    BEFORE UPDATE ON operator_actions
    FOR EACH ROW
    WHEN (
        (NEW.id, NEW.at, NEW.actor, NEW.action, NEW.order_id, NEW.subject, NEW.trace_id, NEW.run)
            IS DISTINCT FROM (OLD.id, OLD.at, OLD.actor, OLD.action, OLD.order_id, OLD.subject, OLD.trace_id, OLD.run)
        OR NEW.reason NOT LIKE '%[erased]%')
    EXECUTE FUNCTION refuse_operator_actions_change();
