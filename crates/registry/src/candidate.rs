//! A request's schema, read: parsed, canonical, with its references found and its contract merged.
//!
//! Between request and decision. [`Candidate`] knows its own hash and whether a stored version is "the same schema"
//! (`canLookup` of the reference): equal but for `confluent:version`. That is decided by hashes alone, so stored texts
//! need not be read; only where a format has texts that differ and are found all the same (Avro) are they compared.
//!
//! Source: schema-registry `AbstractSchemaRegistry#canonicalizeSchema`, `ParsedSchema#canLookup`, 8.2.0.

use std::sync::Arc;

use sluice_schema::{
    Guid, InvalidSchema, Reference, ResolvedReference, Schema, SchemaType, TagEdit, ValidateFields, Version,
};

use crate::contract::{self, Contract, Prefix};
use crate::load::Subject;
use crate::resolve::{Resolution, invalid};
use crate::store::{RequireLive, VersionRow};
use crate::{
    Action, AskedReference, Caller, Content, Error, Include, Metadata, Normalize, Registry, Resource, SchemaRequest,
    SubjectName,
};

/// Most versions that are compared with a schema whose text none of them has.
const MOST_COMPARED: usize = 1_000;

/// How a request's text is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// Bring it into normal form.
    pub(crate) normalize: Normalize,
    /// Check it as a new schema; `None` reads it as one that may be stored already.
    pub(crate) validate: Option<ValidateFields>,
    /// Whether references must be live.
    pub(crate) live: RequireLive,
}

/// What a schema weighed when that many of its parts were made, see [`Schema::parts_made`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Weight {
    pub(crate) bytes: usize,
    parts_made: u8,
}

impl Weight {
    pub(crate) fn of(schema: &Schema) -> Weight {
        // In this order: what is made meanwhile is weighed once too often rather than never.
        let parts_made = schema.parts_made();
        Weight { parts_made, bytes: schema.weight_bytes() }
    }

    pub(crate) fn holds_for(self, schema: &Schema) -> bool {
        self.parts_made == schema.parts_made()
    }
}

/// A parsed schema, with what is asked of every one found out where it was parsed: each takes as long as its text is.
#[derive(Debug, Clone)]
pub(crate) struct ParsedSchema {
    pub(crate) schema: Arc<Schema>,
    pub(crate) weight: Weight,
    prefix: Prefix,
    has_lookalikes: bool,
}

impl ParsedSchema {
    pub(crate) fn new(schema: Schema) -> ParsedSchema {
        ParsedSchema {
            weight: Weight::of(&schema),
            prefix: Prefix::new(schema.canonical_text(), schema.references()),
            has_lookalikes: schema.has_lookalikes(),
            schema: Arc::new(schema),
        }
    }

    /// [`Schema::parse`]
    pub(crate) fn parse(
        schema_type: SchemaType,
        text: &str,
        references: Arc<[Reference]>,
        resolved: Arc<[ResolvedReference]>,
    ) -> Result<ParsedSchema, InvalidSchema> {
        Schema::parse(schema_type, text, references, resolved).map(ParsedSchema::new)
    }
}

/// A text that was read.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) schema_type: SchemaType,
    pub(crate) parsed: ParsedSchema,
    pub(crate) resolution: Resolution,
}

/// Where a candidate was found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) row: VersionRow,
    /// By its hash. Otherwise by comparison: answers then show `ts` and `deleted`.
    pub(crate) by_hash: bool,
}

impl Found {
    /// The version of this number, if it is live and holds the same: an import may have given one content several.
    pub(crate) fn numbered(self, subject: &Subject, number: i32) -> Option<Found> {
        if self.row.version.0 == number {
            return Some(self);
        }
        let row = subject.version(Version(number)).filter(|row| !row.deleted)?;
        let is_same = row.id == self.row.id && row.guid == self.row.guid;
        is_same.then(|| Found { row: row.clone(), by_hash: false })
    }
}

/// Which versions a candidate is looked for in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Among {
    /// All versions of the view.
    Versions(Include),
    /// Only the latest live one.
    Latest,
}

