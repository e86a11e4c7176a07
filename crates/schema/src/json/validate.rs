//! Data held against a schema: the `jsonschema` crate, with the schema's references and nothing from outside.
//!
//! A [`Validator`] is compiled once per schema and shared. Drafts up to 7 are as strict about `integer` as the
//! reference: `1.0` is none. Patterns are capped in size and in steps back; data nests at most 128 levels; schemas
//! that look at the same data over and over end at a cap of their own (`budget`).
//!
//! A refusal reads `#/path: what`, in the reference's words where they say more than a class name.
//!
//! Source: everit-json-schema 1.14 `ValidatingVisitor`; recordings `jsonschema-invalid-data`, `jsonschema-kinds`.

use std::borrow::Cow;
use std::collections::HashSet;
use std::error::Error;
use std::sync::Arc;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Keyword, PatternOptions, Retrieve, Uri, ValidationError};
use serde_json::{Map, Value};

use super::budget::{self, Spent};
use super::defaults::Defaults;
use super::load::Draft;
use super::schema::JsonSchema;
use crate::payload::json::deduplicated;
use crate::{InvalidSchema, Mismatch};

/// Bytes of a compiled pattern.
const MAX_PATTERN: usize = 1024 * 1024;
/// Bytes of all patterns of a schema, in equal shares.
const MAX_PATTERNS: usize = 64 * MAX_PATTERN;
/// Steps back of one match.
const MAX_BACKTRACKS: usize = 100_000;
/// Errors that are counted.
const MAX_ERRORS: usize = 1_000;
/// Characters of a refusal.
const MAX_REFUSAL: usize = 500;
/// Schemas that branch, looked at to say yes or no: a tenth of a second.
const MAX_STEPS: usize = 1_000_000;
/// As many more for each byte of data: lists may be long.
const MAX_STEPS_PER_BYTE: usize = 4;
/// The same, to say what does not fit, for little data and for much. Each may leave an error behind, so this bounds
/// memory.
const MIN_STEPS_EXPLAINING: usize = 20_000;
const MAX_STEPS_EXPLAINING: usize = 400_000;

/// A compiled schema.
#[derive(Debug)]
pub struct Validator {
    compiled: jsonschema::Validator,
    defaults: Option<Defaults>,
}

impl Validator {
    /// Whether `json`, one JSON text, fits the schema; what does not, and where. An object with one name twice fits
    /// none: which of the two counts is up to the reader.
    pub fn check(&self, json: &[u8]) -> Result<(), Mismatch> {
        let data = read(json)?;
        if repeats_names(json, &data) {
            return Err(Mismatch("#: an object has one name twice".to_owned()));
        }
        self.fits(json, &data)
    }

    /// Appends `json` if it fits the schema, as it stands, but for two things that the reference does to it: of members
    /// of one name the last is left, and properties that it leaves out get their defaults.
    pub fn encode(&self, json: &[u8], out: &mut Vec<u8>) -> Result<(), Mismatch> {
        let data = read(json)?;
        self.fits(json, &data)?;
        let mut json = Cow::Borrowed(json);
        if repeats_names(&json, &data)
            && let Some(last) = deduplicated(&json)
        {
            json = Cow::Owned(last);
        }
        match self.defaults.as_ref().map(|defaults| defaults.added(&json)).transpose()?.flatten() {
            Some(more) => out.extend_from_slice(&more),
            None => out.extend_from_slice(&json),
        }
        Ok(())
    }

    fn fits(&self, json: &[u8], data: &Value) -> Result<(), Mismatch> {
        let steps = MAX_STEPS + MAX_STEPS_PER_BYTE * json.len();
        match budget::spend_at_most(steps, || self.compiled.is_valid(data)) {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(Spent) => return Err(Mismatch(format!("#: whether it fits takes more than {steps} steps to say"))),
        }
        let explain = || refusals(self.compiled.iter_errors(data)).map_or(Ok(()), |text| Err(Mismatch(text)));
        let too_much = |Spent| Err(Mismatch("#: does not fit; where takes too long to say".to_owned()));
        let steps = MAX_STEPS_EXPLAINING.min(MIN_STEPS_EXPLAINING + json.len());
        budget::spend_at_most(steps, explain).unwrap_or_else(too_much)
    }
}

