-- Associations of subjects with resources (topics). Nothing about them is cached: they have no position of their own, but
-- every write of one raises the revision of its subject, so that decisions about the subject are taken again.

CREATE TABLE association (
    guid               bytea PRIMARY KEY CHECK (length(guid) = 16),
    subject_id         bigint NOT NULL REFERENCES subject,
    resource_type      text COLLATE "C" NOT NULL,
    resource_id        text COLLATE "C" NOT NULL,
    resource_namespace text COLLATE "C" NOT NULL,
    resource_name      text COLLATE "C" NOT NULL,
    association_type   text COLLATE "C" NOT NULL CHECK (association_type IN ('key', 'value')),
    -- STRONG: frozen, and the only association of its subject.
    lifecycle          text NOT NULL CHECK (lifecycle IN ('STRONG', 'WEAK')),
    create_ts          bigint NOT NULL,  -- ms since 1970
    update_ts          bigint NOT NULL,
    UNIQUE (resource_id, resource_type, association_type),
    UNIQUE (resource_name, resource_namespace, resource_type, association_type)
);
CREATE INDEX association_subject ON association (subject_id);
CREATE UNIQUE INDEX association_strong ON association (subject_id) WHERE lifecycle = 'STRONG';

-- As before, and a referenced subject must not belong to a resource alone.
CREATE OR REPLACE FUNCTION sluice_holds(
    p_set_kinds smallint[], p_set_contexts text[], p_set_names text[], p_set_revisions bigint[],
    p_need_contexts text[], p_need_names text[], p_need_versions integer[], p_need_live boolean[]
) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(p_set_kinds) > 0 AND EXISTS (
        SELECT FROM unnest(p_set_kinds, p_set_contexts, p_set_names, p_set_revisions) AS want (kind, context, name, revision)
        LEFT JOIN settings s ON s.kind = want.kind AND s.context = want.context AND s.name = want.name
        WHERE coalesce(s.revision, 0) <> want.revision
    ) THEN
        RETURN false;
    END IF;
    IF cardinality(p_need_versions) > 0 AND EXISTS (
        SELECT FROM unnest(p_need_contexts, p_need_names, p_need_versions, p_need_live) AS need (context, name, version, live)
        LEFT JOIN context c ON c.name = need.context
        LEFT JOIN subject s ON s.context_id = c.id AND s.name = need.name
        LEFT JOIN subject_version v ON v.subject_id = s.id AND v.version = need.version
        WHERE v.version IS NULL OR (need.live AND v.deleted)
           OR EXISTS (SELECT FROM association a WHERE a.subject_id = s.id AND a.lifecycle = 'STRONG')
    ) THEN
        RETURN false;
    END IF;
    RETURN true;
END $$;

-- Adds and removes associations of one resource; subjects in `p_sub_cascade` go with all versions. Answers `done` or
-- `conflict`; what only shows while it writes is a serialisation failure, which undoes all.
--
-- The caller holds the resource and its subjects exclusively: whoever deletes one of them, associates it or refers to it
-- waits.
CREATE FUNCTION sluice_write_associations(
    p_lock_keys bigint[], p_lock_exclusive boolean[],
    p_set_kinds smallint[], p_set_contexts text[], p_set_names text[], p_set_revisions bigint[],
    p_resource_type text, p_resource_id text, p_had bytea[], p_remove bytea[],
    p_sub_contexts text[], p_sub_names text[], p_sub_revisions bigint[], p_sub_cascade boolean[],
    p_add_guids bytea[], p_add_contexts text[], p_add_subjects text[],
    p_add_names text[], p_add_namespaces text[], p_add_types text[], p_add_lifecycles text[], p_add_ts bigint[]
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_has bytea[];
    sub record;
    v_outcome text;
BEGIN
    PERFORM sluice_lock(p_lock_keys, p_lock_exclusive);

    SELECT coalesce(array_agg(a.guid), '{}') INTO v_has
    FROM association a WHERE a.resource_id = p_resource_id AND a.resource_type = p_resource_type;
    IF NOT (v_has <@ p_had AND p_had <@ v_has)
       OR NOT sluice_holds(p_set_kinds, p_set_contexts, p_set_names, p_set_revisions, '{}', '{}', '{}', '{}')
       OR EXISTS (
            SELECT FROM unnest(p_sub_contexts, p_sub_names, p_sub_revisions) AS want (context, name, revision)
            LEFT JOIN context c ON c.name = want.context
            LEFT JOIN subject s ON s.context_id = c.id AND s.name = want.name
            WHERE s.revision IS DISTINCT FROM want.revision OR s.revision = 0
       )
       OR EXISTS (
            SELECT FROM unnest(p_add_contexts, p_add_subjects, p_add_lifecycles) AS new (context, name, lifecycle)
            JOIN context c ON c.name = new.context
            JOIN subject s ON s.context_id = c.id AND s.name = new.name
            JOIN reference_use r ON r.target_id = s.id AND r.subject_id <> s.id
            WHERE new.lifecycle = 'STRONG'
       )
    THEN
        RETURN 'conflict';
    END IF;

    DELETE FROM association a WHERE a.guid = ANY (p_remove);
    -- Unique indexes hold what must be unique: a collision undoes all, and is a conflict too.
    INSERT INTO association (guid, subject_id, resource_type, resource_id, resource_namespace, resource_name,
                             association_type, lifecycle, create_ts, update_ts)
    SELECT new.guid, s.id, p_resource_type, p_resource_id, new.namespace, new.resource, new.type, new.lifecycle, new.ts, new.ts
    FROM unnest(p_add_guids, p_add_contexts, p_add_subjects, p_add_names, p_add_namespaces, p_add_types,
                p_add_lifecycles, p_add_ts) AS new (guid, context, subject, resource, namespace, type, lifecycle, ts)
    JOIN context c ON c.name = new.context
    JOIN subject s ON s.context_id = c.id AND s.name = new.subject;

    FOR sub IN
        SELECT s.id, s.revision, want.context, want.name, want.cascade
        FROM unnest(p_sub_contexts, p_sub_names, p_sub_cascade) AS want (context, name, cascade)
        JOIN context c ON c.name = want.context JOIN subject s ON s.context_id = c.id AND s.name = want.name
    LOOP
        IF sub.cascade THEN
            SELECT d.outcome INTO v_outcome FROM sluice_delete_versions(
                '{}', '{}', sub.revision, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', sub.context, sub.name,
                ARRAY(SELECT v.version FROM subject_version v WHERE v.subject_id = sub.id), true
            ) d;
            IF v_outcome <> 'done' THEN
                RAISE EXCEPTION 'version of % is referenced', sub.name USING ERRCODE = 'serialization_failure';
            END IF;
        ELSE
            UPDATE subject SET revision = revision + 1, position = pg_current_xact_id() WHERE id = sub.id;
        END IF;
    END LOOP;
    RETURN 'done';
END $$;
