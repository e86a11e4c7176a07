//! A registry, as its clients see it: Sluice or any other of the same API.
//!
//! One blocking agent: a command line does one thing after the other. Whoever cannot be asked (no answer, no right,
//! a failure of its own) is [`RemoteError::Unreachable`]; whoever refuses is [`RemoteError::Refused`].

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sluice_schema::compat::Policy;
use sluice_schema::{Level, Reference, SchemaType};

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Largest answer that is read.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// What cannot stand in a segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':');

/// What a registry did not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RemoteError {
    /// It said no; `error_code`, `message` and `hint` of its answer.
    Refused { code: i64, message: String, hint: Option<String> },
    /// It could not be asked, may not be asked, or failed.
    Unreachable(String),
}

/// The parts of an address that are secret, or not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Access {
    /// Value of `Authorization`.
    pub(crate) authorization: Option<String>,
}

impl Access {
    /// From `SLUICE_REGISTRY_TOKEN`, or `SLUICE_REGISTRY_USER` and `SLUICE_REGISTRY_PASSWORD`.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>) -> Access {
        let bearer = variable("SLUICE_REGISTRY_TOKEN").map(|token| format!("Bearer {token}"));
        let basic = || {
            let (user, password) = (variable("SLUICE_REGISTRY_USER")?, variable("SLUICE_REGISTRY_PASSWORD"));
            let pair = format!("{user}:{}", password.unwrap_or_default());
            Some(format!("Basic {}", base64_simd::STANDARD.encode_to_string(pair)))
        };
        Access { authorization: bearer.or_else(basic) }
    }
}

/// A schema as it is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent<'a> {
    pub(crate) schema_type: SchemaType,
    pub(crate) text: &'a str,
    pub(crate) references: &'a [Reference],
}

/// A version as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) id: Option<i64>,
    pub(crate) version: i32,
    pub(crate) schema_type: SchemaType,
    pub(crate) text: String,
    pub(crate) references: Vec<Reference>,
}

/// What the compatibility endpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) is_compatible: bool,
    pub(crate) messages: Vec<String>,
    pub(crate) hint: Option<String>,
}

/// What a subject's versions must hold to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) level: Level,
    pub(crate) policy: Policy,
    pub(crate) validate_fields: bool,
}

/// A registry to ask.
pub(crate) struct Remote {
    agent: ureq::Agent,
    base: String,
    access: Access,
    /// Before every subject: `:.context:`.
    prefix: String,
    normalize: bool,
}

