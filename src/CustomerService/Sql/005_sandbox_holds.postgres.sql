-- Until when the sandbox holds the money of a charge; null: for ever.
ALTER TABLE sandbox_charges ADD COLUMN holds_until timestamptz;