fn read(json: &[u8]) -> Result<Value, Mismatch> {
    serde_json::from_slice(json).map_err(|error| Mismatch(format!("#: not JSON: {error}")))
}

/// Whether an object of the text has a name twice; `data` is what was read of it, with the last of each name.
fn repeats_names(json: &[u8], data: &Value) -> bool {
    colons(json) != members(data)
}

/// Colons outside of texts: as many as there are members.
fn colons(json: &[u8]) -> usize {
    let (mut rest, mut count, mut in_text) = (json, 0, false);
    while let Some(at) = memchr::memchr3(b'"', b'\\', b':', rest) {
        let mut skipped = at + 1;
        match rest[at] {
            b'"' => in_text = !in_text,
            b'\\' => skipped += 1,
            _ => count += usize::from(!in_text),
        }
        rest = rest.get(skipped..).unwrap_or_default();
    }
    count
}

fn members(data: &Value) -> usize {
    match data {
        Value::Object(object) => object.len() + object.values().map(members).sum::<usize>(),
        Value::Array(items) => items.iter().map(members).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Compiles a schema with its references.
pub(super) fn compile(schema: &JsonSchema) -> Result<Validator, InvalidSchema> {
    let not_usable = |error: &dyn std::fmt::Display| InvalidSchema::Semantics(format!("Invalid JSON schema: {error}"));
    let root = document(schema.canonical_text()).map_err(|error| not_usable(&error))?;
    let draft = Draft::of_root(schema.value());
    let defaults = if draft <= Draft::Seven { Defaults::of(&root) } else { None };
    let read = |resolved: &crate::ResolvedReference| Some((resolved.name.to_string(), document(&resolved.text).ok()?));
    let references = References {
        base: root.get("$id").or_else(|| root.get("id")).and_then(Value::as_str).map(str::to_owned),
        documents: schema.resolved_references().iter().filter_map(read).collect(),
    };
    let share = MAX_PATTERNS / distinct_patterns(references.documents.iter().map(|(_, value)| value).chain([&root]));
    let patterns = PatternOptions::fancy_regex().backtrack_limit(MAX_BACKTRACKS).size_limit(share.min(MAX_PATTERN));
    let mut options = jsonschema::options()
        .with_draft(match draft {
            Draft::Four => jsonschema::Draft::Draft4,
            Draft::Six => jsonschema::Draft::Draft6,
            Draft::Seven => jsonschema::Draft::Draft7,
            Draft::Y2019 => jsonschema::Draft::Draft201909,
            Draft::Y2020 => jsonschema::Draft::Draft202012,
        })
        .with_retriever(references)
        .with_pattern_options(patterns)
        .should_validate_formats(draft <= Draft::Seven);
    if draft <= Draft::Seven {
        options = options.with_keyword("type", |_, words, _| Ok(Box::new(Types::of(words))));
    }
    options = options.with_keyword(budget::STEP, |_, _, _| Ok(Box::new(budget::Step)));
    let compiled = options.build(&root);
    compiled.map(|compiled| Validator { compiled, defaults }).map_err(|error| not_usable(&refusal(&error)))
}

/// A text as the validator takes it: a `$schema` that it does not know would be looked for.
fn document(text: &str) -> Result<Value, serde_json::Error> {
    let mut value: Value = serde_json::from_str(text)?;
    if let Some(members) = value.as_object_mut() {
        let known =
            |name: &str| ["draft-04", "draft-06", "draft-07", "2019-09", "2020-12"].iter().any(|d| name.contains(d));
        let is_ours = |name: &str| name.contains("://json-schema.org/") && known(name);
        if members.get("$schema").is_some_and(|name| !name.as_str().is_some_and(is_ours)) {
            members.remove("$schema");
        }
    }
    bridge(&mut value);
    budget::count_steps(&mut value);
    Ok(value)
}

/// Puts what stands in `definitions` alone into `$defs`, too, as the loader has it.
fn bridge(document: &mut Value) {
    let Some(members) = document.as_object_mut() else { return };
    let Some(Value::Object(definitions)) = members.get("definitions").cloned() else { return };
    if let Value::Object(defs) = members.entry("$defs").or_insert_with(|| Value::Object(Map::new())) {
        for (name, definition) in definitions {
            defs.entry(name).or_insert(definition);
        }
    }
}

/// How many patterns there are, at least one.
fn distinct_patterns<'a>(documents: impl Iterator<Item = &'a Value>) -> usize {
    let mut patterns: HashSet<&str> = HashSet::new();
    let mut open: Vec<&Value> = documents.collect();
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                patterns.extend(members.get("pattern").and_then(Value::as_str));
                let named = members.get("patternProperties").and_then(Value::as_object);
                patterns.extend(named.into_iter().flat_map(|named| named.keys().map(String::as_str)));
                open.extend(members.values());
            }
            Value::Array(items) => open.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    patterns.len().max(1)
}

