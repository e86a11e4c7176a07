-- Nothing to do: SQLite has one writer at a time, and takes no locks for foreign keys.
SELECT 1;
