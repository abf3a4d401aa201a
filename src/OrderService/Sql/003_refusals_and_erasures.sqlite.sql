-- Why a participant cannot carry out its part of a fulfilment; such work is asked for once an hour.
ALTER TABLE fulfilment_work ADD COLUMN refused TEXT;

-- Customers erased in customer-service. Further orders under these ids are refused.
CREATE TABLE erased_customers (
    customer_id TEXT    PRIMARY KEY,
    marked_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
