//! Every setting of the server, once: its name, how it reads, its default, what it is for.
//!
//! A key has one name everywhere: `database-url` in the file, `--database-url` as a flag, `SLUICE_DATABASE_URL` in
//! the environment. `sluice config` prints this table; `settings.rs` turns values into the typed [`Settings`].
//!
//! To add a key: a row here and a field there.
//!
//! [`Settings`]: super::settings::Settings

/// How a value reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number in this range.
    Number(i64, i64),
    /// Bytes: `64MiB`.
    Size,
    /// Time: `30s`.
    Duration,
    /// `host:port`; port 0 picks a free one.
    Listen,
    /// `host:port`, several separated by commas (in a file also a list).
    Servers,
    /// A file or directory.
    Path,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Several of these words, separated by commas (in a file also a list).
    Words(&'static [&'static str]),
    /// Names and values: a mapping in the file, `name=value,…` elsewhere.
    Map,
}

/// One setting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    /// In files and, behind `--`, as a flag.
    pub(crate) name: &'static str,
    /// How its value reads.
    pub(crate) kind: Kind,
    /// Default of `serve`; empty = not set.
    pub(crate) default: &'static str,
    /// Default of `dev` where it differs.
    pub(crate) dev_default: Option<&'static str>,
    /// What it is for.
    pub(crate) doc: &'static str,
}

impl Key {
    /// Its environment variable.
    pub(crate) fn variable(&self) -> String {
        format!("SLUICE_{}", self.name.to_ascii_uppercase().replace('-', "_"))
    }
}

const APIS: &[&str] = &["registry", "rest"];

