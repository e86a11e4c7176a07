//! Request bodies of this surface.
//!
//! Unknown fields are ignored. What Jackson refuses is 400, before any rule of the registry is asked.
//! Source: schema-registry `client/rest/entities/requests`, 8.2.0; recordings `bad-*`, `meta-bad`, `ref-malformed`.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use sluice_registry::{
    AskedReference, ConfigUpdate, Error, Metadata, Registry, Rule, RuleSet, SchemaRequest, TagRequest,
};
use sluice_schema::{TagEdit, TaggedEntity};

use super::error::SrError;
use crate::decode::{self, Fields, body_text, list, mismatch, no_constructor, object, text, word};
use crate::error::{HttpError, Wire};
use crate::json::Json;

const RULE_MODES: &[&str] = &["DOWNGRADE", "READ", "UPGRADE", "UPDOWN", "WRITE", "WRITEREAD"];
const RULE_KINDS: &[&str] = &["CONDITION", "TRANSFORM"];
const ENVIRONMENTS: &[&str] = &["NONE", "ALL", "SERVER", "GATEWAY", "CLIENT"];
const ENTITY_TYPES: &[&str] = &["sr_record", "sr_field"];
const POLICIES: &[&str] = &["STRICT", "LENIENT", "LOGICAL"];

/// A `RegisterSchemaRequest` from a body of any size: a big one is read beside the threads that serve.
pub(super) async fn big_schema_request(
    registry: &Registry,
    body: Bytes,
    missing: &'static str,
) -> Result<SchemaRequest, SrError> {
    registry.off_thread(body.len(), move || schema_request(&body, missing)).await?
}

/// A `RegisterSchemaRequest`. `missing` is the text of the 422 for an empty body.
pub(super) fn schema_request(body: &[u8], missing: &'static str) -> Result<SchemaRequest, SrError> {
    let body = body_text(body)?;
    let mut fields = object(&body, "RegisterSchemaRequest", missing)?;
    let request = schema_request_fields(&mut fields)?;
    fields.done();
    Ok(request)
}

/// The fields of a `RegisterSchemaRequest`.
pub(super) fn schema_request_fields(fields: &mut Fields<'_>) -> Result<SchemaRequest, HttpError> {
    Ok(SchemaRequest {
        references: fields.list("references", "SchemaReference", reference_fields)?,
        schema: fields.text("schema")?,
        schema_type: fields.text("schemaType")?,
        metadata: fields.take("metadata").map(metadata).transpose()?,
        rule_set: fields.take("ruleSet").map(rule_set).transpose()?,
        version: fields.int("version")?,
        id: fields.int("id")?,
        tags: TagEdit {
            add: fields.list("schemaTagsToAdd", "SchemaTags", schema_tags)?,
            remove: fields.list("schemaTagsToRemove", "SchemaTags", schema_tags)?,
        },
        propagate_schema_tags: fields.flag("propagateSchemaTags")?.unwrap_or(false),
    })
}

/// A `TagSchemaRequest`.
pub(super) fn tag_request(body: &[u8]) -> Result<TagRequest, SrError> {
    let body = body_text(body)?;
    let mut fields = object(&body, "TagSchemaRequest", "modifyTags.arg4 must not be null (was null)")?;
    let request = TagRequest {
        new_version: fields.int("newVersion")?,
        tags: TagEdit {
            add: fields.list("tagsToAdd", "SchemaTags", schema_tags)?,
            remove: fields.list("tagsToRemove", "SchemaTags", schema_tags)?,
        },
        metadata: fields.take("metadata").map(metadata).transpose()?,
        rule_set: fields.take("ruleSet").map(rule_set).transpose()?,
        rules_to_merge: fields.take("rulesToMerge").map(rule_set).transpose()?,
        rules_to_remove: fields.list("rulesToRemove", "String", text)?,
    };
    fields.done();
    Ok(request)
}