/// The referenced texts, by name.
struct References {
    base: Option<String>,
    documents: Vec<(String, Value)>,
}

impl Retrieve for References {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn Error + Send + Sync>> {
        let uri = uri.as_str();
        // A name is absolute, or relative to the root or to whatever document refers to it.
        let folder = |base: &str| base.rfind('/').map(|at| base[..=at].to_owned()).unwrap_or_default();
        let is_it = |name: &str| {
            let plain = name.trim_start_matches("./");
            let from_root = self.base.as_deref().map(|base| format!("{}{plain}", folder(base)));
            uri == name || from_root.as_deref() == Some(uri)
        };
        let ends_so =
            |name: &str| uri.ends_with(&format!("/{}", name.trim_start_matches("./").trim_start_matches('/')));
        let exact = self.documents.iter().find(|(name, _)| is_it(name));
        let found = exact.or_else(|| self.documents.iter().find(|(name, _)| ends_so(name)));
        found.map(|(_, document)| document.clone()).ok_or_else(|| format!("nothing is known under {uri}").into())
    }
}

/// `type`, up to draft 7: a number with a point or an exponent is no integer.
struct Types(Arc<[String]>);

impl Types {
    fn of(words: &Value) -> Types {
        let words = match words {
            Value::Array(words) => words.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            word => word.as_str().map(str::to_owned).into_iter().collect(),
        };
        Types(words)
    }

    fn fits(word: &str, data: &Value) -> bool {
        match (word, data) {
            ("string", Value::String(_))
            | ("boolean", Value::Bool(_))
            | ("null", Value::Null)
            | ("array", Value::Array(_))
            | ("object", Value::Object(_))
            | ("number", Value::Number(_)) => true,
            // Past 64 bits digits have become a double; so big a double has no fraction.
            ("integer", Value::Number(number)) => {
                !number.is_f64() || number.as_f64().is_some_and(|number| number.abs() >= u64::MAX as f64)
            }
            _ => false,
        }
    }
}

impl<'i> Keyword<'i> for Types {
    fn validate(&self, data: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.is_valid(data) {
            return Ok(());
        }
        let wanted = match &*self.0 {
            [word] => format!("expected type: {}, found: {}", named(word), found(data)),
            words => format!("#: no subschema matched out of the total {} subschemas", words.len()),
        };
        Err(ValidationError::custom(wanted))
    }

    fn is_valid(&self, data: &'i Value) -> bool {
        self.0.iter().any(|word| Types::fits(word, data))
    }
}

fn named(word: &str) -> &'static str {
    match word {
        "string" => "String",
        "integer" => "Integer",
        "number" => "Number",
        "boolean" => "Boolean",
        "array" => "JSONArray",
        "object" => "JSONObject",
        _ => "Null",
    }
}

fn found(data: &Value) -> &'static str {
    match data {
        Value::Null => "null",
        Value::Bool(_) => "Boolean",
        Value::Number(number) if number.is_f64() => "Double",
        Value::Number(_) => "Integer",
        Value::String(_) => "String",
        Value::Array(_) => "JSONArray",
        Value::Object(_) => "JSONObject",
    }
}

