-- The registry on SQLite: the tables of migrations/postgres/0001, for one process with one writer.
--
-- What differs: a context keeps the highest id it gave in `last_id` (there is no contention to avoid), and `position`
-- is a plain counter (one writer: it grows in commit order).

CREATE TABLE context (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    -- Shown in lists: it held a version once and was not deleted since.
    listed   BOOLEAN NOT NULL DEFAULT false,
    -- The highest id ever given in this context.
    last_id  INTEGER NOT NULL DEFAULT 0,
    position INTEGER NOT NULL
);
CREATE INDEX context_position ON context (position);

-- Content, once per (context, hash). An import may put the same content under a second id; `is_current` marks the one
-- that the hash stands for. Rows go with the last version that uses them; their ids are never given again.
CREATE TABLE content (
    context_id     INTEGER NOT NULL REFERENCES context (id),
    id             INTEGER NOT NULL CHECK (id > 0),
    guid           BLOB NOT NULL CHECK (length(guid) = 16),
    is_current     BOOLEAN NOT NULL,
    schema_type    TEXT NOT NULL,
    text           TEXT NOT NULL,
    reference_list TEXT, -- JSON; NULL for none
    metadata       TEXT, -- JSON
    rule_set       TEXT, -- JSON
    PRIMARY KEY (context_id, id)
);
CREATE UNIQUE INDEX content_guid ON content (guid, context_id) WHERE is_current;

-- A subject outlives its versions, so that its revision never repeats. Revision 0: only referred to, never written.
CREATE TABLE subject (
    id         INTEGER PRIMARY KEY,
    context_id INTEGER NOT NULL REFERENCES context (id),
    name       TEXT NOT NULL,
    revision   INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    UNIQUE (context_id, name)
);
CREATE INDEX subject_position ON subject (position);

CREATE TABLE subject_version (
    subject_id INTEGER NOT NULL REFERENCES subject (id),
    version    INTEGER NOT NULL CHECK (version > 0),
    context_id INTEGER NOT NULL,
    schema_id  INTEGER NOT NULL,
    deleted    BOOLEAN NOT NULL DEFAULT false,
    -- Revision of the subject that wrote this row last: which use of an id is the latest.
    written    INTEGER NOT NULL,
    ts         INTEGER NOT NULL, -- ms since 1970
    PRIMARY KEY (subject_id, version),
    FOREIGN KEY (context_id, schema_id) REFERENCES content (context_id, id)
) WITHOUT ROWID;
CREATE INDEX subject_version_schema ON subject_version (context_id, schema_id);

CREATE TABLE reference_use (
    subject_id     INTEGER NOT NULL,
    version        INTEGER NOT NULL,
    target_id      INTEGER NOT NULL REFERENCES subject (id),
    target_version INTEGER NOT NULL,
    PRIMARY KEY (subject_id, version, target_id, target_version),
    FOREIGN KEY (subject_id, version) REFERENCES subject_version (subject_id, version) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX reference_use_target ON reference_use (target_id, target_version);

-- kind 0: all contexts (context and name empty) · 1: a context (name empty) · 2: a subject.
CREATE TABLE settings (
    kind     INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 2),
    context  TEXT NOT NULL,
    name     TEXT NOT NULL,
    config   TEXT, -- JSON
    mode     TEXT,
    revision INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (kind, context, name)
) WITHOUT ROWID;
CREATE INDEX settings_position ON settings (position);

INSERT INTO context (name, listed, position) VALUES ('.', true, 0);
