-- Channel of the order acted on. Null for actions on no single channel, and for actions before channels existed: only callers of
-- all channels see them.
ALTER TABLE operator_actions ADD COLUMN channel TEXT;
