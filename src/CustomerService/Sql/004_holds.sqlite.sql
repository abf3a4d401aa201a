-- Until when a gateway holds money that is neither taken nor released, and what a person has to see to before.
ALTER TABLE payments ADD COLUMN capture_before INTEGER;
ALTER TABLE payments ADD COLUMN notice TEXT;
CREATE INDEX payments_capture_before ON payments (capture_before) WHERE capture_before IS NOT NULL;
