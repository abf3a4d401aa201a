-- Callers of several channels search by reference: the reference comes first.
DROP INDEX orders_reference;
CREATE UNIQUE INDEX orders_reference ON orders (reference, channel) WHERE reference IS NOT NULL AND NOT reference_freed;
DROP INDEX orders_freed_reference;
CREATE INDEX orders_freed_reference ON orders (reference, channel) WHERE reference IS NOT NULL AND reference_freed;
