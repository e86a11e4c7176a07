//! Which schema a side is encoded or checked under: asks the registry, applies the topic's rules.
//!
//! Asked at most once per stream, schema and second (`intake.rs` remembers); the registry's caches answer what any
//! stream has asked before. With rules (a declared topic that enforces), the subject is the topic's and a miss is the
//! gate's refusal; without, everything goes as in the reference and a miss has the reference's text. An inline schema
//! must be compatible either way: registering decides, and nothing reaches Kafka before.
//!
//! Source: rest-proxy.md §2.4, §2.5; docs/decisions.md, "Strict, precisely".

use std::sync::Arc;

use sluice_registry::store::StoreError;
use sluice_registry::{Caller, ContextName, Error as RegistryError, Registry, SubjectName, UsableSchema, VersionSpec};
use sluice_schema::wire::FramedId;
use sluice_schema::{InvalidSchema, Schema, SchemaId, SchemaType, Version};

use crate::error::{GateError, RecordError, SchemaError, format_of, reason};
use crate::record::{SchemaChoice, Side, Strategy, SubjectChoice};
use crate::route::{RouteTable, SideRules};
use crate::usable::Usable;

/// What is asked, owned: it outlives the record that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Query {
    /// A schema to encode JSON under.
    Encode(SchemaChoice<'static>, SubjectChoice<'static>),
    /// The schema that raw bytes name.
    Framed(FramedId),
}

/// Everything an answer depends on besides the query.
pub(crate) struct Resolver<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) caller: &'a Caller,
    pub(crate) topic: &'a str,
    pub(crate) side: Side,
    /// Rules of a declared topic, if they are enforced.
    pub(crate) rules: Option<&'a SideRules>,
    /// All that is declared: another topic may own the subject that a record names.
    pub(crate) routes: &'a RouteTable,
}

