//! What a client of one cluster is built from, and the librdkafka properties that follow.
//!
//! Invariant: outcome honesty does not depend on what an operator passes through. Properties that decide whether and
//! when a record is surely not written (acks, idempotence, message timeout), where it lands (partitioner) or that are
//! stated elsewhere (security, queue limits) are refused in [`KafkaSettings::extra`]; the rest is checked by
//! librdkafka itself before anything connects.
//!
//! A new setting: a field here, its property in [`KafkaSettings::common`] or [`KafkaSettings::producer`], a row in the
//! tests. Source: librdkafka 2.12.1 CONFIGURATION.md.

use std::collections::BTreeMap;
use std::fmt;

use sluice_data_plane::Lane;

use crate::ffi;

/// A text that must not reach a log: `Debug` shows dots.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret read from a file or the environment.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Transport and whether SASL runs on it; Kafka's `security.protocol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `PLAINTEXT`
    Plaintext,
    /// `SSL`; with a certificate: mutual TLS.
    Ssl,
    /// `SASL_PLAINTEXT`
    SaslPlaintext,
    /// `SASL_SSL`
    SaslSsl,
}

impl Protocol {
    fn name(self) -> &'static str {
        match self {
            Protocol::Plaintext => "PLAINTEXT",
            Protocol::Ssl => "SSL",
            Protocol::SaslPlaintext => "SASL_PLAINTEXT",
            Protocol::SaslSsl => "SASL_SSL",
        }
    }

    fn has_sasl(self) -> bool {
        matches!(self, Protocol::SaslPlaintext | Protocol::SaslSsl)
    }

    fn has_tls(self) -> bool {
        matches!(self, Protocol::Ssl | Protocol::SaslSsl)
    }
}

/// SASL mechanisms this build can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// `PLAIN`
    Plain,
    /// `SCRAM-SHA-256`
    ScramSha256,
    /// `SCRAM-SHA-512`
    ScramSha512,
}

impl Mechanism {
    /// By Kafka's name. Errors: the sentence for the operator.
    pub fn parse(name: &str) -> Result<Mechanism, String> {
        match name {
            "PLAIN" => Ok(Mechanism::Plain),
            "SCRAM-SHA-256" => Ok(Mechanism::ScramSha256),
            "SCRAM-SHA-512" => Ok(Mechanism::ScramSha512),
            other => Err(format!("SASL mechanism {other}: known are PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512")),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

/// SASL credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sasl {
    /// Mechanism.
    pub mechanism: Mechanism,
    /// User name.
    pub username: String,
    /// Password.
    pub password: Secret,
}

/// How to reach a cluster that is not open to everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Security {
    /// Transport.
    pub protocol: Protocol,
    /// Needed when the protocol says SASL, refused otherwise.
    pub sasl: Option<Sasl>,
    /// PEM file of trusted authorities; the system's when not given.
    pub ca_file: Option<String>,
    /// PEM file of the client's certificate chain.
    pub certificate_file: Option<String>,
    /// PEM file of its key; needed with a certificate.
    pub key_file: Option<String>,
    /// Password of the key.
    pub key_password: Option<Secret>,
}

/// What the producers are tuned for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Answers as soon as the broker has one; only streams that come fast wait for large batches.
    #[default]
    Durable,
    /// `linger.ms` 50: large batches.
    Bulk,
}

/// Everything a client of one cluster is built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KafkaSettings {
    /// `metadata.name` of the cluster's file, or `default`; names it in logs and metrics.
    pub name: String,
    /// Name of this server; `client.id` is `sluice-<node>`.
    pub node: String,
    /// `host:port` each; at least one.
    pub bootstrap: Vec<String>,
    /// The `cluster.id` this must be; a cluster that says another gets no record.
    pub expected_id: Option<String>,
    /// `None`: clear text, no authentication.
    pub security: Option<Security>,
    /// Tuning of the producers.
    pub profile: Profile,
    /// How long lane `Redirectable` keeps trying, milliseconds.
    pub redirectable_timeout_ms: u32,
    /// How long lane `Pinned` keeps trying, milliseconds; rides out a leader's failover (7.6 s with Kafka's defaults).
    pub pinned_timeout_ms: u32,
    /// Largest record, in bytes as a Java producer counts them; its `max.request.size`.
    pub max_request_bytes: u32,
    /// Most bytes of keys and values that wait in one lane.
    pub queue_bytes: u32,
    /// Most records that wait in one lane; each costs about 220 bytes on top of its own.
    pub queue_records: u32,
    /// librdkafka properties by name, passed through. See [`KafkaSettings::validate`].
    pub extra: BTreeMap<String, String>,
}

