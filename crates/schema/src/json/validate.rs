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
mod tests;
