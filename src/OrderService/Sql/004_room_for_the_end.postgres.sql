-- Every row is written twice, the second time larger: with so much room both fit on its page. One that had to move would be
-- entered into every index again, and what it leaves there would have to be vacuumed out of them.
ALTER TABLE orders SET (fillfactor = 42);
