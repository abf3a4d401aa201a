-- Channel of the order. Release 0.1.0 called the channel a merchant, and left it out of the facts for the channel main.
ALTER TABLE sagas ADD COLUMN channel TEXT NOT NULL DEFAULT 'main';
UPDATE sagas SET channel = coalesce(facts ->> 'channel', facts ->> 'merchant')
WHERE coalesce(facts ->> 'channel', facts ->> 'merchant') IS NOT NULL;
