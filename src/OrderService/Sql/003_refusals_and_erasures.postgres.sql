-- Why a participant cannot carry out its part of a fulfilment; such work is asked for once an hour.
ALTER TABLE fulfilment_work ADD COLUMN refused text;

-- Customers erased in customer-service. Further orders under these ids are refused.
CREATE TABLE erased_customers (
    customer_id text        PRIMARY KEY,
    marked_at   timestamptz NOT NULL
);