impl Remote {
    /// The registry at `url`; `context` without its leading dot or with it.
    pub(crate) fn new(url: &str, access: Access, context: Option<&str>, normalize: bool) -> Remote {
        // The system's certificates; SSL_CERT_FILE and HTTPS_PROXY count as everywhere.
        let tls = ureq::tls::TlsConfig::builder()
            .provider(ureq::tls::TlsProvider::NativeTls)
            .root_certs(ureq::tls::RootCerts::PlatformVerifier)
            .build();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .user_agent(concat!("sluice/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        let prefix = context.map(|name| format!(":.{}:", name.trim_start_matches('.'))).unwrap_or_default();
        Remote { agent: config.into(), base: url.trim_end_matches('/').to_owned(), access, prefix, normalize }
    }

    /// The subject with its context, as the registry knows it.
    pub(crate) fn qualified(&self, subject: &str) -> String {
        if subject.starts_with(":.") { subject.to_owned() } else { format!("{}{subject}", self.prefix) }
    }

    /// `POST /subjects/{s}/versions`
    pub(crate) fn register(&self, subject: &str, sent: Sent<'_>) -> Result<Stored, RemoteError> {
        let path = format!("/subjects/{}/versions?normalize={}&hints=true", self.segment(subject), self.normalize);
        let answer = self.ask("POST", &path, Some(body(sent)))?;
        match answer["version"].as_i64() {
            Some(_) => Ok(stored(&answer)),
            // Registries before 8 answer the id alone.
            None => match self.look_up(subject, sent)? {
                Some(found) => Ok(found),
                None => Err(RemoteError::Unreachable("it does not find what it has just registered".to_owned())),
            },
        }
    }

    /// `POST /subjects/{s}`: the version that holds this schema.
    pub(crate) fn look_up(&self, subject: &str, sent: Sent<'_>) -> Result<Option<Stored>, RemoteError> {
        let path = format!("/subjects/{}?normalize={}", self.segment(subject), self.normalize);
        self.found(self.ask("POST", &path, Some(body(sent))))
    }

    /// `POST /compatibility/subjects/{s}/versions`: as a registration would check.
    pub(crate) fn check(&self, subject: &str, sent: Sent<'_>) -> Result<Verdict, RemoteError> {
        let segment = self.segment(subject);
        let normalize = self.normalize;
        let path = format!("/compatibility/subjects/{segment}/versions?verbose=true&normalize={normalize}&hints=true");
        let answer = self.ask("POST", &path, Some(body(sent)))?;
        let messages = answer["messages"].as_array().into_iter().flatten();
        Ok(Verdict {
            is_compatible: answer["is_compatible"].as_bool().unwrap_or(false),
            messages: messages.filter_map(|message| message.as_str().map(str::to_owned)).collect(),
            hint: answer["hint"].as_str().map(str::to_owned),
        })
    }

    /// What applies to the subject.
    pub(crate) fn rules(&self, subject: &str) -> Result<Rules, RemoteError> {
        let path = format!("/config/{}?defaultToGlobal=true", self.segment(subject));
        let answer = self.ask("GET", &path, None)?;
        let word = answer["compatibilityLevel"].as_str().unwrap_or_default();
        let level = Level::from_wire(word);
        let unknown = || RemoteError::Unreachable(format!("{word:?} is no compatibility level"));
        Ok(Rules {
            level: level.ok_or_else(unknown)?,
            policy: Policy::from_wire(answer["compatibilityPolicy"].as_str().unwrap_or_default()),
            validate_fields: answer["validateFields"].as_bool().unwrap_or(false),
        })
    }

    /// Numbers of the live versions, ascending; none of an unknown subject.
    pub(crate) fn versions(&self, subject: &str) -> Result<Vec<i32>, RemoteError> {
        match self.ask("GET", &format!("/subjects/{}/versions", self.segment(subject)), None) {
            Ok(answer) => Ok(answer.as_array().into_iter().flatten().filter_map(number).collect()),
            Err(RemoteError::Refused { code: 40401, .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// One version, soft-deleted or not: others may refer to it.
    pub(crate) fn version(&self, subject: &str, version: i32) -> Result<Option<Stored>, RemoteError> {
        let path = format!("/subjects/{}/versions/{version}?deleted=true", self.segment(subject));
        self.found(self.ask("GET", &path, None))
    }

    fn found(&self, answer: Result<Value, RemoteError>) -> Result<Option<Stored>, RemoteError> {
        match answer {
            Ok(answer) => Ok(Some(stored(&answer))),
            Err(RemoteError::Refused { code: 40401..=40403, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn segment(&self, subject: &str) -> String {
        utf8_percent_encode(&self.qualified(subject), SEGMENT).to_string()
    }

    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, RemoteError> {
        let unreachable = |cause: &dyn std::fmt::Display| RemoteError::Unreachable(format!("{}: {cause}", self.base));
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("Accept", "application/vnd.schemaregistry.v1+json, application/json");
        if let Some(authorization) = &self.access.authorization {
            request = request.header("Authorization", authorization);
        }
        let answered = match body {
            Some(body) => {
                let request = request.header("Content-Type", "application/vnd.schemaregistry.v1+json");
                let request = request.body(body.to_string()).map_err(|cause| unreachable(&cause))?;
                self.agent.run(request)
            }
            None => self.agent.run(request.body(()).map_err(|cause| unreachable(&cause))?),
        };
        let mut answer = answered.map_err(|cause| unreachable(&cause))?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(MOST_BYTES).read_to_string();
        let text = text.map_err(|cause| unreachable(&cause))?;
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        let message = value["message"].as_str().map(str::to_owned);
        match (status, message) {
            (200..=299, _) => Ok(value),
            (404 | 409 | 422, Some(message)) => Err(RemoteError::Refused {
                code: value["error_code"].as_i64().unwrap_or(i64::from(status)),
                message,
                hint: value["hint"].as_str().map(str::to_owned),
            }),
            (_, message) => Err(unreachable(&format!("{status} {}", message.unwrap_or_default()))),
        }
    }
}

fn body(sent: Sent<'_>) -> Value {
    let mut body = json!({ "schema": sent.text });
    // Avro is what a missing type means, and old registries know no other.
    if sent.schema_type != SchemaType::Avro {
        body["schemaType"] = sent.schema_type.wire().into();
    }
    if !sent.references.is_empty() {
        body["references"] = json!(sent.references);
    }
    body
}

fn stored(answer: &Value) -> Stored {
    let references = serde_json::from_value(answer["references"].clone());
    Stored {
        id: answer["id"].as_i64(),
        version: number(&answer["version"]).unwrap_or(0),
        schema_type: answer["schemaType"].as_str().and_then(SchemaType::from_wire).unwrap_or(SchemaType::Avro),
        text: answer["schema"].as_str().unwrap_or_default().to_owned(),
        references: references.unwrap_or_default(),
    }
}

fn number(value: &Value) -> Option<i32> {
    value.as_i64().and_then(|number| i32::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_counts_before_a_user() {
        fn of(given: &[(&str, &str)]) -> Access {
            Access::of(|name| given.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
        }
        assert_eq!(of(&[]).authorization, None);
        let user = ("SLUICE_REGISTRY_USER", "ada");
        assert_eq!(of(&[user]).authorization.as_deref(), Some("Basic YWRhOg=="));
        assert_eq!(of(&[user, ("SLUICE_REGISTRY_PASSWORD", "x")]).authorization.as_deref(), Some("Basic YWRhOng="));
        assert_eq!(of(&[user, ("SLUICE_REGISTRY_TOKEN", "t")]).authorization.as_deref(), Some("Bearer t"));
    }

    #[test]
    fn a_context_stands_before_every_subject_that_names_none() {
        let remote = Remote::new("http://h/", Access::default(), Some(".team"), false);
        assert_eq!(remote.qualified("a/b.proto"), ":.team:a/b.proto");
        assert_eq!(remote.qualified(":.other:s"), ":.other:s");
        assert_eq!(remote.segment("a/b c"), ":.team:a%2Fb%20c");
    }

    #[test]
    fn a_registry_that_is_not_there_is_unreachable() {
        let remote = Remote::new("http://127.0.0.1:1", Access::default(), None, false);
        assert!(matches!(remote.versions("s"), Err(RemoteError::Unreachable(_))));
    }
}
