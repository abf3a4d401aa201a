-- Channel of the order. Null for tombstones and for payments of release 0.1.0, whose channel is unknown here: only callers of all
-- channels see them.
ALTER TABLE payments ADD COLUMN channel text;
ALTER TABLE told_orders ADD COLUMN channel text;
