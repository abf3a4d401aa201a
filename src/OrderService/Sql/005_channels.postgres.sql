-- A merchant is called a channel from here on: a shop front of the company that owns the installation.
ALTER TABLE orders RENAME COLUMN merchant TO channel;
ALTER TABLE webhook_endpoints RENAME COLUMN merchant TO channel;
