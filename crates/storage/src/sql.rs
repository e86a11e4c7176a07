//! Every SQL statement, by name.
//!
//! Most reads serve both databases with one text; where dialects differ both texts stand side by side. Writes on
//! Postgres are one function call each (the functions are in `migrations/postgres`); SQLite, which has no functions,
//! takes the same steps as statements inside one transaction.
//!
//! To add one: a line in `statements!`. It joins [`ALL`], which the tests prepare on both databases; the name is what
//! errors and logs show.

use sluice_registry::store::{AssociationsOf, Contexts, View};

/// A statement with its text on each database; empty where it is not used.
#[derive(Debug)]
pub struct Statement {
    /// Name of the constant.
    pub name: &'static str,
    /// Text for Postgres.
    pub postgres: &'static str,
    /// Text for SQLite.
    pub sqlite: &'static str,
}

macro_rules! statements {
    ($( $(#[doc = $doc:literal])* $name:ident: $kind:ident ( $($text:expr),+ $(,)? ); )+) => {
        $( $(#[doc = $doc])* pub(crate) static $name: Statement = statements!(@$kind stringify!($name), $($text),+); )+
        /// All of them.
        pub static ALL: &[&Statement] = &[$(&$name),+];
    };
    (@both $name:expr, $text:expr) => { Statement { name: $name, postgres: $text, sqlite: $text } };
    (@postgres $name:expr, $text:expr) => { Statement { name: $name, postgres: $text, sqlite: "" } };
    (@sqlite $name:expr, $text:expr) => { Statement { name: $name, postgres: "", sqlite: $text } };
    (@each $name:expr, $postgres:expr, $sqlite:expr) => { Statement { name: $name, postgres: $postgres, sqlite: $sqlite } };
}

/// One list of subjects: which contexts, which view.
macro_rules! subjects {
    ($contexts:expr, $view:expr) => {
        concat!(
            "SELECT c.name, s.name FROM subject s JOIN context c ON c.id = s.context_id \
             WHERE s.name >= $1 AND s.name <= $2 AND ",
            $contexts,
            " AND ",
            $view
        )
    };
}

/// The same list with all versions.
macro_rules! subject_states {
    ($contexts:expr, $view:expr) => {
        concat!(
            "SELECT c.name, s.name, s.revision, v.version, v.schema_id, k.guid, v.deleted, v.ts \
             FROM subject s JOIN context c ON c.id = s.context_id JOIN subject_version v ON v.subject_id = s.id \
             JOIN content k ON k.context_id = v.context_id AND k.id = v.schema_id \
             WHERE s.name >= $1 AND s.name <= $2 AND ",
            $contexts,
            " AND ",
            $view,
            " ORDER BY s.id, v.version"
        )
    };
}

/// Configs of subjects.
macro_rules! subject_configs {
    ($contexts:expr) => {
        concat!(
            "SELECT context, name, config FROM settings \
             WHERE kind = 2 AND config IS NOT NULL AND name >= $1 AND name <= $2 AND ",
            $contexts
        )
    };
}

/// Associations of what the condition selects; `row::associations` sorts them.
macro_rules! associations {
    ($condition:expr) => {
        concat!(
            "SELECT c.name, s.name, a.guid, a.resource_name, a.resource_namespace, a.resource_type, a.resource_id, \
             a.association_type, a.lifecycle, a.create_ts, a.update_ts \
             FROM association a JOIN subject s ON s.id = a.subject_id JOIN context c ON c.id = s.context_id WHERE ",
            $condition
        )
    };
}

macro_rules! all_contexts {
    () => {
        "true"
    };
}
macro_rules! one_context {
    () => {
        "c.name = $3"
    };
}
macro_rules! live {
    () => {
        "EXISTS (SELECT 1 FROM subject_version l WHERE l.subject_id = s.id AND NOT l.deleted)"
    };
}
macro_rules! any {
    () => {
        "EXISTS (SELECT 1 FROM subject_version l WHERE l.subject_id = s.id)"
    };
}
macro_rules! deleted_only {
    () => {
        concat!(any!(), " AND NOT ", live!())
    };
}

statements! {
    /// $1 context, $2 id → schema_type, text, reference_list, metadata, rule_set, guid.
    CONTENT_BY_ID: both(
        "SELECT k.schema_type, k.text, k.reference_list, k.metadata, k.rule_set, k.guid \
         FROM content k JOIN context c ON c.id = k.context_id WHERE c.name = $1 AND k.id = $2"
    );
    /// $1 context, $2 guid → id.
    ID_BY_GUID: both(
        "SELECT k.id FROM content k JOIN context c ON c.id = k.context_id \
         WHERE k.guid = $2 AND k.is_current AND c.name = $1"
    );
    /// $1 guid → context, id. Ordered by context: `.` is less than every other name.
    IDS_BY_GUID: both(
        "SELECT c.name, k.id FROM content k JOIN context c ON c.id = k.context_id \
         WHERE k.guid = $1 AND k.is_current ORDER BY c.name"
    );
    /// $1 context, $2 subject → revision, version, schema_id, guid, deleted, ts; one row of NULLs without versions.
    SUBJECT_STATE: both(
        "SELECT s.revision, v.version, v.schema_id, k.guid, v.deleted, v.ts \
         FROM context c JOIN subject s ON s.context_id = c.id \
         LEFT JOIN subject_version v ON v.subject_id = s.id \
         LEFT JOIN content k ON k.context_id = v.context_id AND k.id = v.schema_id \
         WHERE c.name = $1 AND s.name = $2 ORDER BY v.version"
    );
    /// $1 context, $2 subject → revision.
    SUBJECT_REVISION: both(
        "SELECT s.revision FROM context c JOIN subject s ON s.context_id = c.id WHERE c.name = $1 AND s.name = $2"
    );
    /// $1 lowest name, $2 highest name → context, subject.
    SUBJECTS_LIVE: both(subjects!(all_contexts!(), live!()));
    /// As SUBJECTS_LIVE.
    SUBJECTS_WITH_DELETED: both(subjects!(all_contexts!(), any!()));
    /// As SUBJECTS_LIVE.
    SUBJECTS_DELETED_ONLY: both(subjects!(all_contexts!(), deleted_only!()));
    /// As SUBJECTS_LIVE, with $3 context.
    CONTEXT_SUBJECTS_LIVE: both(subjects!(one_context!(), live!()));
    /// As CONTEXT_SUBJECTS_LIVE.
    CONTEXT_SUBJECTS_WITH_DELETED: both(subjects!(one_context!(), any!()));
    /// As CONTEXT_SUBJECTS_LIVE.
    CONTEXT_SUBJECTS_DELETED_ONLY: both(subjects!(one_context!(), deleted_only!()));
    /// $1 lowest name, $2 highest name → context, subject, revision, version, schema_id, guid, deleted, ts.
    /// Grouped by subject, ascending by version.
    SUBJECT_STATES_LIVE: both(subject_states!(all_contexts!(), live!()));
    /// As SUBJECT_STATES_LIVE.
    SUBJECT_STATES_WITH_DELETED: both(subject_states!(all_contexts!(), any!()));
    /// As SUBJECT_STATES_LIVE.
    SUBJECT_STATES_DELETED_ONLY: both(subject_states!(all_contexts!(), deleted_only!()));
    /// As SUBJECT_STATES_LIVE, with $3 context.
    CONTEXT_SUBJECT_STATES_LIVE: both(subject_states!(one_context!(), live!()));
    /// As CONTEXT_SUBJECT_STATES_LIVE.
    CONTEXT_SUBJECT_STATES_WITH_DELETED: both(subject_states!(one_context!(), any!()));
    /// As CONTEXT_SUBJECT_STATES_LIVE.
    CONTEXT_SUBJECT_STATES_DELETED_ONLY: both(subject_states!(one_context!(), deleted_only!()));
    /// $1 context, $2 id → subject, version, deleted; by subject, the last written use first.
    USAGES: both(
        "SELECT s.name, v.version, v.deleted FROM context c JOIN subject_version v ON v.context_id = c.id \
         JOIN subject s ON s.id = v.subject_id WHERE c.name = $1 AND v.schema_id = $2 \
         ORDER BY s.name, v.written DESC, v.version DESC"
    );
    /// $1 context, $2 subject, $3 version → context, subject, version, schema_id, deleted of who refers to it.
    REFERRERS: both(
        "SELECT rc.name, rs.name, r.version, v.schema_id, v.deleted \
         FROM context c JOIN subject s ON s.context_id = c.id JOIN reference_use r ON r.target_id = s.id \
         JOIN subject_version v ON v.subject_id = r.subject_id AND v.version = r.version \
         JOIN subject rs ON rs.id = r.subject_id JOIN context rc ON rc.id = rs.context_id \
         WHERE c.name = $1 AND s.name = $2 AND r.target_version = $3 \
         ORDER BY rc.name, v.schema_id, rs.name, r.version"
    );
    /// $1 context → the highest id given.
    MAX_ID: each(
        "SELECT sluice_last_id(c.id) FROM context c WHERE c.name = $1",
        "SELECT last_id FROM context WHERE name = $1"
    );
    /// $1 kind, $2 context, $3 subject → config, mode, revision.
    SETTINGS: both("SELECT config, mode, revision FROM settings WHERE kind = $1 AND context = $2 AND name = $3");
    /// $1 lowest name, $2 highest name → context, subject, config of subjects that have one.
    SUBJECT_CONFIGS: both(subject_configs!("true"));
    /// As SUBJECT_CONFIGS, with $3 context.
    CONTEXT_SUBJECT_CONFIGS: both(subject_configs!("context = $3"));
    /// $1 context, $2 subject → context, subject, guid, resource's name, namespace, type and id, association_type,
    /// lifecycle, create_ts, update_ts.
    ASSOCIATIONS_OF_SUBJECT: both(associations!("c.name = $1 AND s.name = $2"));
    /// $1 id of a resource; as ASSOCIATIONS_OF_SUBJECT.
    ASSOCIATIONS_OF_RESOURCE_ID: both(associations!("a.resource_id = $1"));
    /// $1 name of a resource, in any namespace; as ASSOCIATIONS_OF_SUBJECT.
    ASSOCIATIONS_OF_RESOURCE_NAME: both(associations!("a.resource_name = $1"));
    /// $1 lowest name, $2 highest name of subjects; as ASSOCIATIONS_OF_SUBJECT.
    ASSOCIATIONS: both(associations!("s.name >= $1 AND s.name <= $2"));
    /// As ASSOCIATIONS, with $3 context.
    CONTEXT_ASSOCIATIONS: both(associations!("s.name >= $1 AND s.name <= $2 AND c.name = $3"));
    /// → name, in order.
    CONTEXTS: both("SELECT name FROM context WHERE listed ORDER BY name");
    /// → anything.
    PING: both("SELECT 1");

    /// → where the stream of changes stands. On Postgres: the timeline (another one after a restore or a failover) and
    /// a snapshot: which transactions had ended.
    CHANGE_CURSOR: each(
        "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8) || '/' || pg_current_snapshot()::text",
        "SELECT CAST(max(position) AS TEXT) FROM (SELECT max(position) AS position FROM context \
         UNION ALL SELECT max(position) FROM subject UNION ALL SELECT max(position) FROM settings)"
    );
    /// $1 cursor → kind, context, name of what was written since; kind -2 carries the new cursor.
    ///
    /// Postgres: a row counts if its transaction had not ended in the cursor's snapshot, whatever the order of ids and
    /// commits. Positions from the future are from before a restore. A cursor of another timeline, or from the future,
    /// says nothing: all rows count.
    CHANGES_SINCE: each(
        "WITH at AS MATERIALIZED (SELECT pg_current_snapshot() AS now, left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline), \
         span AS MATERIALIZED (SELECT at.now, at.timeline, CASE \
             WHEN split_part($1, '/', 1) = at.timeline \
              AND pg_snapshot_xmax(split_part($1, '/', 2)::pg_snapshot) <= pg_snapshot_xmax(at.now) \
             THEN split_part($1, '/', 2)::pg_snapshot ELSE '1:1:'::pg_snapshot END AS since FROM at) \
         SELECT -2, timeline || '/' || now::text, '' FROM span \
         UNION ALL SELECT -1, name, '' FROM context, span WHERE position >= pg_snapshot_xmin(since) \
            AND position < pg_snapshot_xmax(now) AND NOT pg_visible_in_snapshot(position, since) \
         UNION ALL SELECT kind::integer, context, name FROM settings, span WHERE position >= pg_snapshot_xmin(since) \
            AND position < pg_snapshot_xmax(now) AND NOT pg_visible_in_snapshot(position, since) \
         UNION ALL SELECT 3, c.name, s.name FROM span, subject s JOIN context c ON c.id = s.context_id \
            WHERE s.position >= pg_snapshot_xmin(since) \
            AND s.position < pg_snapshot_xmax(now) AND NOT pg_visible_in_snapshot(s.position, since)",
        "SELECT -2, CAST(max(position) AS TEXT), '' FROM (SELECT max(position) AS position FROM context \
         UNION ALL SELECT max(position) FROM subject UNION ALL SELECT max(position) FROM settings) \
         UNION ALL SELECT -1, name, '' FROM context WHERE position > CAST($1 AS INTEGER) \
         UNION ALL SELECT kind, context, name FROM settings WHERE position > CAST($1 AS INTEGER) \
         UNION ALL SELECT 3, c.name, s.name FROM subject s JOIN context c ON c.id = s.context_id \
            WHERE s.position > CAST($1 AS INTEGER)"
    );
    /// $1 channel, $2 who notifies. Its commit need not reach the disk.
    NOTIFY: postgres("SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)");

    /// $1–$2 locks, $3–$11 preconditions, $12–$26 the version → outcome, id, revision.
    COMMIT_VERSION: postgres(
        "SELECT outcome, id, revision FROM sluice_commit_version($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
         $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)"
    );
    /// $1–$2 locks, $3–$11 preconditions, $12 context, $13 subject, $14 versions, $15 permanent → outcome, version, revision.
    DELETE_VERSIONS: postgres(
        "SELECT outcome, version, revision FROM sluice_delete_versions($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
         $12, $13, $14, $15)"
    );
    /// $1–$2 locks, $3–$11 preconditions, $12–$14 scope, $15 and $17 what to set, $16 config, $18 mode → outcome, revision.
    WRITE_SETTINGS: postgres(
        "SELECT outcome, revision FROM sluice_write_settings($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, \
         $14, $15, $16, $17, $18)"
    );
    /// $1–$2 locks, $3–$6 settings, $7–$10 the resource, $11–$14 subjects, $15–$22 what to add → outcome.
    WRITE_ASSOCIATIONS: postgres(
        "SELECT sluice_write_associations($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
         $18, $19, $20, $21, $22)"
    );
    /// $1–$2 locks, $3 context.
    DELETE_MODES: each(
        "SELECT sluice_delete_modes($1, $2, $3)::text",
        "UPDATE settings SET mode = NULL, revision = revision + 1, position = $1 \
         WHERE kind IN (1, 2) AND context = $2 AND mode IS NOT NULL"
    );
    /// $1–$2 locks, $3 context → whether it held no version.
    DELETE_CONTEXT: postgres("SELECT sluice_delete_context($1, $2, $3)");

    // --- steps of a write on SQLite; `position` is the next one, drawn once per transaction

    /// → the next position.
    NEXT_POSITION: sqlite(
        "SELECT 1 + max(position) FROM (SELECT max(position) AS position FROM context \
         UNION ALL SELECT max(position) FROM subject UNION ALL SELECT max(position) FROM settings)"
    );
    /// $1 context → id, listed.
    FIND_CONTEXT: sqlite("SELECT id, listed FROM context WHERE name = $1");
    /// $1 context, $2 position → id.
    INSERT_CONTEXT: sqlite("INSERT INTO context (name, position) VALUES ($1, $2) RETURNING id");
    /// $1 id of a context, $2 position.
    LIST_CONTEXT: sqlite("UPDATE context SET listed = true, position = $2 WHERE id = $1 AND NOT listed");
    /// $1 context, $2 position. The default context stays.
    UNLIST_CONTEXT: sqlite("UPDATE context SET listed = false, position = $2 WHERE name = $1 AND listed AND name <> '.'");
    /// $1 context → a row while it holds a version.
    CONTEXT_IN_USE: sqlite(
        "SELECT v.version FROM context c JOIN subject_version v ON v.context_id = c.id WHERE c.name = $1 LIMIT 1"
    );
    /// $1 id of a context, $2 subject → id, revision.
    FIND_SUBJECT: sqlite("SELECT id, revision FROM subject WHERE context_id = $1 AND name = $2");
    /// $1 id of a context, $2 subject, $3 revision, $4 position → id.
    INSERT_SUBJECT: sqlite(
        "INSERT INTO subject (context_id, name, revision, position) VALUES ($1, $2, $3, $4) RETURNING id"
    );
    /// $1 id of a subject, $2 revision, $3 position.
    RAISE_REVISION: sqlite("UPDATE subject SET revision = $2, position = $3 WHERE id = $1");
    /// $1 context, $2 subject, $3 version → deleted.
    FIND_VERSION: sqlite(
        "SELECT v.deleted FROM context c JOIN subject s ON s.context_id = c.id \
         JOIN subject_version v ON v.subject_id = s.id WHERE c.name = $1 AND s.name = $2 AND v.version = $3"
    );
    /// $1 id of a context, $2 guid, $3 schema_type, $4 text, $5 reference_list, $6 metadata, $7 rule_set → id, whether
    /// it holds just this content.
    FIND_BY_GUID: sqlite(
        "SELECT id, schema_type = $3 AND text = $4 AND reference_list IS $5 AND metadata IS $6 AND rule_set IS $7 \
         FROM content WHERE context_id = $1 AND guid = $2 AND is_current"
    );
    /// $1 id of a context, $2 id, $3 schema_type, $4 text, $5 reference_list, $6 metadata, $7 rule_set → id, whether
    /// it holds just this content.
    FIND_BY_ID: sqlite(
        "SELECT id, schema_type = $3 AND text = $4 AND reference_list IS $5 AND metadata IS $6 AND rule_set IS $7 \
         FROM content WHERE context_id = $1 AND id = $2"
    );
    /// $1 id of a context → the next id in it.
    NEXT_ID: sqlite("UPDATE context SET last_id = last_id + 1 WHERE id = $1 RETURNING last_id");
    /// $1 id of a context, $2 id that later ones must be above.
    RAISE_ID: sqlite("UPDATE context SET last_id = max(last_id, $2) WHERE id = $1");
    /// $1 id of a context, $2 id, $3 guid, $4 schema_type, $5 text, $6 reference_list, $7 metadata, $8 rule_set. Not
    /// current yet: MAKE_CURRENT follows.
    INSERT_CONTENT: sqlite(
        "INSERT INTO content (context_id, id, guid, is_current, schema_type, text, reference_list, metadata, rule_set) \
         VALUES ($1, $2, $3, false, $4, $5, $6, $7, $8)"
    );
    /// $1 id of a context, $2 guid, $3 id: the hash stands for no other id.
    CLEAR_CURRENT: sqlite(
        "UPDATE content SET is_current = false WHERE context_id = $1 AND guid = $2 AND is_current AND id <> $3"
    );
    /// $1 id of a context, $2 id: the hash stands for this one.
    MAKE_CURRENT: sqlite("UPDATE content SET is_current = true WHERE context_id = $1 AND id = $2 AND NOT is_current");
    /// $1 id of a subject, $2 version → schema_id.
    VERSION_SCHEMA: sqlite("SELECT schema_id FROM subject_version WHERE subject_id = $1 AND version = $2");
    /// $1 id of a subject, $2 version, $3 id of its context, $4 schema_id, $5 revision, $6 ts. Replaces.
    PUT_VERSION: sqlite(
        "INSERT INTO subject_version (subject_id, version, context_id, schema_id, written, ts) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (subject_id, version) DO UPDATE \
         SET schema_id = excluded.schema_id, deleted = false, written = excluded.written, ts = excluded.ts"
    );
    /// $1 id of a subject, $2 version.
    CLEAR_USES: sqlite("DELETE FROM reference_use WHERE subject_id = $1 AND version = $2");
    /// $1 id of a subject, $2 version, $3 id of the target, $4 its version.
    INSERT_USE: sqlite(
        "INSERT INTO reference_use (subject_id, version, target_id, target_version) VALUES ($1, $2, $3, $4) \
         ON CONFLICT DO NOTHING"
    );
    /// $1 id of a subject, $2 version, $3 schema_id.
    TOMBSTONE: sqlite(
        "DELETE FROM subject_version AS v WHERE v.subject_id = $1 AND v.version < $2 AND v.schema_id = $3 AND v.deleted \
         AND NOT EXISTS (SELECT 1 FROM reference_use r WHERE r.target_id = $1 AND r.target_version = v.version)"
    );
    /// $1 id of a subject, $2 JSON array of versions, $3 whether soft-deleted referrers count → the lowest version that
    /// something outside the set refers to.
    REFERENCED: sqlite(
        "SELECT min(r.target_version) FROM reference_use r \
         JOIN subject_version v ON v.subject_id = r.subject_id AND v.version = r.version \
         WHERE r.target_id = $1 AND r.target_version IN (SELECT value FROM json_each($2)) \
         AND NOT (r.subject_id = $1 AND r.version IN (SELECT value FROM json_each($2))) AND ($3 OR NOT v.deleted)"
    );
    /// $1 id of a subject, $2 JSON array of versions → schema_id of each.
    REMOVE_VERSIONS: sqlite(
        "DELETE FROM subject_version WHERE subject_id = $1 AND version IN (SELECT value FROM json_each($2)) \
         RETURNING schema_id"
    );
    /// $1 id of a subject, $2 JSON array of versions, $3 revision.
    SOFT_DELETE: sqlite(
        "UPDATE subject_version SET deleted = true, written = $3 \
         WHERE subject_id = $1 AND version IN (SELECT value FROM json_each($2)) AND NOT deleted"
    );
    /// $1 id of a context, $2 JSON array of ids → guid, is_current of those that no version uses any more.
    DROP_UNUSED: sqlite(
        "DELETE FROM content AS k WHERE k.context_id = $1 AND k.id IN (SELECT value FROM json_each($2)) AND NOT EXISTS \
         (SELECT 1 FROM subject_version v WHERE v.context_id = $1 AND v.schema_id = k.id) RETURNING guid, is_current"
    );
    /// $1 id of a context, $2 guid: another id of the same content takes over the hash.
    PROMOTE: sqlite(
        "UPDATE content SET is_current = true WHERE context_id = $1 \
         AND id = (SELECT max(id) FROM content WHERE context_id = $1 AND guid = $2)"
    );
    /// $1 id of a subject → a row while it has versions.
    ANY_VERSION: sqlite("SELECT version FROM subject_version WHERE subject_id = $1 LIMIT 1");
    /// $1 context, $2 subject, $3 position.
    CLEAR_SETTINGS: sqlite(
        "UPDATE settings SET config = NULL, mode = NULL, revision = revision + 1, position = $3 \
         WHERE kind = 2 AND context = $1 AND name = $2 AND (config IS NOT NULL OR mode IS NOT NULL)"
    );
    /// $1 context, $2 subject → a row if it has a strong association.
    STRONG_ASSOCIATION: sqlite(
        "SELECT 1 FROM context c JOIN subject s ON s.context_id = c.id JOIN association a ON a.subject_id = s.id \
         WHERE c.name = $1 AND s.name = $2 AND a.lifecycle = 'STRONG'"
    );
    /// $1 resource_id, $2 resource_type → guid.
    RESOURCE_GUIDS: sqlite("SELECT guid FROM association WHERE resource_id = $1 AND resource_type = $2");
    /// $1 resource_name, $2 resource_namespace, $3 resource_type, $4 association_type → a row if there is one.
    SAME_NAME: sqlite(
        "SELECT 1 FROM association \
         WHERE resource_name = $1 AND resource_namespace = $2 AND resource_type = $3 AND association_type = $4"
    );
    /// $1 id of a subject → a row if another subject refers to it.
    REFERENCED_BY_OTHERS: sqlite("SELECT 1 FROM reference_use WHERE target_id = $1 AND subject_id <> $1 LIMIT 1");
    /// $1 guid.
    REMOVE_ASSOCIATION: sqlite("DELETE FROM association WHERE guid = $1");
    /// $1 guid, $2 id of a subject, $3 resource_type, $4 resource_id, $5 resource_namespace, $6 resource_name,
    /// $7 association_type, $8 lifecycle, $9 create_ts, $10 update_ts.
    ADD_ASSOCIATION: sqlite(
        "INSERT INTO association (guid, subject_id, resource_type, resource_id, resource_namespace, resource_name, \
         association_type, lifecycle, create_ts, update_ts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    );
    /// $1 kind, $2 context, $3 subject, $4 whether to set config, $5 config, $6 whether to set mode, $7 mode, $8 position
    /// → revision.
    PUT_SETTINGS: sqlite(
        "INSERT INTO settings (kind, context, name, config, mode, revision, position) \
         VALUES ($1, $2, $3, $5, $7, 1, $8) ON CONFLICT (kind, context, name) DO UPDATE SET \
         config = CASE WHEN $4 THEN excluded.config ELSE config END, \
         mode = CASE WHEN $6 THEN excluded.mode ELSE mode END, \
         revision = revision + 1, position = excluded.position RETURNING revision"
    );
}

/// The statement that lists these subjects.
pub(crate) fn subjects(contexts: &Contexts, view: View) -> &'static Statement {
    match (contexts, view) {
        (Contexts::All, View::Live) => &SUBJECTS_LIVE,
        (Contexts::All, View::WithDeleted) => &SUBJECTS_WITH_DELETED,
        (Contexts::All, View::DeletedOnly) => &SUBJECTS_DELETED_ONLY,
        (Contexts::One(_), View::Live) => &CONTEXT_SUBJECTS_LIVE,
        (Contexts::One(_), View::WithDeleted) => &CONTEXT_SUBJECTS_WITH_DELETED,
        (Contexts::One(_), View::DeletedOnly) => &CONTEXT_SUBJECTS_DELETED_ONLY,
    }
}

/// The statement that lists these subjects with their versions.
pub(crate) fn subject_states(contexts: &Contexts, view: View) -> &'static Statement {
    match (contexts, view) {
        (Contexts::All, View::Live) => &SUBJECT_STATES_LIVE,
        (Contexts::All, View::WithDeleted) => &SUBJECT_STATES_WITH_DELETED,
        (Contexts::All, View::DeletedOnly) => &SUBJECT_STATES_DELETED_ONLY,
        (Contexts::One(_), View::Live) => &CONTEXT_SUBJECT_STATES_LIVE,
        (Contexts::One(_), View::WithDeleted) => &CONTEXT_SUBJECT_STATES_WITH_DELETED,
        (Contexts::One(_), View::DeletedOnly) => &CONTEXT_SUBJECT_STATES_DELETED_ONLY,
    }
}

