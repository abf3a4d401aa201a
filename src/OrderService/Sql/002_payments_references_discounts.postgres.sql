-- The payment's version and the money still there, as of payment_status. The version decides which totals are later.
ALTER TABLE orders ADD COLUMN payment_version bigint NOT NULL DEFAULT 0;  -- 0: none known
ALTER TABLE orders ADD COLUMN secured_minor bigint;                       -- held, or captured and not refunded

-- Release 0.1.0 called a completed order partially paid although the rest was released and nothing was left to pay.
UPDATE orders SET payment_status = 'paid'
WHERE status = 'completed' AND payment_status = 'partially_paid'
    AND NOT EXISTS (SELECT 1 FROM fulfilment_work w WHERE w.order_id = orders.id AND w.participant = 'customer-service');

-- Highest discount that the caller could give when placing, in percent; null for orders of release 0.1.0.
ALTER TABLE orders ADD COLUMN discount_limit bigint CHECK (discount_limit BETWEEN 0 AND 100);

-- Orders that came to nothing free their reference. The column is set only then, so that updates on the way to a confirmed
-- order stay HOT updates; a condition on status in the index would end that.
ALTER TABLE orders ADD COLUMN reference_freed boolean NOT NULL DEFAULT false;
UPDATE orders SET reference_freed = true
WHERE reference IS NOT NULL AND status IN ('rejected', 'expired', 'cancelled') AND fulfilment_status = 'unfulfilled';
DROP INDEX orders_reference;
CREATE UNIQUE INDEX orders_reference ON orders (merchant, reference) WHERE reference IS NOT NULL AND NOT reference_freed;
CREATE INDEX orders_freed_reference ON orders (merchant, reference) WHERE reference IS NOT NULL AND reference_freed;

-- End of the unshipped goods of a completed order: 'consumed' or 'released'. Null before, when everything was shipped, and
-- for orders completed by release 0.1.0, which left the goods allocated.
ALTER TABLE orders ADD COLUMN goods text;