/// Whether a request has a text at all. Blanks, and what Java's `trim` takes for blanks, are none.
pub(crate) fn has_text(request: &SchemaRequest) -> bool {
    request.schema.as_deref().is_some_and(|text| text.chars().any(|c| c > ' '))
}

/// The type that a request names; absent means AVRO.
pub(crate) fn type_of(request: &SchemaRequest) -> Result<SchemaType, Error> {
    let word = request.schema_type.as_deref().unwrap_or("AVRO");
    SchemaType::from_wire(word)
        .ok_or_else(|| Error::InvalidSchema { outline: None, cause: InvalidSchema::UnknownType(word.to_owned()) })
}

impl Candidate {
    /// The hash with this contract.
    pub(crate) fn guid(&self, contract: &Contract) -> Guid {
        self.parsed.prefix.guid(contract.metadata.as_ref(), contract.rule_set.as_ref())
    }

    /// The schema.
    pub(crate) fn schema(&self) -> &Arc<Schema> {
        &self.parsed.schema
    }

    /// What would be stored.
    pub(crate) fn content(&self, contract: Contract) -> Content {
        let guid = self.guid(&contract);
        Content {
            schema_type: self.schema_type,
            text: self.schema().canonical_text().clone(),
            references: self.schema().references().clone(),
            metadata: contract.metadata.map(Arc::new),
            rule_set: contract.rule_set.map(Arc::new),
            guid,
        }
    }

    /// The version of the subject that holds this schema with this contract.
    pub(crate) async fn find(
        &self,
        registry: &Registry,
        subject: &Subject,
        contract: &Contract,
        among: Among,
    ) -> Result<Option<Found>, Error> {
        match self.find_by_hash(subject, contract, among) {
            None if self.parsed.has_lookalikes => self.find_lookalike(registry, subject, contract, among).await,
            found => Ok(found),
        }
    }

    /// The newest version that holds another text of this schema with this contract.
    async fn find_lookalike(
        &self,
        registry: &Registry,
        subject: &Subject,
        contract: &Contract,
        among: Among,
    ) -> Result<Option<Found>, Error> {
        let rows = subject.state.versions.iter().rev();
        let rows: Vec<&VersionRow> = match among {
            Among::Latest => subject.latest().into_iter().collect(),
            Among::Versions(include) => {
                rows.filter(|row| include == Include::Deleted || !row.deleted).take(MOST_COMPARED).collect()
            }
        };
        for row in rows {
            let content = registry.content_of(&subject.name, row).await?;
            if content.schema_type != self.schema_type || content.text.trim().is_empty() {
                continue;
            }
            // With the same references, only the order of things differs.
            let is_rearranged = content.text.len() == self.schema().canonical_text().len();
            if !is_rearranged && content.references == *self.schema().references() {
                continue;
            }
            let stored = Prefix::new(&content.text, &content.references);
            let has_contract = stored.guid(contract.metadata.as_ref(), contract.rule_set.as_ref()) == row.guid
                || is_same_but_for_version(&stored, contract, row);
            if !has_contract {
                continue;
            }
            let schema = match registry.load_schema(subject.name.context(), row.id, &content).await {
                Ok(schema) => schema,
                Err(Error::InvalidSchema { .. }) => continue,
                Err(error) => return Err(error),
            };
            let (own, size) = (self.schema().clone(), content.text.len());
            if registry.off_thread(size, move || own.finds(&schema)).await? {
                return Ok(Some(Found { row: row.clone(), by_hash: false }));
            }
        }
        Ok(None)
    }