impl Resolver<'_> {
    pub(crate) async fn answer(&self, query: &Query) -> Result<Arc<Usable>, RecordError> {
        match query {
            Query::Encode(schema, subject) => match schema {
                SchemaChoice::Text(language, text) => self.by_text(*language, text, subject).await,
                SchemaChoice::Id(id) => self.by_id(SchemaId(*id), subject).await,
                SchemaChoice::Version(version) => self.by_version(*version, subject).await,
                SchemaChoice::Latest => self.latest(subject).await,
            },
            Query::Framed(id) => self.framed(*id).await,
        }
    }

    async fn by_text(
        &self,
        language: SchemaType,
        text: &str,
        choice: &SubjectChoice<'_>,
    ) -> Result<Arc<Usable>, RecordError> {
        self.check_language(language)?;
        let subject = match choice {
            SubjectChoice::Strategy(strategy @ (Strategy::RecordName | Strategy::TopicRecordName)) => {
                let parsed = Schema::parse(language, text, Arc::from([]), Arc::from([]))
                    .map_err(|cause| parse_error(language, text, &cause))?;
                self.subject_by_record(*strategy, &parsed)?
            }
            _ => self.subject_without_schema(choice)?,
        };
        let target = self.stands_for(&subject).await?;
        if text.trim().is_empty() || subject.qualified().is_empty() {
            return Err(unregistrable(language, text.trim(), &subject));
        }
        let auto_register = self.rules.is_none_or(|rules| rules.auto_register) && !self.routes.closes(&target);
        let found = self.registry.usable_by_text(self.caller, &target, language, text, auto_register).await;
        let found = found.map_err(|error| self.text_error(language, text, &subject, &error))?;
        self.usable(found, &subject, None)
    }

    async fn by_id(&self, id: SchemaId, choice: &SubjectChoice<'_>) -> Result<Arc<Usable>, RecordError> {
        let context = match (choice, self.rules) {
            (SubjectChoice::Named(name), _) => SubjectName::parse(name).context().clone(),
            (_, Some(rules)) => SubjectName::parse(&rules.subject).context().clone(),
            _ => ContextName::default_context(),
        };
        let found = self.registry.usable_by_id(&context, id).await.map_err(|error| {
            let template = SchemaError::ById { id: id.0 };
            self.miss(&error, template, |gate| gate.unregistered(format!("no schema has the id {id}")))
        })?;
        let subject = match choice {
            SubjectChoice::Strategy(strategy @ (Strategy::RecordName | Strategy::TopicRecordName)) => {
                self.subject_by_record(*strategy, &found.schema)?
            }
            _ => self.subject_without_schema(choice)?,
        };
        let target = self.stands_for(&subject).await?;
        self.under(found, &subject, &target).await
    }

    /// The schema, if a live version of `target` is it; `subject` is what that is called here.
    async fn under(
        &self,
        found: UsableSchema,
        subject: &SubjectName,
        target: &SubjectName,
    ) -> Result<Arc<Usable>, RecordError> {
        let id = found.id;
        let version = match self.registry.version_of(target, id).await {
            Ok(version) => version,
            Err(error) if is_missing(&error) => None,
            Err(error) => return Err(self.unanswered(&error, || self.version_of(subject, &found.schema))),
        };
        match (version, self.gate()) {
            (Some(version), _) => self.usable(found, subject, Some(version)),
            (None, Some(gate)) => {
                Err(gate.foreign(format!("the schema with id {id} is not registered under subject {subject}")).into())
            }
            (None, None) => Err(self.version_of(subject, &found.schema).into()),
        }
    }

    fn version_of(&self, subject: &SubjectName, schema: &Schema) -> SchemaError {
        SchemaError::VersionOf { subject: subject.qualified(), schema: schema.canonical_text().to_string() }
    }

    async fn by_version(&self, version: i32, choice: &SubjectChoice<'_>) -> Result<Arc<Usable>, RecordError> {
        let subject = self.subject_without_schema(choice)?;
        let target = self.stands_for(&subject).await?;
        let template = || SchemaError::ByVersion { subject: subject.qualified(), version };
        let missing = |gate: Gate<'_>| gate.unregistered(format!("subject {subject} has no version {version}"));
        let spec = match version {
            -1 => VersionSpec::Latest,
            number if number > 0 => VersionSpec::Number(number),
            _ => return Err(self.gate().map_or_else(|| template().into(), |gate| missing(gate).into())),
        };
        let found = self.registry.usable_by_version(self.caller, &target, spec).await;
        // The reference reports the subject that the registry names, which here alone is the alias's target.
        self.usable(found.map_err(|error| self.miss(&error, template(), missing))?, &target, None)
    }

    async fn latest(&self, choice: &SubjectChoice<'_>) -> Result<Arc<Usable>, RecordError> {
        let subject = self.subject_without_schema(choice)?;
        let target = self.stands_for(&subject).await?;
        let found = self.registry.usable_by_version(self.caller, &target, VersionSpec::Latest).await;
        let found = found.map_err(|error| {
            let template = SchemaError::Latest { subject: subject.qualified() };
            self.miss(&error, template, |gate| gate.unregistered(format!("subject {subject} has no version")))
        })?;
        self.usable(found, &subject, None)
    }

    /// The schema that raw bytes name. Only asked where rules are enforced.
    async fn framed(&self, id: FramedId) -> Result<Arc<Usable>, RecordError> {
        let Some((rules, gate)) = self.rules.zip(self.gate()) else {
            return Err(SchemaError::NotUsable { reason: "no rules".to_owned() }.into());
        };
        let subject = SubjectName::parse(&rules.subject);
        let unknown = |gate: Gate<'_>| match id {
            FramedId::Id(id) => gate.unregistered(format!("no schema has the id {id}")),
            FramedId::Guid(guid) => gate.unregistered(format!("no schema has the GUID {guid}")),
        };
        let template = |id: i32| SchemaError::ById { id };
        let id = match id {
            FramedId::Id(id) => id,
            FramedId::Guid(guid) => {
                let known = self.registry.ids_of_guid(self.caller, guid).await;
                let known = known.map_err(|error| self.miss(&error, template(0), unknown))?;
                let here = known.into_iter().find(|(context, _)| context == subject.context());
                here.map(|(_, id)| id).ok_or_else(|| unknown(gate))?
            }
        };
        let found = self.registry.usable_by_id(subject.context(), id).await;
        let found = found.map_err(|error| self.miss(&error, template(id.0), unknown))?;
        self.under(found, &subject, &subject).await
    }

    /// The subject where no schema is needed to name it.
    fn subject_without_schema(&self, choice: &SubjectChoice<'_>) -> Result<SubjectName, RecordError> {
        match (choice, self.rules) {
            (SubjectChoice::Named(name), _) => Ok(SubjectName::parse(name)),
            (SubjectChoice::Default, Some(rules)) => Ok(SubjectName::parse(&rules.subject)),
            (SubjectChoice::Default | SubjectChoice::Strategy(Strategy::TopicName), _) => {
                Ok(SubjectName::parse(&format!("{}-{}", self.topic, self.side.word())))
            }
            (SubjectChoice::Strategy(strategy), _) => Err(SchemaError::NeedsSchema { strategy: *strategy }.into()),
        }
    }

    fn subject_by_record(&self, strategy: Strategy, schema: &Schema) -> Result<SubjectName, RecordError> {
        let record = schema.record_name().ok_or(SchemaError::NotARecord { side: self.side, strategy })?;
        Ok(SubjectName::parse(&match strategy {
            Strategy::RecordName => record.to_owned(),
            Strategy::TopicRecordName | Strategy::TopicName => format!("{}-{record}", self.topic),
        }))
    }

    fn gate(&self) -> Option<Gate<'_>> {
        self.rules.map(|_| Gate { topic: self.topic, side: self.side })
    }

    /// The subject that `named` stands for in the registry: itself, or what it is an alias of. The subject of a file
    /// stands for itself: no alias leads around it.
    async fn stands_for(&self, named: &SubjectName) -> Result<SubjectName, RecordError> {
        let own = self.rules.map(|rules| SubjectName::parse(&rules.subject));
        if own.as_ref() == Some(named) {
            return Ok(named.clone());
        }
        let target = self.registry.resolve_alias(named).await.map_err(|error| unverifiable(&error))?;
        match own.zip(self.gate()) {
            Some((own, gate)) if own != target => {
                Err(gate.foreign(format!("its subject is {own}, not {target}")).into())
            }
            _ => Ok(target),
        }
    }

    fn check_language(&self, language: SchemaType) -> Result<(), RecordError> {
        match self.rules.zip(self.gate()) {
            Some((rules, gate)) => match rules.format {
                Some(wanted) if wanted != language => {
                    Err(gate.type_not_allowed(format!("it takes {wanted} schemas, not {language}")).into())
                }
                _ => Ok(()),
            },
            None => Ok(()),
        }
    }

    fn usable(
        &self,
        found: UsableSchema,
        subject: &SubjectName,
        version: Option<Version>,
    ) -> Result<Arc<Usable>, RecordError> {
        let UsableSchema { id, subject: at, schema } = found;
        self.check_language(schema.schema_type())?;
        let subject = subject.qualified();
        let version = version
            .or(at.map(|(_, version)| version))
            .ok_or_else(|| SchemaError::NotUsable { reason: format!("schema {id} has no version") })?;
        let wanted = self.rules.and_then(|rules| rules.message.as_deref()).zip(self.gate());
        Ok(Arc::new(Usable::new((subject, version), id, schema, wanted)?))
    }

    /// A look-up that found nothing: the gate's refusal, or the reference's template; anything else is not a miss.
    fn miss(
        &self,
        error: &RegistryError,
        template: SchemaError,
        refusal: impl FnOnce(Gate<'_>) -> GateError,
    ) -> RecordError {
        if !is_missing(error) {
            return self.unanswered(error, || template);
        }
        self.gate().map_or_else(|| template.into(), |gate| refusal(gate).into())
    }

    /// The registry refused or failed for a reason that is not a miss.
    fn unanswered(&self, error: &RegistryError, template: impl FnOnce() -> SchemaError) -> RecordError {
        match error {
            RegistryError::Forbidden => SchemaError::Forbidden { what: template().to_string() }.into(),
            RegistryError::Store(_) | RegistryError::Contention(_) => unverifiable(error),
            _ => template().into(),
        }
    }

    fn text_error(
        &self,
        language: SchemaType,
        text: &str,
        subject: &SubjectName,
        error: &RegistryError,
    ) -> RecordError {
        if let RegistryError::InvalidSchema { cause, .. } = error
            && is_unparsable(language, cause)
        {
            return parse_error(language, text, cause);
        }
        if let Some(gate) = self.gate() {
            let hint = match error {
                RegistryError::Incompatible { details, .. } => Some(details.hint.clone()),
                RegistryError::IncompatibleMessages { .. } => Some(None),
                _ => None,
            };
            if let Some(hint) = hint {
                return gate.incompatible(reason(error), hint).into();
            }
            if is_missing(error) {
                return gate.unregistered(format!("the schema is not registered under subject {subject}")).into();
            }
        }
        let canonical = Schema::parse(language, text, Arc::from([]), Arc::from([]));
        let schema = canonical.map_or_else(|_| text.to_owned(), |schema| schema.canonical_text().to_string());
        self.unanswered(error, || SchemaError::Register {
            format: format_of(language),
            subject: subject.qualified(),
            schema,
            reason: reason(error),
        })
    }
}

