-- Every registration wrote a row of `content` and one of `subject`, and their foreign keys made each of them lock the one
-- row of its context (FOR KEY SHARE): with 16 writers at once that was a fifth of what a registration costs. Rows of
-- `context` are never deleted, and their ids come from `sluice_create_context` alone, so there is nothing to guard.
ALTER TABLE content DROP CONSTRAINT content_context_id_fkey;
ALTER TABLE subject DROP CONSTRAINT subject_context_id_fkey;