/// A `ConfigUpdateRequest`: absent keeps, `null` clears.
pub(super) fn config_update(body: &[u8], missing: &'static str) -> Result<ConfigUpdate, SrError> {
    let body = body_text(body)?;
    let mut fields = object(&body, "ConfigUpdateRequest", missing)?;
    let fields = &mut fields;
    Ok(ConfigUpdate {
        alias: nullable(fields, "alias", text)?,
        alias_for_deks: nullable(fields, "aliasForDeks", text)?,
        normalize: nullable(fields, "normalize", decode::flag)?.map(Option::flatten),
        validate_fields: nullable(fields, "validateFields", decode::flag)?.map(Option::flatten),
        validate_new_schemas: nullable(fields, "validateNewSchemas", decode::flag)?.map(Option::flatten),
        validate_rules: nullable(fields, "validateRules", decode::flag)?.map(Option::flatten),
        compatibility: nullable(fields, "compatibility", text)?,
        // A word nobody knows clears, as in the reference.
        compatibility_policy: nullable(fields, "compatibilityPolicy", text)?.map(|policy| {
            let policy = policy?;
            POLICIES.iter().find(|known| known.eq_ignore_ascii_case(&policy)).map(|known| (*known).to_owned())
        }),
        compatibility_group: nullable(fields, "compatibilityGroup", text)?,
        default_metadata: nullable(fields, "defaultMetadata", metadata)?,
        override_metadata: nullable(fields, "overrideMetadata", metadata)?,
        default_rule_set: nullable(fields, "defaultRuleSet", rule_set)?,
        override_rule_set: nullable(fields, "overrideRuleSet", rule_set)?,
    })
}

/// The `mode` of a `ModeUpdateRequest`, as written; `None` for `null`. A bare text is a mode too.
pub(super) fn mode_update(body: &[u8], missing: &'static str) -> Result<Option<String>, SrError> {
    let body = body_text(body)?;
    let value = decode::document(&body)?.ok_or_else(|| HttpError::Unprocessable(missing.to_owned()))?;
    if let Json::Text(mode) = value {
        return Ok(Some(mode.into_owned()));
    }
    let mut fields = Fields::of(value, "ModeUpdateRequest")?;
    match nullable(&mut fields, "mode", text)? {
        Some(mode) => Ok(mode),
        None => Err(invalid_mode()),
    }
}

/// 42204 for what names no mode.
pub(super) fn invalid_mode() -> SrError {
    Error::InvalidMode("Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD.".to_owned()).into()
}

/// Any JSON object, or nothing at all.
pub(super) fn any_object(body: &[u8]) -> Result<(), SrError> {
    if let Some(value) = decode::document(&body_text(body)?)? {
        Fields::of(value, "Map")?.done();
    }
    Ok(())
}

/// Reads a body as each request of this surface: which one, and its refusal. For tests and fuzzing: whatever the bytes,
/// a refusal is the client's to mend.
pub fn read_bodies(body: &[u8]) -> Vec<(&'static str, Option<Wire>)> {
    fn refusal<T>(read: Result<T, SrError>) -> Option<Wire> {
        read.err().map(Wire::from)
    }
    const MISSING: &str = "must not be null (was null)";
    let mut refusals = super::association::read_bodies(body, MISSING);
    refusals.extend([
        ("any object", refusal(any_object(body))),
        ("RegisterSchemaRequest", refusal(schema_request(body, MISSING))),
        ("TagSchemaRequest", refusal(tag_request(body))),
        ("ConfigUpdateRequest", refusal(config_update(body, MISSING))),
        ("ModeUpdateRequest", refusal(mode_update(body, MISSING))),
    ]);
    refusals
}

fn nullable<'a, T>(
    fields: &mut Fields<'a>,
    name: &str,
    read: impl Fn(Json<'a>) -> Result<T, HttpError>,
) -> Result<Option<Option<T>>, HttpError> {
    fields.take_nullable(name).map(|value| value.map(read).transpose()).transpose()
}

/// What is missing is the registry's to refuse, and so is a `null` among them.
fn reference_fields(value: Json<'_>) -> Result<AskedReference, HttpError> {
    if value == Json::Null {
        return Ok(AskedReference::default());
    }
    let mut fields = Fields::of(value, "SchemaReference")?;
    let reference = AskedReference {
        name: fields.text("name")?,
        subject: fields.text("subject")?,
        version: fields.int("version")?,
    };
    fields.done();
    Ok(reference)
}

fn metadata(value: Json<'_>) -> Result<Metadata, HttpError> {
    let mut fields = Fields::of(value, "Metadata")?;
    let metadata = Metadata {
        tags: map(fields.take("tags"), text_set)?,
        properties: map(fields.take("properties"), text)?,
        sensitive: fields.take("sensitive").map_or(Ok(BTreeSet::new()), text_set)?,
    };
    fields.done();
    Ok(metadata)
}