impl KafkaSettings {
    /// Defaults for the cluster `name` at `bootstrap`.
    pub fn new(name: impl Into<String>, bootstrap: Vec<String>) -> KafkaSettings {
        KafkaSettings {
            name: name.into(),
            node: "node".to_owned(),
            bootstrap,
            expected_id: None,
            security: None,
            profile: Profile::Durable,
            redirectable_timeout_ms: 1_000,
            pinned_timeout_ms: 30_000,
            max_request_bytes: 1_048_576,
            queue_bytes: 64 * 1024 * 1024,
            queue_records: 100_000,
            extra: BTreeMap::new(),
        }
    }

    /// Every mistake in these settings, as sentences that name the setting; empty: a client can be built.
    /// Reads the certificate files, connects to nothing.
    pub fn validate(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if self.bootstrap.is_empty() {
            mistakes.push("bootstrap: at least one host:port is needed".to_owned());
        }
        mistakes.extend(self.bootstrap.iter().filter_map(|server| bootstrap_mistake(server)));
        if let Some(security) = &self.security {
            security_mistakes(security, &mut mistakes);
        }
        for (name, value) in &self.extra {
            match denied(name) {
                Some(reason) => mistakes.push(format!("{name}: cannot be set here, {reason}")),
                None => mistakes.extend(ffi::property_mistake(name, value).map(|said| format!("{name}: {said}"))),
            }
        }
        if mistakes.is_empty() {
            // properties that only fail together, unreadable certificates
            mistakes.extend(ffi::properties_mistake(&self.producer(Lane::Pinned)));
        }
        mistakes
    }

    /// The shortest message timeout that librdkafka takes for a topic: records must not linger longer.
    pub(crate) fn shortest_timeout_ms(&self, lane: Lane) -> u32 {
        let properties = self.producer(lane);
        let is_linger = |name: &str| matches!(name, "linger.ms" | "queue.buffering.max.ms");
        let linger =
            properties.iter().rev().find(|(name, _)| is_linger(name)).and_then(|(_, value)| value.parse().ok());
        linger.map_or(1, |linger: f64| linger.floor() as u32 + 1)
    }

    /// Properties of every client of the cluster.
    fn common(&self) -> Vec<(String, String)> {
        let mut properties = Properties(Vec::with_capacity(48));
        properties.set("bootstrap.servers", self.bootstrap.join(","));
        properties.set("client.id", format!("sluice-{}", self.node));
        // A dead cluster must be known dead soon, and a live one again soon: the default back-off of 10 s makes a
        // message timeout of 3 s end after up to 12 s.
        properties.set("socket.timeout.ms", 4_000);
        properties.set("socket.connection.setup.timeout.ms", 2_000);
        properties.set("reconnect.backoff.ms", 50);
        properties.set("reconnect.backoff.max.ms", 500);
        properties.set("socket.keepalive.enable", true);
        properties.set("connections.max.idle.ms", 0);
        properties.set("topic.metadata.refresh.interval.ms", 300_000);
        properties.set("topic.metadata.refresh.sparse", true);
        // Nothing but `IfMissing::BrokerMayCreate` makes topics.
        properties.set("allow.auto.create.topics", false);
        if let Some(security) = &self.security {
            properties.security(security);
        }
        for (name, value) in &self.extra {
            properties.set(name, value);
        }
        properties.0
    }