/// One line for all that is wrong: what and where, if it is one thing; else how many there are, at the place that holds
/// them all. `None` if nothing is wrong.
fn refusals<'i>(errors: impl Iterator<Item = ValidationError<'i>>) -> Option<String> {
    let mut errors = errors.take(MAX_ERRORS);
    let first = errors.next()?;
    let mut place = first.instance_path().as_str().to_owned();
    let (mut failures, mut violations) = (reported(&first), violations_of(&first));
    for error in errors {
        let path = error.instance_path().as_str();
        while !path.strip_prefix(&*place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            place.truncate(place.rfind('/').unwrap_or(0));
        }
        failures += reported(&error);
        violations += violations_of(&error);
    }
    Some(if failures == 1 { refusal(&first) } else { format!("#{place}: {violations} schema violations found") })
}

/// How many failures the reference makes of an error.
fn reported(error: &ValidationError<'_>) -> usize {
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected.len(),
        _ => 1,
    }
}

/// How many it counts in it: those of all alternatives.
fn violations_of(error: &ValidationError<'_>) -> usize {
    match error.kind() {
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            context.iter().flatten().map(violations_of).sum()
        }
        _ => reported(error),
    }
}

/// One line: where, then what.
fn refusal(error: &ValidationError<'_>) -> String {
    use ValidationErrorKind as Kind;
    let data = error.instance();
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let length = || data.as_str().map_or(0, |text| text.chars().count());
    let items = || data.as_array().map_or(0, Vec::len);
    let names = || data.as_object().map_or(0, serde_json::Map::len);
    let what = match error.kind() {
        Kind::Required { property } if error.schema_path().as_str().contains("/dependencies") => {
            format!("property [{}] is required", plain(property))
        }
        Kind::Required { property } => format!("required key [{}] not found", plain(property)),
        Kind::AdditionalProperties { unexpected } => {
            format!("extraneous key [{}] is not permitted", unexpected.join("], ["))
        }
        Kind::FalseSchema => "false schema always fails".to_owned(),
        Kind::Enum { .. } => format!("{} is not a valid enum value", plain(data)),
        Kind::Pattern { pattern } => format!("string [{}] does not match pattern {pattern}", plain(data)),
        Kind::MaxLength { limit } => format!("expected maxLength: {limit}, actual: {}", length()),
        Kind::MinLength { limit } => format!("expected minLength: {limit}, actual: {}", length()),
        Kind::Minimum { limit } => format!("{data} is not greater or equal to {limit}"),
        Kind::Maximum { limit } => format!("{data} is not less or equal to {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("{data} is not greater than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("{data} is not less than {limit}"),
        Kind::MinItems { limit } => format!("expected minimum item count: {limit}, found: {}", items()),
        Kind::MaxItems { limit } => format!("expected maximum item count: {limit}, found: {}", items()),
        Kind::AdditionalItems { limit } => format!("expected: [{limit}] array items, found: [{}]", items()),
        Kind::UniqueItems => "array items are not unique".to_owned(),
        Kind::Contains => "expected at least one array item to match 'contains' schema".to_owned(),
        Kind::MinProperties { limit } => format!("minimum size: [{limit}], found: [{}]", names()),
        Kind::MaxProperties { limit } => format!("maximum size: [{limit}], found: [{}]", names()),
        Kind::Constant { .. } => String::new(),
        Kind::Not { schema } => format!("subject must not be valid against schema {schema}"),
        Kind::PropertyNames { error: inner } => {
            // The name stands at the end of the path, as a value would.
            let name = inner.instance().as_str().unwrap_or_default().replace('~', "~0").replace('/', "~1");
            let inner = refusal(inner);
            return format!("#{}/{name}{}", error.instance_path(), inner.strip_prefix('#').unwrap_or(&inner));
        }
        Kind::Format { format } => format!("[{}] is not a valid {}", plain(data), format_words(format)),
        Kind::OneOfMultipleValid { context } => {
            let matching = context.iter().filter(|errors| errors.is_empty()).count();
            format!("#: {matching} subschemas matched instead of one")
        }
        Kind::OneOfNotValid { .. } => "#: 0 subschemas matched instead of one".to_owned(),
        Kind::AnyOf { context } => format!("#: no subschema matched out of the total {} subschemas", context.len()),
        // A null inside is an object of its own class.
        Kind::Custom { message, .. } if !error.instance_path().as_str().is_empty() => {
            message.strip_suffix("null").map_or_else(|| message.clone(), |start| format!("{start}Null"))
        }
        Kind::Custom { message, .. } => message.clone(),
        _ => error.to_string(),
    };
    let whole = format!("#{}: {what}", error.instance_path());
    let line = whole.lines().next().unwrap_or_default();
    match line.char_indices().nth(MAX_REFUSAL) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// What a text of a format should have been.
fn format_words(format: &str) -> &str {
    match format {
        "email" => "email address",
        "ipv4" => "ipv4 address",
        "ipv6" => "ipv6 address",
        "uri" => "URI",
        "uri-reference" => "URI reference",
        "uri-template" => "URI template",
        "regex" => "regular expression",
        "json-pointer" => "JSON pointer",
        "relative-json-pointer" => "relative JSON Pointer",
        "date" => "date. Expected [yyyy-MM-dd]",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reference, ResolvedReference};

    fn schema(text: &str, documents: &[(&str, &str)]) -> JsonSchema {
        let resolved = documents.iter().map(|(name, text)| ResolvedReference {
            name: (*name).into(),
            subject: "s".into(),
            version: 1,
            text: (*text).into(),
            references: Arc::from(Vec::<Reference>::new()),
        });
        JsonSchema::parse(text, [].into(), resolved.collect()).unwrap()
    }

    fn check(text: &str, data: &str) -> Result<(), String> {
        schema(text, &[]).validator().unwrap().check(data.as_bytes()).map_err(|mismatch| mismatch.to_string())
    }

    #[test]
    fn data_fits_or_is_told_where_it_does_not() {
        let person = r#"{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer","minimum":0}},"required":["name"],"additionalProperties":false}"#;
        let fails = |what: &str| Err(what.to_owned());
        for (schema, data, expected) in [
            (person, r#"{"name":"x","age":3}"#, Ok(())),
            (person, r#"{"age":1}"#, fails("#: required key [name] not found")),
            (person, r#"{"name":1}"#, fails("#/name: expected type: String, found: Integer")),
            (person, r#"{"name":"x","age":-1}"#, fails("#/age: -1 is not greater or equal to 0")),
            (person, r#"{"name":"x","age":1.5}"#, fails("#/age: expected type: Integer, found: Double")),
            (person, r#"{"name":"x","age":1.0}"#, fails("#/age: expected type: Integer, found: Double")),
            (person, r#"{"name":"x","other":1}"#, fails("#: extraneous key [other] is not permitted")),
            (person, "[]", fails("#: expected type: JSONObject, found: JSONArray")),
            (person, "null", fails("#: expected type: JSONObject, found: null")),
            (r#"{"type":"integer"}"#, "123456789012345678901234567890", Ok(())),
            (r#"{"type":"string","maxLength":2}"#, r#""abc""#, fails("#: expected maxLength: 2, actual: 3")),
            (
                r#"{"type":"array","items":{"type":"integer"}}"#,
                r#"[1,"x"]"#,
                fails("#/1: expected type: Integer, found: String"),
            ),
            (r#"{"type":["string","null"]}"#, "null", Ok(())),
            (r#"{"enum":["a","b"]}"#, r#""c""#, fails("#: c is not a valid enum value")),
            (
                r#"{"oneOf":[{"type":"string"},{"type":"integer"}]}"#,
                "true",
                fails("#: #: 0 subschemas matched instead of one"),
            ),
            (person, r#"{"name":null}"#, fails("#/name: expected type: String, found: Null")),
            (person, r#"{"age":-1,"x":1,"y":2}"#, fails("#: 4 schema violations found")),
            (
                r#"{"properties":{"a":{"required":["x","y"],"properties":{"z":{"type":"string"}}}}}"#,
                r#"{"a":{"z":1}}"#,
                fails("#/a: 3 schema violations found"),
            ),
            (r#"{"minItems":2,"uniqueItems":true}"#, "[1]", fails("#: expected minimum item count: 2, found: 1")),
            (r#"{"maxItems":1}"#, "[1,1]", fails("#: expected maximum item count: 1, found: 2")),
            (r#"{"uniqueItems":true}"#, "[1,1]", fails("#: array items are not unique")),
            (r#"{"items":[{}],"additionalItems":false}"#, "[1,2]", fails("#: expected: [1] array items, found: [2]")),
            (r#"{"minProperties":1}"#, "{}", fails("#: minimum size: [1], found: [0]")),
            (r#"{"dependencies":{"a":["b"]}}"#, r#"{"a":1}"#, fails("#: property [b] is required")),
            (r#"{"propertyNames":{"pattern":"^a"}}"#, r#"{"b":1}"#, fails("#/b: string [b] does not match pattern ^a")),
            (r#"{"const":1}"#, "2", fails("#: ")),
            (
                r#"{"not":{"type":"string"}}"#,
                r#""a""#,
                fails(r#"#: subject must not be valid against schema {"type":"string"}"#),
            ),
            (
                r#"{"oneOf":[{"type":"integer"},{"minimum":2},{"maximum":1}]}"#,
                "3",
                fails("#: #: 2 subschemas matched instead of one"),
            ),
            (r#"{"type":["string","null"]}"#, "1", fails("#: #: no subschema matched out of the total 2 subschemas")),
            (
                r#"{"type":"string","format":"date"}"#,
                r#""not a date""#,
                fails("#: [not a date] is not a valid date. Expected [yyyy-MM-dd]"),
            ),
            ("true", "1", Ok(())),
            ("false", "1", fails("#: false schema always fails")),
            (r#"{"pattern":"^a","type":"string"}"#, r#""b""#, fails("#: string [b] does not match pattern ^a")),
            (
                r##"{"properties":{"a":{"$ref":"#/definitions/n"}},"definitions":{"n":{"type":"integer"}}}"##,
                r#"{"a":"x"}"#,
                fails("#/a: expected type: Integer, found: String"),
            ),
            (r#"{"$schema":"http://corpus.invalid/mine","type":"integer"}"#, "1", Ok(())),
            // Newer drafts count 1.0 as an integer.
            (r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"integer"}"#, "1.0", Ok(())),
        ] {
            assert_eq!(check(schema, data), expected, "{schema} {data}");
        }
        assert!(check(r#"{"type":"string","format":"date"}"#, r#""not a date""#).is_err());
        assert!(check("{}", "{").unwrap_err().starts_with("#: not JSON: "));
        assert!(check("{}", &"[".repeat(1000)).is_err());
    }

    #[test]
    fn of_members_of_one_name_the_last_is_written_and_a_payload_has_none() {
        let schema = schema(r#"{"properties":{"a":{"type":"integer"}}}"#, &[]);
        let validator = schema.validator().unwrap();
        let written = |json: &str| {
            let mut out = Vec::new();
            validator.encode(json.as_bytes(), &mut out).map(|()| String::from_utf8(out).unwrap()).ok()
        };
        let plain = r#" {"a" : 1.0e0, "b": "\":{\"b\":1,\\", "c":[{"b":null},{"b":":"}]} "#;
        assert_eq!(written(plain), None, "1.0 is no integer");
        let plain = plain.replace("1.0e0", "1");
        assert_eq!(written(&plain).as_deref(), Some(&*plain), "as it stands");
        assert_eq!(validator.check(plain.as_bytes()), Ok(()));
        let twice = r#"{"a":"x","b":[{"c":1,"\u0063":2}],"a":1}"#;
        assert_eq!(written(twice).as_deref(), Some(r#"{"a":1,"b":[{"\u0063":2}]}"#));
        assert_eq!(written(r#"{"a":1,"a":"x"}"#), None);
        let refused = validator.check(twice.as_bytes()).unwrap_err();
        assert_eq!(refused.to_string(), "#: an object has one name twice");
    }

    #[test]
    fn what_fits_gets_its_defaults_which_a_required_property_has_no_use_for() {
        let written = |schema: &str, json: &str| {
            let mut out = Vec::new();
            let schema = self::schema(schema, &[]);
            let done = schema.validator().unwrap().encode(json.as_bytes(), &mut out);
            done.map(|()| String::from_utf8(out).unwrap()).map_err(|mismatch| mismatch.to_string())
        };
        let older = r#"{"type":"object","properties":{"a":{"type":"integer","default":3},"b":{"default":1,"type":"string"}},"required":["a"]}"#;
        assert_eq!(written(older, "{}").unwrap_err(), "#: required key [a] not found");
        assert_eq!(
            written(older, r#"{"a":1}"#).as_deref(),
            Ok(r#"{"a":1,"b":1}"#),
            "a default is not held against anything"
        );
        assert!(written(older, r#"{"a":1,"b":null}"#).is_err(), "null is a value");
        let newer = older.replacen('{', r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","#, 1);
        assert_eq!(written(&newer, r#"{"a":1}"#).as_deref(), Ok(r#"{"a":1}"#));
    }

    #[test]
    fn references_lead_into_the_texts_at_hand_and_nowhere_else() {
        let dep = r#"{"type":"object","properties":{"n":{"$ref":"other.json#/definitions/n"}}}"#;
        let other = r#"{"definitions":{"n":{"type":"integer"}}}"#;
        for (text, name) in [
            (r#"{"properties":{"d":{"$ref":"dep.json"}}}"#, "dep.json"),
            (r#"{"$id":"http://h/main.json","properties":{"d":{"$ref":"dep.json"}}}"#, "dep.json"),
            (r#"{"$id":"http://h/main.json","properties":{"d":{"$ref":"dep.json"}}}"#, "http://h/dep.json"),
            (r#"{"properties":{"d":{"$ref":"http://h/dep.json"}}}"#, "http://h/dep.json"),
            (
                r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","properties":{"d":{"$ref":"dep.json"}}}"#,
                "dep.json",
            ),
        ] {
            let schema = schema(text, &[("other.json", other), (name, dep)]);
            let validator = schema.validator().unwrap();
            assert_eq!(validator.check(br#"{"d":{"n":1}}"#), Ok(()), "{text}");
            assert!(validator.check(br#"{"d":{"n":"x"}}"#).unwrap_err().to_string().starts_with("#/d/n: "), "{text}");
        }
        assert!(schema(r#"{"$ref":"http://127.0.0.1:1/x.json"}"#, &[]).validator().is_err());
        let recursive =
            schema(r##"{"type":"object","properties":{"next":{"$ref":"#"}},"additionalProperties":false}"##, &[]);
        assert_eq!(recursive.validator().unwrap().check(br#"{"next":{"next":{}}}"#), Ok(()));
        assert!(recursive.validator().unwrap().check(br#"{"next":{"next":1}}"#).is_err());
    }

    /// `d0` leads to `d1` twice by `way`, that to `d2` twice, and so on: 2^60 ways through to `end`.
    fn doubling(root: &str, way: impl Fn(&str) -> String, end: &str) -> String {
        let link = |n: usize| {
            let next = format!("{{\"$ref\":\"#/definitions/d{}\"}}", n + 1);
            format!("\"d{n}\":{}", way(&next))
        };
        let links: Vec<String> = (0..60).map(link).collect();
        format!("{{{root}\"$ref\":\"#/definitions/d0\",\"definitions\":{{{},\"d60\":{end}}}}}", links.join(","))
    }

    #[test]
    fn schemas_with_more_ways_through_than_can_be_gone_are_given_up() {
        let newer = "\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",";
        let twice = |keyword: &'static str| move |next: &str| format!("{{\"{keyword}\":[{next},{next}]}}");
        let under = |next: &str| format!("{{\"patternProperties\":{{\"a\":{next},\"a|b\":{next}}}}}");
        let either = |next: &str| {
            let part = format!("{{\"properties\":{{\"a\":{next}}}}}");
            format!("{{\"anyOf\":[{part},{part}]}}")
        };
        let nested = "{\"a\":".repeat(60) + "1" + &"}".repeat(60);
        let nested = nested.as_str();
        let (not_string, no, fits) = ("{\"type\":\"string\"}", "false", "true");
        for root in ["", newer] {
            for (schema, data) in [
                (doubling(root, twice("anyOf"), not_string), "1"),
                (doubling(root, twice("anyOf"), no), "1"),
                (doubling(root, twice("oneOf"), no), "1"),
                (doubling(root, twice("allOf"), fits), "1"),
                (doubling(root, |next| format!("{{\"if\":{next},\"then\":{next}}}"), fits), "1"),
                (doubling(root, |next| format!("{{\"not\":{{\"anyOf\":[{next},{next}]}}}}"), no), "1"),
                (
                    doubling(root, |next| format!("{{\"allOf\":[{next}],\"dependencies\":{{\"a\":{next}}}}}"), fits),
                    "{\"a\":1}",
                ),
                (doubling(root, under, fits), nested),
                (doubling(root, either, not_string), nested),
            ] {
                // Without a budget this would not end. Where the first way through settles it, it is settled.
                if let Err(said) = check(&schema, data) {
                    assert!(said.starts_with("#: whether it fits takes more than "), "{said}");
                }
            }
        }
    }

    #[test]
    fn what_is_settled_by_the_first_alternative_is_settled_and_reasons_may_be_too_many_to_say() {
        let fits = doubling("", |next| format!("{{\"anyOf\":[{next},{next}]}}"), "true");
        assert_eq!(check(&fits, "1"), Ok(()));
        // The first of each pair says no at once; only who asks for all reasons goes on.
        let parts = |next: &str| format!("{{\"anyOf\":[{{\"allOf\":[false,{next},{next}]}},false]}}");
        let reasons = doubling("", parts, "false");
        assert_eq!(check(&reasons, "1"), Err("#: does not fit; where takes too long to say".to_owned()));
    }

    #[test]
    fn long_lists_of_small_alternatives_are_checked_to_their_end() {
        let schema = r#"{"items":{"anyOf":[{"type":"string"},{"type":"null"},{"type":"integer"}]}}"#;
        let list = |last: &str| format!("[{}{last}]", "1,".repeat(100_000));
        assert_eq!(check(schema, &list("2")), Ok(()));
        let refused = check(schema, &list("true")).unwrap_err();
        assert_eq!(refused, "#/100000: #: no subschema matched out of the total 3 subschemas");
    }

    #[test]
    fn counting_changes_neither_pointers_nor_what_data_is_compared_with() {
        let schema = r##"{"properties":{"a":{"const":{"anyOf":[1]}},"allOf":{"enum":[{"not":{}}]},"c":{"$ref":"#/properties/d/allOf/0"},"d":{"allOf":[{"type":"integer"}]}}}"##;
        assert_eq!(check(schema, r#"{"a":{"anyOf":[1]},"allOf":{"not":{}},"c":1,"d":2}"#), Ok(()));
        assert!(check(schema, r#"{"a":{"anyOf":[1],"allOf":[]}}"#).is_err());
        assert!(check(schema, r#"{"c":"x"}"#).is_err());
        // An empty list stays refused where the draft refuses it.
        assert!(self::schema(r#"{"allOf":[]}"#, &[]).validator().is_err());
    }

    #[test]
    fn many_patterns_share_what_one_may_take() {
        let with = |count: usize, pattern: fn(usize) -> String| {
            let named: Vec<String> = (0..count).map(|n| format!("\"{}\":{{}}", pattern(n))).collect();
            schema(&format!("{{\"patternProperties\":{{{}}}}}", named.join(",")), &[])
        };
        let big = |n: usize| format!("^[^x]{{{}}}$", 500 + n);
        assert_eq!(with(3, big).validator().unwrap().check(b"{\"a\":1}"), Ok(()));
        assert!(with(5_000, big).validator().is_err());
        assert_eq!(with(5_000, |n| format!("^a{n}_")).validator().unwrap().check(b"{\"a1_\":1}"), Ok(()));
    }

    #[test]
    fn patterns_that_run_away_are_stopped() {
        let text = r#"{"type":"string","pattern":"^(?=(a+)+$)b"}"#;
        assert!(check(text, &format!("\"{}c\"", "a".repeat(40))).is_err());
    }
}
