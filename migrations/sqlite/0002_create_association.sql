-- Associations of subjects with resources (topics): the table of migrations/postgres/0002.

CREATE TABLE association (
    guid               BLOB PRIMARY KEY CHECK (length(guid) = 16),
    subject_id         INTEGER NOT NULL REFERENCES subject (id),
    resource_type      TEXT NOT NULL,
    resource_id        TEXT NOT NULL,
    resource_namespace TEXT NOT NULL,
    resource_name      TEXT NOT NULL,
    association_type   TEXT NOT NULL CHECK (association_type IN ('key', 'value')),
    -- STRONG: frozen, and the only association of its subject.
    lifecycle          TEXT NOT NULL CHECK (lifecycle IN ('STRONG', 'WEAK')),
    create_ts          INTEGER NOT NULL, -- ms since 1970
    update_ts          INTEGER NOT NULL,
    UNIQUE (resource_id, resource_type, association_type),
    UNIQUE (resource_name, resource_namespace, resource_type, association_type)
) WITHOUT ROWID;
CREATE INDEX association_subject ON association (subject_id);
CREATE UNIQUE INDEX association_strong ON association (subject_id) WHERE lifecycle = 'STRONG';
