-- Until when a gateway holds money that is neither taken nor released, and what a person has to see to before.
ALTER TABLE payments ADD COLUMN capture_before timestamptz, ADD COLUMN notice text;
-- It is never set for store credit, whose updates so stay within their page.
CREATE INDEX payments_capture_before ON payments (capture_before) WHERE capture_before IS NOT NULL;
