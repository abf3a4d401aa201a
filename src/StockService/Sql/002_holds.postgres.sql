-- A hold ends with its saga only (docs/adr/0036). The key is the order: order ids ascend with the time of the order, so old holds
-- come first. Release 0.1.0 gave goods back when a hold expired. Such an order holds nothing: its commit takes the goods again.
DELETE FROM reservations WHERE state = 'expired';
ALTER TABLE reservations DROP COLUMN expires_at;
ALTER TABLE reservations DROP CONSTRAINT reservations_state_check;
ALTER TABLE reservations ADD CONSTRAINT reservations_state_check
    CHECK (state IN ('held', 'committed', 'released', 'refused'));
ALTER TABLE holds DROP CONSTRAINT holds_pkey;
ALTER TABLE holds DROP COLUMN expires_at;
ALTER TABLE holds ADD PRIMARY KEY (order_id);
