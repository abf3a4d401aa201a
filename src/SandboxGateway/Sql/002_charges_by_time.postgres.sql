CREATE INDEX sandbox_charges_created_at ON sandbox_charges (created_at, id);