const fn key(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Key {
    Key { name, kind, default, dev_default: None, doc }
}

const fn dev(key: Key, default: &'static str) -> Key {
    Key { dev_default: Some(default), ..key }
}

/// The table, in the order `sluice config` prints it.
pub(crate) const KEYS: &[Key] = &[
    key(
        "database-url",
        Kind::Text,
        "",
        "Where schemas live: `postgres://user@host:port/database` or `sqlite://path`. \
         A password goes into `database-password-file` or the environment, not into a file.",
    ),
    key("database-password-file", Kind::Path, "", "File whose first line is the database password."),
    key("database-password-env", Kind::Text, "", "Environment variable that holds the database password."),
    key("database-max-connections", Kind::Number(1, 1000), "16", "Most connections to Postgres."),
    key(
        "bootstrap-servers",
        Kind::Servers,
        "",
        "Kafka brokers of the one cluster `default`, when no control files \
         declare clusters.",
    ),
    key(
        "kafka-security-protocol",
        Kind::Word(&["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]),
        "plaintext",
        "How the cluster `default` is reached.",
    ),
    key(
        "kafka-sasl-mechanism",
        Kind::Word(&["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]),
        "SCRAM-SHA-512",
        "SASL mechanism of the cluster `default`.",
    ),
    key("kafka-username", Kind::Text, "", "SASL user name for the cluster `default`."),
    key("kafka-password-file", Kind::Path, "", "File whose first line is the SASL password."),
    key("kafka-password-env", Kind::Text, "", "Environment variable that holds the SASL password."),
    key("kafka-ca-file", Kind::Path, "", "Trusted authorities (PEM) of the cluster `default`."),
    key("kafka-cert-file", Kind::Path, "", "Client certificate (PEM) for the cluster `default`."),
    key("kafka-key-file", Kind::Path, "", "Key of the client certificate (PEM)."),
    key(
        "kafka-client",
        Kind::Map,
        "",
        "librdkafka settings passed through to the cluster `default`; those that \
         Sluice owns (acks, idempotence, partitioner, …) are refused.",
    ),
    key(
        "control-files",
        Kind::Path,
        "",
        "Directory of control-plane files (`*.yaml`, `*.yml`): clusters, groups, \
         topics. Read at start and again on SIGHUP.",
    ),
    key("undeclared-topics", Kind::Word(&["allow", "deny"]), "allow", "What becomes of topics that no file declares."),
    key("registry-listen", Kind::Listen, "127.0.0.1:8081", "Where the Schema Registry listens."),
    key("rest-listen", Kind::Listen, "127.0.0.1:8082", "Where the REST Proxy listens."),
    key("management-listen", Kind::Listen, "127.0.0.1:9080", "Where health, readiness, metrics and /cp/v1 listen."),
    key("registry-apis", Kind::Words(APIS), "registry,rest", "APIs answered on the registry's listener."),
    key("rest-apis", Kind::Words(APIS), "registry,rest", "APIs answered on the REST listener."),
    key(
        "registry-advertised-url",
        Kind::Text,
        "",
        "Start of links made on the registry's listener, like \
         `https://sr.example`; the request's Host when not set.",
    ),
    key("rest-advertised-url", Kind::Text, "", "Start of links made on the REST listener."),
    key(
        "allow-anonymous",
        Kind::Flag,
        "false",
        "Allows listeners on other than loopback addresses although nobody \
         has to say who they are.",
    ),
    dev(key("data-dir", Kind::Path, "", "Directory for what the server keeps on disk."), ".dev"),
    key(
        "compatibility-level",
        Kind::Word(&[
            "none",
            "backward",
            "backward_transitive",
            "forward",
            "forward_transitive",
            "full",
            "full_transitive",
        ]),
        "backward",
        "Level of subjects that state none.",
    ),
    key("mode-mutability", Kind::Flag, "true", "Whether /mode may be changed."),
    key("cache-size", Kind::Size, "64MiB", "Memory for cached schemas and answers, all caches together."),
    key("max-schema-size", Kind::Size, "1MiB", "Longest schema text."),
    key(
        "max-body-size",
        Kind::Size,
        "10MiB",
        "Longest request body; the record stream has a limit per record instead.",
    ),
    key("max-record-size", Kind::Size, "8MiB", "Longest JSON of one record in a stream."),
    key(
        "max-connections",
        Kind::Number(1, 1_000_000),
        "10240",
        "Most open connections of the registry's and the REST listener together, as far as the process may open so \
         many files; the next one is answered 503. Management has its own.",
    ),
    dev(
        key(
            "read-back",
            Kind::Flag,
            "false",
            "Whether GET /cp/v1/topics/{topic}/records shows records to whoever \
         reaches the management listener.",
        ),
        "true",
    ),
    key("cors-allow-origin", Kind::Text, "", "Origin that browsers may call from, or `*`."),
    key(
        "log-level",
        Kind::Text,
        "info",
        "What is logged: error, warn, info, debug, or a filter like `info,sluice_kafka=debug`.",
    ),
    key("log-format", Kind::Word(&["text", "json"]), "text", "How a log line looks."),
    key(
        "access-log",
        Kind::Word(&["off", "sampled", "all"]),
        "sampled",
        "One line per request: errors and writes always; \
         successful reads one in a hundred when sampled.",
    ),
    dev(
        key(
            "shutdown-delay",
            Kind::Duration,
            "1s",
            "How long the server goes on after readiness turned false, so that balancers \
         notice.",
        ),
        "0s",
    ),
    key("shutdown-timeout", Kind::Duration, "20s", "How long requests in flight may take after SIGTERM."),
];

/// The key of this name.
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_key_says_what_it_is_for() {
        for (index, key) in KEYS.iter().enumerate() {
            assert!(KEYS[..index].iter().all(|other| other.name != key.name), "{}", key.name);
            assert!(key.doc.ends_with('.'), "{}", key.name);
        }
    }

    #[test]
    fn a_variable_is_the_name_in_capitals() {
        assert_eq!(find("management-listen").unwrap().variable(), "SLUICE_MANAGEMENT_LISTEN");
    }
}
