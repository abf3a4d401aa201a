-- Of an action on many: which run it belongs to.
ALTER TABLE operator_actions ADD COLUMN run uuid;
CREATE INDEX operator_actions_run ON operator_actions (run, id) WHERE run IS NOT NULL;