fn is_missing(error: &RegistryError) -> bool {
    matches!(
        error,
        RegistryError::SubjectNotFound(_) | RegistryError::VersionNotFound { .. } | RegistryError::SchemaNotFound(_)
    )
}

fn unverifiable(error: &RegistryError) -> RecordError {
    let reason = match error {
        RegistryError::Store(StoreError::OutcomeUnknown { .. }) => "the registry's store broke off".to_owned(),
        other => reason(other),
    };
    SchemaError::Unverifiable { reason }.into()
}

/// Whether the parser refuses it, or only the registry would. Avro's parser also says what does not resolve; that of
/// protobuf leaves it to the registry.
fn is_unparsable(language: SchemaType, cause: &InvalidSchema) -> bool {
    language == SchemaType::Avro || matches!(cause, InvalidSchema::Syntax(_) | InvalidSchema::TooComplex(_))
}

/// The refusal of an empty schema, or of one for the subject without a name. No registry takes either, but the schema is
/// parsed first; of an empty one, only Avro's parser says anything.
fn unregistrable(language: SchemaType, text: &str, subject: &SubjectName) -> RecordError {
    let parsed = Schema::parse(language, text, Arc::from([]), Arc::from([]));
    if let Err(cause) = &parsed
        && is_unparsable(language, cause)
        && (!text.is_empty() || language == SchemaType::Avro)
    {
        return parse_error(language, text, cause);
    }
    let reason = if text.is_empty() { "Empty schema" } else { "Empty subject" }.to_owned();
    let schema = parsed.map_or_else(|_| text.to_owned(), |schema| schema.canonical_text().to_string());
    SchemaError::Register { format: format_of(language), subject: subject.qualified(), schema, reason }.into()
}