fn rule_set(value: Json<'_>) -> Result<RuleSet, HttpError> {
    let mut fields = Fields::of(value, "RuleSet")?;
    let rules = RuleSet {
        migration_rules: fields.list("migrationRules", "Rule", rule)?,
        domain_rules: fields.list("domainRules", "Rule", rule)?,
        encoding_rules: fields.list("encodingRules", "Rule", rule)?,
        enable_at: enumerated(&mut fields, "enableAt", "ExecutionEnvironment", ENVIRONMENTS)?,
    };
    fields.done();
    Ok(rules)
}

fn rule(value: Json<'_>) -> Result<Rule, HttpError> {
    let mut fields = Fields::of(value, "Rule")?;
    let rule = Rule {
        name: fields.text("name")?,
        doc: fields.text("doc")?,
        kind: enumerated(&mut fields, "kind", "RuleKind", RULE_KINDS)?,
        mode: enumerated(&mut fields, "mode", "RuleMode", RULE_MODES)?,
        type_: fields.text("type")?,
        tags: fields.take("tags").map_or(Ok(BTreeSet::new()), text_set)?,
        params: map(fields.take("params"), text)?,
        expr: fields.text("expr")?,
        on_success: fields.text("onSuccess")?,
        on_failure: fields.text("onFailure")?,
        disabled: fields.take("disabled").map(decode::primitive_flag).transpose()?.unwrap_or(false),
    };
    fields.done();
    Ok(rule)
}

