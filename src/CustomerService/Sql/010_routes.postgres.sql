-- The route that chose a payment's gateway, and the gateway of each attempt: a payment may go to another one.
ALTER TABLE payments ADD COLUMN route text;
ALTER TABLE gateway_calls ADD COLUMN provider text;
UPDATE gateway_calls c SET provider = p.provider FROM payments p WHERE p.order_id = c.order_id;