fn parse_error(language: SchemaType, text: &str, cause: &InvalidSchema) -> RecordError {
    let reason = crate::error::one_line(&cause.to_string());
    SchemaError::Parse { format: format_of(language), schema: text.to_owned(), reason }.into()
}

/// Makes refusals of one side of one topic.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gate<'a> {
    pub(crate) topic: &'a str,
    pub(crate) side: Side,
}

impl Gate<'_> {
    pub(crate) fn incompatible(self, reason: String, hint: Option<String>) -> GateError {
        GateError::Incompatible { topic: self.topic.to_owned(), side: self.side, reason, hint }
    }

    pub(crate) fn unregistered(self, reason: String) -> GateError {
        GateError::Unregistered { topic: self.topic.to_owned(), side: self.side, reason }
    }

    pub(crate) fn foreign(self, reason: String) -> GateError {
        GateError::ForeignSubject { topic: self.topic.to_owned(), side: self.side, reason }
    }

    pub(crate) fn framing(self, reason: String) -> GateError {
        GateError::Framing { topic: self.topic.to_owned(), side: self.side, reason }
    }

    pub(crate) fn undecodable(self, reason: String) -> GateError {
        GateError::Undecodable { topic: self.topic.to_owned(), side: self.side, reason }
    }

    pub(crate) fn type_not_allowed(self, reason: String) -> GateError {
        GateError::TypeNotAllowed { topic: self.topic.to_owned(), side: self.side, reason }
    }
}