    fn find_by_hash(&self, subject: &Subject, contract: &Contract, among: Among) -> Option<Found> {
        let prefix = &self.parsed.prefix;
        let guid = prefix.guid(contract.metadata.as_ref(), contract.rule_set.as_ref());
        match among {
            Among::Latest => {
                let row = subject.latest()?;
                let same = row.guid == guid || is_same_but_for_version(prefix, contract, row);
                same.then(|| Found { row: row.clone(), by_hash: false })
            }
            Among::Versions(include) => {
                let newest_first = subject.state.versions.iter().rev();
                let visible = newest_first.filter(|row| include == Include::Deleted || !row.deleted);
                if let Some(row) = visible.clone().find(|row| row.guid == guid) {
                    return Some(Found { row: row.clone(), by_hash: true });
                }
                let mut visible = visible;
                let row = visible.find(|row| is_same_but_for_version(prefix, contract, row))?;
                Some(Found { row: row.clone(), by_hash: false })
            }
        }
    }
}

/// Whether the row's hash is that of this schema, `confluent:version` added (as the row's number) or taken away.
fn is_same_but_for_version(prefix: &Prefix, contract: &Contract, row: &VersionRow) -> bool {
    let rules = contract.rule_set.as_ref();
    let is = |metadata: Option<&Metadata>| prefix.guid(metadata, rules) == row.guid;
    match contract::version_property(contract.metadata.as_ref()) {
        None => is(Some(&contract::with_version_property(contract.metadata.as_ref(), row.version))),
        Some(_) => {
            let bare = contract::without_version_property(contract.metadata.as_ref());
            is(bare.as_ref()) || (bare == Some(Metadata::default()) && is(None))
        }
    }
}

/// Reads the text of one request, as often as a decision is taken again; what was parsed once is not parsed again.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    parsed: Option<Parsed>,
}

#[derive(Debug)]
struct Parsed {
    text: Arc<str>,
    resolution: Resolution,
    schema: ParsedSchema,
    normal: Option<ParsedSchema>,
    validated: Option<ValidateFields>,
}

impl Reader {
    /// Reads a request's text for a subject; `None` if it has none.
    pub(crate) async fn read(
        &mut self,
        registry: &Registry,
        caller: &Caller,
        subject: &SubjectName,
        request: &SchemaRequest,
        reading: Reading,
    ) -> Result<Option<Candidate>, Error> {
        if !has_text(request) {
            return Ok(None);
        }
        let schema_type = type_of(request)?;
        if !SchemaType::SUPPORTED.contains(&schema_type) {
            let cause = InvalidSchema::UnknownType(schema_type.wire().to_owned());
            return Err(Error::InvalidSchema { outline: None, cause });
        }
        let text = request.schema.as_deref().unwrap_or_default();
        let unread = |error| unread(subject, request, schema_type, error);
        let longest = registry.inner.config.max_schema_bytes;
        if text.len() > longest {
            let cause = InvalidSchema::TooComplex(format!("the text is longer than {longest} bytes"));
            return Err(unread(invalid(schema_type, cause)));
        }
        let references = request.references.iter().map(AskedReference::whole).collect::<Result<Vec<_>, _>>();
        let references = references.map_err(|text| unread(invalid(schema_type, InvalidSchema::Semantics(text))))?;
        for reference in &references {
            let target = SubjectName::parse_in(subject.context(), &reference.subject);
            caller.check(Action::Read, &Resource::Subject(&target))?;
        }
        let resolution = registry.resolve(subject.context(), schema_type, &references, reading.live).await;
        let resolution = resolution.map_err(unread)?;
        let size = text.len() + resolution.resolved.iter().map(|r| r.text.len()).sum::<usize>();

        let known = self.parsed.take().filter(|parsed| {
            &*parsed.text == text
                && parsed.schema.schema.schema_type() == schema_type
                && parsed.resolution.references == resolution.references
                && parsed.resolution.through == resolution.through
        });
        let parsed = match known {
            Some(parsed) => parsed,
            None => {
                let text: Arc<str> = text.into();
                let (references, resolved) = (resolution.references.clone(), resolution.resolved.clone());
                let work = {
                    let text = text.clone();
                    move || ParsedSchema::parse(schema_type, &text, references, resolved)
                };
                let schema =
                    registry.off_thread(size, work).await?.map_err(|cause| unread(invalid(schema_type, cause)))?;
                registry.inner.counts.parsed.add(1);
                Parsed { text, resolution, schema, normal: None, validated: None }
            }
        };
        let parsed = self.parsed.insert(parsed);
        let refuse = |cause| unread(Error::InvalidSchema { outline: Some(outline(subject, request)), cause });
        if let Some(fields) = reading.validate
            && parsed.validated != Some(fields)
        {
            let schema = parsed.schema.schema.clone();
            let validate = move || schema.validate(fields).map(|()| Weight::of(&schema));
            parsed.schema.weight = registry.off_thread(size, validate).await?.map_err(refuse)?;
            parsed.validated = Some(fields);
        }
        if reading.normalize == Normalize::Yes && parsed.normal.is_none() {
            let schema = parsed.schema.schema.clone();
            let normalize = move || schema.normalize().map(ParsedSchema::new);
            parsed.normal = Some(registry.off_thread(size, normalize).await?.map_err(refuse)?);
        }
        let read = match (&parsed.normal, reading.normalize) {
            (Some(normal), Normalize::Yes) => normal.clone(),
            _ => parsed.schema.clone(),
        };
        Ok(Some(Candidate { schema_type, parsed: read, resolution: parsed.resolution.clone() }))
    }
}