    /// Properties of the producer of `lane`.
    pub(crate) fn producer(&self, lane: Lane) -> Vec<(String, String)> {
        let mut properties = Properties(Vec::with_capacity(48));
        properties.set("acks", "all");
        properties.set("enable.idempotence", true);
        properties.set("partitioner", "murmur2_random");
        properties.set(
            "message.timeout.ms",
            match lane {
                Lane::Redirectable => self.redirectable_timeout_ms,
                Lane::Pinned | Lane::Stream => self.pinned_timeout_ms,
            },
        );
        // Few retries show the broker's true code within a second instead of a timeout; leader changes do not count.
        properties.set("retries", 3);
        properties.set("retry.backoff.ms", 50);
        properties.set("retry.backoff.max.ms", 250);
        properties.set("request.timeout.ms", 3_000);
        properties.set(
            "linger.ms",
            match (self.profile, lane) {
                (Profile::Durable, Lane::Redirectable | Lane::Pinned) => "0",
                // Also what keeps the thread from spinning: librdkafka polls without a pause while records have lingered
                // long enough but the partition's batch before them is not acknowledged.
                (Profile::Durable, Lane::Stream) => "2",
                (Profile::Bulk, _) => "50",
            },
        );
        properties.set("batch.size", 1_000_000);
        properties.set("queue.buffering.max.kbytes", self.queue_bytes.div_ceil(1024).max(1));
        properties.set("queue.buffering.max.messages", self.queue_records);
        // Java's count is checked before; this one counts a little differently and must not refuse first.
        properties.set("message.max.bytes", u64::from(self.max_request_bytes) + 1_024);
        // The backstop: a topic that vanishes is known missing this soon. The default waits 30 s.
        properties.set("topic.metadata.propagation.max.ms", 2_000);
        // What is common comes last, and `extra` last in it: tuning may be overridden, what is denied may not.
        properties.0.extend(self.common());
        properties.0
    }

    /// Properties of the client that asks: metadata and admin calls.
    pub(crate) fn admin(&self, may_create_topics: bool) -> Vec<(String, String)> {
        let mut properties = Properties(self.common());
        // producer properties in `extra` are harmless here, but a producer's queue is not needed
        properties.set("queue.buffering.max.messages", 1);
        // whatever the kind of client, offsets are asked under it: the default ends them at the first open transaction
        properties.set("isolation.level", READ_UNCOMMITTED);
        properties.set("allow.auto.create.topics", may_create_topics);
        properties.0
    }

    /// Properties of the client that reads.
    pub(crate) fn consumer(&self) -> Vec<(String, String)> {
        let mut properties = Properties(self.common());
        properties.set("enable.partition.eof", true);
        properties.set("isolation.level", READ_UNCOMMITTED);
        properties.set("fetch.wait.max.ms", 100);
        properties.set("fetch.error.backoff.ms", 50);
        properties.set("fetch.message.max.bytes", 1_048_576);
        properties.set("queued.max.messages.kbytes", 2_048);
        properties.0
    }
}

/// Records of open transactions are there, as in the reference.
const READ_UNCOMMITTED: &str = "read_uncommitted";

/// Properties under construction; a later value wins.
struct Properties(Vec<(String, String)>);

impl Properties {
    fn set(&mut self, name: &str, value: impl ToString) {
        self.0.push((name.to_owned(), value.to_string()));
    }

    fn security(&mut self, security: &Security) {
        self.set("security.protocol", security.protocol.name());
        if let Some(sasl) = &security.sasl {
            self.set("sasl.mechanism", sasl.mechanism.name());
            self.set("sasl.username", &sasl.username);
            self.set("sasl.password", &sasl.password.0);
        }
        let files = [
            ("ssl.ca.location", &security.ca_file),
            ("ssl.certificate.location", &security.certificate_file),
            ("ssl.key.location", &security.key_file),
        ];
        for (name, file) in files {
            if let Some(file) = file {
                self.set(name, file);
            }
        }
        if let Some(password) = &security.key_password {
            self.set("ssl.key.password", &password.0);
        }
    }
}

fn bootstrap_mistake(server: &str) -> Option<String> {
    let port = server.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(port)) if port > 0 => None,
        _ => Some(format!("bootstrap: {server:?} is not host:port")),
    }
}

