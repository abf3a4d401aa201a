-- The last word of an operator that was heard: the same again, or an older one, changes nothing. And what a person has
-- to look at.
ALTER TABLE payments ADD COLUMN resolution uuid, ADD COLUMN attention text;

-- What each look-up said, as JSON; and whose word ended a doubt.
ALTER TABLE gateway_calls ADD COLUMN look_ups text, ADD COLUMN resolved_by text;