/// The statement that lists the configs of these subjects.
pub(crate) fn subject_configs(contexts: &Contexts) -> &'static Statement {
    match contexts {
        Contexts::All => &SUBJECT_CONFIGS,
        Contexts::One(_) => &CONTEXT_SUBJECT_CONFIGS,
    }
}

/// The statement that lists the associations of these subjects.
pub(crate) fn associations(contexts: &Contexts) -> &'static Statement {
    match contexts {
        Contexts::All => &ASSOCIATIONS,
        Contexts::One(_) => &CONTEXT_ASSOCIATIONS,
    }
}

/// The statement that lists the associations of one resource: by its id, else by its name.
pub(crate) fn associations_of_resource(of: &AssociationsOf) -> &'static Statement {
    match of {
        AssociationsOf::ResourceId(_) => &ASSOCIATIONS_OF_RESOURCE_ID,
        _ => &ASSOCIATIONS_OF_RESOURCE_NAME,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_has_its_own_name_and_a_text() {
        let mut names: Vec<&str> = ALL.iter().map(|statement| statement.name).collect();
        names.sort_unstable();
        let before = names.len();
        names.dedup();
        assert_eq!(names.len(), before);
        assert!(ALL.iter().all(|statement| !(statement.postgres.is_empty() && statement.sqlite.is_empty())));
    }
}