fn enumerated(
    fields: &mut Fields<'_>,
    name: &str,
    entity: &str,
    known: &[&'static str],
) -> Result<Option<String>, HttpError> {
    fields.take(name).map(|value| word(value, entity, known).map(str::to_owned)).transpose()
}

fn schema_tags(value: Json<'_>) -> Result<TaggedEntity, HttpError> {
    let mut fields = Fields::of(value, "SchemaTags")?;
    let entity = fields.take("schemaEntity").unwrap_or(Json::Object(Vec::new()));
    let mut entity = Fields::of(entity, "SchemaEntity")?;
    let path = entity.text("entityPath")?;
    let entity_type = entity.take("entityType").map(|value| word(value, "EntityType", ENTITY_TYPES)).transpose()?;
    entity.done();
    let tags = fields.list("tags", "String", text)?;
    fields.done();
    let path = path.ok_or_else(|| HttpError::BadBody("Cannot construct instance of `SchemaEntity`: no path".into()))?;
    // Without a type a path names a field.
    Ok(TaggedEntity { path, is_record: entity_type == Some("sr_record"), tags })
}

/// A map; absent is empty, a `null` inside is refused by `read`.
fn map<'a, T>(
    value: Option<Json<'a>>,
    read: impl Fn(Json<'a>) -> Result<T, HttpError>,
) -> Result<BTreeMap<String, T>, HttpError> {
    match value {
        None => Ok(BTreeMap::new()),
        Some(value @ Json::Object(_)) => {
            Fields::of(value, "Map")?.rest().map(|(name, value)| Ok((name, read(value)?))).collect()
        }
        Some(other) => mismatch("String>", &other),
    }
}

fn text_set(value: Json<'_>) -> Result<BTreeSet<String>, HttpError> {
    match value {
        Json::List(_) => Ok(list(value, "String", text)?.into_iter().collect()),
        other => no_constructor("HashSet", &other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(body: &str) -> (u16, u32) {
        match schema_request(body.as_bytes(), "register.arg4 must not be null (was null)") {
            Ok(_) => (200, 0),
            Err(error) => {
                let wire = Wire::from(error);
                (wire.status.as_u16(), wire.code)
            }
        }
    }

    #[test]
    fn what_jackson_refuses_is_400_and_what_it_takes_is_coerced() {
        for (body, expected) in [
            (r#"{"schema":1,"version":"6","id":1.5,"x":[1]}"#, (200, 0)),
            (r#"{"schema":{"type":"string"}}"#, (400, 400)),
            (r#"{"schema":"s","metadata":"x"}"#, (400, 400)),
            (r#"{"schema":"s","metadata":{"properties":{"a":1,"b":true}}}"#, (200, 0)),
            (r#"{"schema":"s","metadata":{"properties":{"a":null}}}"#, (400, 400)),
            (r#"{"schema":"s","metadata":{"properties":[]}}"#, (400, 400)),
            (r#"{"schema":"s","metadata":{"tags":{"a":"x"}}}"#, (400, 400)),
            (r#"{"schema":"s","metadata":{"tags":{"a":null}}}"#, (400, 400)),
            (r#"{"schema":"s","ruleSet":{"domainRules":[{"mode":"SIDEWAYS"}]}}"#, (400, 400)),
            (r#"{"schema":"s","ruleSet":{"domainRules":[{"kind":"transform"}]}}"#, (400, 400)),
            (r#"{"schema":"s","ruleSet":{"domainRules":[{"disabled":"x"}]}}"#, (400, 400)),
            (r#"{"schema":"s","ruleSet":{"enableAt":"NEVER"}}"#, (400, 400)),
            (r#"{"schema":"s","references":{"name":"n"}}"#, (400, 400)),
            (r#"{"schema":"s","references":[[]]}"#, (400, 400)),
            (r#"{"schema":"s","references":[{"name":"n","subject":"s","version":"latest"}]}"#, (400, 400)),
            (r#"{"schema":"s","references":[{"name":"n","subject":"s","version":"1","extra":2}]}"#, (200, 0)),
            (r#"{"schema":"s","references":[{"name":"n","subject":"s"}]}"#, (200, 0)),
            (r#"{"schema":"s","references":[null]}"#, (200, 0)),
            (
                r#"{"schema":"s","schemaTagsToAdd":[{"schemaEntity":{"entityPath":"a","entityType":"SR_FIELD"}}]}"#,
                (400, 400),
            ),
            (r#"{"schema":"s","schemaTagsToAdd":[{"schemaEntity":{"entityPath":"a"},"tags":["t"]}]}"#, (200, 0)),
            (r#"{"schema":"s","schemaTagsToAdd":[{"schemaEntity":{"entityType":"sr_field"}}]}"#, (400, 400)),
            (r#"{"schema":"s","schemaTagsToAdd":[{"tags":["t"]}]}"#, (400, 400)),
            ("", (422, 422)),
            ("null", (422, 422)),
            ("{} {}", (400, 400)),
        ] {
            assert_eq!(status(body), expected, "{body}");
        }
    }

    #[test]
    fn every_request_can_be_read_from_an_object_and_none_from_half_of_one() {
        for (body, expected) in [("{}", None), ("{", Some(400)), ("[]", Some(400)), ("\u{feff}{}", None)] {
            for (request, refusal) in read_bodies(body.as_bytes()) {
                let status = refusal.map(|refusal| refusal.status.as_u16());
                // A mode must be named, and a batch holds requests.
                let needs_one = request == "ModeUpdateRequest" || request.starts_with("AssociationBatch");
                let expected = if needs_one { expected.or(Some(422)) } else { expected };
                assert_eq!(status, expected, "{request} from {body:?}");
            }
        }
    }

    #[test]
    fn absent_keeps_null_clears_and_an_unknown_policy_clears() {
        let update =
            config_update(br#"{"alias":null,"compatibilityPolicy":"lenient","normalize":"true"}"#, "m").unwrap();
        assert_eq!((update.alias, update.compatibility), (Some(None), None));
        assert_eq!(update.compatibility_policy, Some(Some("LENIENT".to_owned())));
        assert_eq!(update.normalize, Some(Some(true)));
        let update = config_update(br#"{"compatibilityPolicy":"bogus"}"#, "m").unwrap();
        assert_eq!(update.compatibility_policy, Some(None));
    }

    #[test]
    fn a_mode_may_be_a_bare_text_null_or_missing() {
        let read = |body: &str| mode_update(body.as_bytes(), "m");
        assert_eq!(read("\"READONLY\"").unwrap().as_deref(), Some("READONLY"));
        assert_eq!(read(r#"{"mode":"Import"}"#).unwrap().as_deref(), Some("Import"));
        assert_eq!(read(r#"{"mode":null}"#).unwrap(), None);
        assert_eq!(Wire::from(read("{}").unwrap_err()).code, 42204);
        assert_eq!(Wire::from(read("[]").unwrap_err()).code, 400);
    }
}