impl Candidate {
    /// The candidate with tags put on and taken off.
    pub(crate) async fn tagged(self, registry: &Registry, edit: &TagEdit) -> Result<Candidate, Error> {
        let (schema, edit) = (self.schema().clone(), edit.clone());
        let size = schema.canonical_text().len();
        let edited = registry.off_thread(size, move || schema.edit_tags(&edit).map(ParsedSchema::new)).await?;
        let parsed = edited.map_err(|cause| Error::InvalidSchema { outline: None, cause })?;
        Ok(Candidate { parsed, ..self })
    }

    /// The candidate with the tags of another schema on those types and fields that it has too.
    pub(crate) async fn with_tags_of(mut self, registry: &Registry, other: Arc<Schema>) -> Result<Candidate, Error> {
        let schema = self.schema().clone();
        let size = schema.canonical_text().len() + other.canonical_text().len();
        let tagged = registry.off_thread(size, move || schema.with_tags_of(&other).map(ParsedSchema::new)).await?;
        if let Some(parsed) = tagged {
            self.parsed = parsed;
        }
        Ok(self)
    }
}

/// The error of a text that cannot be read. Avro's quotes the request.
pub(crate) fn unread(subject: &SubjectName, request: &SchemaRequest, schema_type: SchemaType, error: Error) -> Error {
    match error {
        Error::InvalidSchema { cause, .. } if schema_type == SchemaType::Avro => {
            let id = if request.id.is_some_and(|id| id >= 0) { "0" } else { "null" };
            let outlined = print_request(subject, request, "null", id);
            let references = print_references(&request.references);
            let outline =
                format!("of type AVRO, details: Invalid schema {outlined} with refs [{references}] of type AVRO");
            Error::InvalidSchema { outline: Some(outline), cause }
        }
        other => other,
    }
}

fn print_references(references: &[AskedReference]) -> String {
    references.iter().map(AskedReference::to_string).collect::<Vec<_>>().join(", ")
}

/// The request as the reference prints it inside the message of 42201.
fn outline(subject: &SubjectName, request: &SchemaRequest) -> String {
    let (version, id) = (request.version.unwrap_or(0), request.id.unwrap_or(-1));
    print_request(subject, request, &version.to_string(), &id.to_string())
}

fn print_request(subject: &SubjectName, request: &SchemaRequest, version: &str, id: &str) -> String {
    let text = request.schema.as_deref().unwrap_or_default();
    let hash = contract::guid_of_request(request);
    format!(
        "{{subject={subject},version={version},id={id},guid={hash},schemaType={},references=[{}],metadata={},ruleSet={},\
         schema={text},schemaTags=null,ts=null,deleted=null}}",
        request.schema_type.as_deref().unwrap_or("AVRO"),
        print_references(&request.references),
        request.metadata.as_ref().map_or_else(|| "null".to_owned(), contract::print_metadata),
        request.rule_set.as_ref().map_or_else(|| "null".to_owned(), contract::print_rules),
    )
}
