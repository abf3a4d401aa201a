-- The page takes both versions of each of its rows, which are shorter since legs and lines are arrays.
ALTER TABLE sagas SET (fillfactor = 40);