fn security_mistakes(security: &Security, mistakes: &mut Vec<String>) {
    let protocol = security.protocol;
    if protocol.has_sasl() && security.sasl.is_none() {
        mistakes.push(format!("security: {} needs SASL credentials", protocol.name()));
    }
    if !protocol.has_sasl() && security.sasl.is_some() {
        mistakes.push(format!("security: SASL credentials are not used with {}", protocol.name()));
    }
    let files = [&security.ca_file, &security.certificate_file, &security.key_file];
    if !protocol.has_tls() && files.iter().any(|file| file.is_some()) {
        mistakes.push(format!("security: certificate files are not used with {}", protocol.name()));
    }
    if security.certificate_file.is_some() != security.key_file.is_some() {
        mistakes.push("security: a client certificate needs its key file, and the other way round".to_owned());
    }
    for file in files.into_iter().flatten() {
        if let Err(error) = std::fs::File::open(file) {
            mistakes.push(format!("security: {file} cannot be read: {error}"));
        }
    }
    if let Some(sasl) = &security.sasl
        && (sasl.username.is_empty() || sasl.password.0.is_empty())
    {
        mistakes.push("security: SASL user name and password must not be empty".to_owned());
    }
}

const HONESTY: &str = "because outcomes (surely not written, maybe written) rest on it";
const PLACEMENT: &str = "because a key must land on the partition where Java clients put it";
const STATED: &str = "it follows from a setting of its own";
const OWN: &str = "the server sets it";
const CODE: &str = "it loads code or secrets into the server";
const UNUSED: &str = "nothing here uses it";

/// Properties, or prefixes ending in `*`, that cannot be passed through, and why.
const DENIED: &[(&str, &str)] = &[
    ("acks", HONESTY),
    ("request.required.acks", HONESTY),
    ("enable.idempotence", HONESTY),
    ("enable.gapless.guarantee", HONESTY),
    ("transactional.id", HONESTY),
    ("message.timeout.ms", HONESTY),
    ("delivery.timeout.ms", HONESTY),
    ("delivery.report.only.error", HONESTY),
    ("partitioner", PLACEMENT),
    ("partitioner_cb", PLACEMENT),
    ("msg_order_cmp", PLACEMENT),
    ("bootstrap.servers", STATED),
    ("metadata.broker.list", STATED),
    ("client.id", STATED),
    ("message.max.bytes", STATED),
    ("queue.buffering.max.kbytes", STATED),
    ("queue.buffering.max.messages", STATED),
    ("security.protocol", STATED),
    ("sasl.mechanism", STATED),
    ("sasl.mechanisms", STATED),
    ("sasl.username", STATED),
    ("sasl.password", STATED),
    ("ssl.ca.location", STATED),
    ("ssl.certificate.location", STATED),
    ("ssl.key.location", STATED),
    ("ssl.key.password", STATED),
    ("ssl.certificate.pem", CODE),
    ("ssl.key.pem", CODE),
    ("ssl.keystore.*", CODE),
    ("ssl.engine.*", CODE),
    ("ssl.providers", CODE),
    ("plugin.library.paths", CODE),
    ("interceptors", CODE),
    ("opaque", CODE),
    ("allow.auto.create.topics", OWN),
    ("topic.metadata.propagation.max.ms", OWN),
    ("log.queue", OWN),
    ("log_level", OWN),
    ("log.thread.name", OWN),
    ("enabled_events", OWN),
    ("default_topic_conf", OWN),
    ("internal.termination.signal", OWN),
    ("builtin.features", OWN),
    ("enable.partition.eof", OWN),
    ("isolation.level", OWN),
    ("group.*", UNUSED),
    ("statistics.interval.ms", UNUSED),
    ("sasl.kerberos.*", UNUSED),
    ("sasl.oauthbearer.*", UNUSED),
    ("enable.sasl.oauthbearer.*", UNUSED),
    ("test.*", UNUSED),
    ("ut_handle_*", UNUSED),
    ("*_cb", CODE),
];

fn denied(name: &str) -> Option<&'static str> {
    let matches = |pattern: &str| match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
        (Some(start), _) => name.starts_with(start),
        (_, Some(end)) => name.ends_with(end),
        (None, None) => name == pattern,
    };
    DENIED.iter().find(|(pattern, _)| matches(pattern)).map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests;
