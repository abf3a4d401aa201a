-- Second person who approved an attempt; null for an attempt that needed none.
ALTER TABLE payment_attempts ADD COLUMN approved_by TEXT;
