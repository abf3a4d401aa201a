-- When the money is taken: null when the order is confirmed, 'fulfilment' with what is shipped.
ALTER TABLE orders
    ADD COLUMN capture text,
    -- What the customer has to do first; the address may be missing.
    ADD COLUMN next_action_url text,
    ADD COLUMN next_action_until timestamptz;

-- What the payment is to have taken in all, where customer-service takes part. Number 0 closes the order.
ALTER TABLE fulfilment_work ADD COLUMN due bigint;
