-- The route that chose a payment's gateway, and the gateway of each attempt: a payment may go to another one.
ALTER TABLE payments ADD COLUMN route TEXT;
ALTER TABLE gateway_calls ADD COLUMN provider TEXT;
UPDATE gateway_calls SET provider = (SELECT p.provider FROM payments p WHERE p.order_id = gateway_calls.order_id);
