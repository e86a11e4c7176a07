//! The typed configuration: what the values of all sources mean together.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sluice_control_plane::units;
use sluice_data_plane::route::Undeclared;
use sluice_schema::Level;

use super::keys::{KEYS, Key, Kind};
use super::sources::{Origin, Raw, RawValues};

/// A secret: printed by nobody.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// The text, for whoever must send it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Which command is configured: defaults differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// `sluice serve`
    Serve,
    /// `sluice dev`
    Dev,
}

/// An API of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
    /// Schema Registry.
    Registry,
    /// REST Proxy.
    Rest,
}

/// A listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listen {
    /// Key that configures it.
    pub(crate) key: &'static str,
    /// `host:port`
    pub(crate) address: String,
    /// APIs answered there.
    pub(crate) apis: Vec<Api>,
    /// Start of links.
    pub(crate) advertised_url: Option<String>,
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Database {
    /// Without a password from another place.
    pub(crate) url: Secret,
    /// The password from a file or variable.
    pub(crate) password: Option<Secret>,
    /// Most connections.
    pub(crate) max_connections: u32,
}

/// The cluster `default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DefaultCluster {
    /// Brokers.
    pub(crate) bootstrap: Vec<String>,
    /// `plaintext`, `ssl`, `sasl_plaintext`, `sasl_ssl`.
    pub(crate) security_protocol: String,
    /// SASL mechanism.
    pub(crate) sasl_mechanism: String,
    /// SASL user.
    pub(crate) username: Option<String>,
    /// SASL password.
    pub(crate) password: Option<Secret>,
    /// PEM files.
    pub(crate) ca_file: Option<String>,
    /// PEM files.
    pub(crate) cert_file: Option<String>,
    /// PEM files.
    pub(crate) key_file: Option<String>,
    /// librdkafka settings.
    pub(crate) client: BTreeMap<String, String>,
}

/// How much of the access log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccessLog {
    /// Nothing.
    Off,
    /// Errors and writes, and a sample of reads.
    Sampled,
    /// Everything.
    All,
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The database, if one is named.
    pub(crate) database: Option<Database>,
    /// The cluster `default`, if brokers are named.
    pub(crate) default_cluster: Option<DefaultCluster>,
    /// Directory of control files.
    pub(crate) control_files: Option<PathBuf>,
    /// Topics that no file declares.
    pub(crate) undeclared_topics: Undeclared,
    /// Registry.
    pub(crate) registry: Listen,
    /// REST Proxy.
    pub(crate) rest: Listen,
    /// Management.
    pub(crate) management: String,
    /// Non-loopback without authentication.
    pub(crate) allow_anonymous: bool,
    /// Directory for what is kept on disk.
    pub(crate) data_dir: Option<PathBuf>,
    /// Level of subjects that state none.
    pub(crate) compatibility_level: Level,
    /// May modes be changed?
    pub(crate) mode_mutability: bool,
    /// Caches, bytes.
    pub(crate) cache_bytes: u64,
    /// Longest schema, bytes.
    pub(crate) max_schema_bytes: usize,
    /// Longest body, bytes.
    pub(crate) max_body_bytes: usize,
    /// Longest record in a stream, bytes.
    pub(crate) max_record_bytes: usize,
    /// Most connections per listener.
    pub(crate) max_connections: usize,
    /// `/cp/v1/topics/{t}/records`
    pub(crate) read_back: bool,
    /// CORS.
    pub(crate) cors_allow_origin: Option<String>,
    /// Log filter.
    pub(crate) log_level: String,
    /// JSON lines.
    pub(crate) log_json: bool,
    /// Access log.
    pub(crate) access_log: AccessLog,
    /// From readiness false to the first closed listener, milliseconds.
    pub(crate) shutdown_delay_ms: u64,
    /// For requests in flight, milliseconds.
    pub(crate) shutdown_timeout_ms: u64,
}

/// Reads secrets that settings refer to: files and variables. A trait so that tests need neither.
pub(crate) trait Secrets {
    /// First line of a file, or why not.
    fn file(&self, path: &str) -> Result<String, String>;
    /// A variable, or why not.
    fn variable(&self, name: &str) -> Result<String, String>;
}

/// The settings that `values` mean, or every mistake as `place: message`. Warnings are added to `warnings`.
pub(crate) fn read(
    values: &RawValues,
    role: Role,
    secrets: &dyn Secrets,
    warnings: &mut Vec<String>,
) -> Result<Settings, Vec<String>> {
    let mut reader = Reader { values, role, mistakes: Vec::new() };
    for key in KEYS {
        reader.check(key);
    }
    let database = reader.database(secrets, warnings);
    let default_cluster = reader.default_cluster(secrets);
    let settings = Settings {
        database,
        default_cluster,
        control_files: reader.text("control-files").map(PathBuf::from),
        undeclared_topics: if reader.word("undeclared-topics") == "deny" {
            Undeclared::Deny
        } else {
            Undeclared::Allow
        },
        registry: reader.listen("registry-listen", "registry-apis", "registry-advertised-url"),
        rest: reader.listen("rest-listen", "rest-apis", "rest-advertised-url"),
        management: reader.word("management-listen"),
        allow_anonymous: reader.word("allow-anonymous") == "true",
        data_dir: reader.text("data-dir").map(PathBuf::from),
        compatibility_level: Level::from_wire(&reader.word("compatibility-level")).unwrap_or(Level::Backward),
        mode_mutability: reader.word("mode-mutability") == "true",
        cache_bytes: reader.size("cache-size"),
        max_schema_bytes: reader.size("max-schema-size") as usize,
        max_body_bytes: reader.size("max-body-size") as usize,
        max_record_bytes: reader.size("max-record-size") as usize,
        max_connections: reader.word("max-connections").parse().unwrap_or(10_240),
        read_back: reader.word("read-back") == "true",
        cors_allow_origin: reader.text("cors-allow-origin"),
        log_level: reader.word("log-level"),
        log_json: reader.word("log-format") == "json",
        access_log: match reader.word("access-log").as_str() {
            "off" => AccessLog::Off,
            "all" => AccessLog::All,
            _ => AccessLog::Sampled,
        },
        shutdown_delay_ms: units::duration_ms(&reader.word("shutdown-delay")).unwrap_or(1_000),
        shutdown_timeout_ms: units::duration_ms(&reader.word("shutdown-timeout")).unwrap_or(20_000),
    };
    reader.check_together(&settings);
    if reader.mistakes.is_empty() { Ok(settings) } else { Err(reader.mistakes) }
}

struct Reader<'a> {
    values: &'a RawValues,
    role: Role,
    mistakes: Vec<String>,
}

impl Reader<'_> {
    fn raw(&self, name: &str) -> Raw {
        if let Some(raw) = self.values.get(name) {
            return raw.clone();
        }
        let key = super::keys::find(name);
        let text = key
            .map(|key| match self.role {
                Role::Dev => key.dev_default.unwrap_or(key.default),
                Role::Serve => key.default,
            })
            .unwrap_or_default();
        Raw { text: text.to_owned(), origin: Origin::Default }
    }

    fn word(&self, name: &str) -> String {
        self.raw(name).text
    }

    fn text(&self, name: &str) -> Option<String> {
        Some(self.word(name)).filter(|text| !text.is_empty())
    }

    fn size(&self, name: &str) -> u64 {
        units::size_bytes(&self.word(name)).unwrap_or(0)
    }

    fn mistake(&mut self, name: &str, message: impl std::fmt::Display) {
        let origin = self.raw(name).origin;
        self.mistakes.push(match origin {
            Origin::Flag(_) | Origin::Variable(_) => format!("{origin}: {message}"),
            Origin::File(..) | Origin::Default => format!("{origin}: {name}: {message}"),
        });
    }

    fn check(&mut self, key: &Key) {
        let raw = self.raw(key.name);
        if raw.text.is_empty() {
            if raw.origin != Origin::Default && !matches!(key.kind, Kind::Text | Kind::Map | Kind::Path) {
                self.mistake(key.name, "is empty");
            }
            return;
        }
        if let Err(message) = fits(&raw.text, key.kind) {
            self.mistake(key.name, message);
        }
    }

    fn listen(&self, key: &'static str, apis: &str, advertised: &str) -> Listen {
        let apis = self.word(apis);
        let apis = apis.split(',').map(|api| if api.trim() == "rest" { Api::Rest } else { Api::Registry }).collect();
        let advertised_url = self.text(advertised).map(|url| url.trim_end_matches('/').to_owned());
        Listen { key, address: self.word(key), apis, advertised_url }
    }

    fn secret(&mut self, file_key: &'static str, variable_key: &'static str, secrets: &dyn Secrets) -> Option<Secret> {
        match (self.text(file_key), self.text(variable_key)) {
            (Some(_), Some(_)) => {
                self.mistake(variable_key, format!("set one of {file_key} and {variable_key}"));
                None
            }
            (Some(path), None) => match secrets.file(&path) {
                Ok(secret) => Some(Secret(secret)),
                Err(cause) => {
                    self.mistake(file_key, format!("{path}: {cause}"));
                    None
                }
            },
            (None, Some(name)) => match secrets.variable(&name) {
                Ok(secret) => Some(Secret(secret)),
                Err(cause) => {
                    self.mistake(variable_key, cause);
                    None
                }
            },
            (None, None) => None,
        }
    }

    fn database(&mut self, secrets: &dyn Secrets, warnings: &mut Vec<String>) -> Option<Database> {
        let password = self.secret("database-password-file", "database-password-env", secrets);
        let url = self.text("database-url")?;
        let known = ["postgres://", "postgresql://", "sqlite:"].iter().any(|scheme| url.starts_with(scheme));
        if !known {
            self.mistake("database-url", "starts with neither postgres:// nor sqlite:");
        }
        if has_password(&url) {
            let instead = "use database-password-file or database-password-env";
            match self.raw("database-url").origin {
                Origin::File(..) => self.mistake("database-url", format!("holds a password in a file: {instead}")),
                Origin::Flag(_) => {
                    warnings.push(format!(
                        "--database-url holds a password, which every user of this machine can see: {instead}"
                    ));
                }
                _ => {}
            }
        }
        let max_connections = self.word("database-max-connections").parse().unwrap_or(16);
        Some(Database { url: Secret(url), password, max_connections })
    }

    fn default_cluster(&mut self, secrets: &dyn Secrets) -> Option<DefaultCluster> {
        let password = self.secret("kafka-password-file", "kafka-password-env", secrets);
        let bootstrap = self.text("bootstrap-servers")?;
        let cluster = DefaultCluster {
            bootstrap: bootstrap.split(',').map(|server| server.trim().to_owned()).collect(),
            security_protocol: self.word("kafka-security-protocol"),
            sasl_mechanism: self.word("kafka-sasl-mechanism"),
            username: self.text("kafka-username"),
            password,
            ca_file: self.text("kafka-ca-file"),
            cert_file: self.text("kafka-cert-file"),
            key_file: self.text("kafka-key-file"),
            client: pairs(&self.word("kafka-client")).into_iter().collect(),
        };
        let sasl = cluster.security_protocol.starts_with("sasl");
        if sasl && (cluster.username.is_none() || cluster.password.is_none()) {
            let message = "needs kafka-username and kafka-password-file or kafka-password-env";
            self.mistake("kafka-security-protocol", message);
        }
        if cluster.cert_file.is_some() != cluster.key_file.is_some() {
            self.mistake("kafka-cert-file", "kafka-cert-file and kafka-key-file belong together");
        }
        Some(cluster)
    }

    fn check_together(&mut self, settings: &Settings) {
        if self.role == Role::Serve {
            if settings.database.is_none() {
                self.mistake("database-url", "is required: postgres://user@host/database, or sqlite://path");
            }
            if settings.default_cluster.is_none() && settings.control_files.is_none() {
                self.mistake("bootstrap-servers", "is required, unless control-files declare clusters");
            }
        }
        let listeners = [
            (settings.registry.key, settings.registry.address.clone()),
            (settings.rest.key, settings.rest.address.clone()),
            ("management-listen", settings.management.clone()),
        ];
        for (index, (name, address)) in listeners.iter().enumerate() {
            if !address.ends_with(":0")
                && let Some((other, _)) = listeners[..index].iter().find(|(_, taken)| taken == address)
            {
                self.mistake(name, format!("{address} is {other}'s already"));
            }
            if !settings.allow_anonymous && !is_loopback(address) {
                self.mistake(
                    name,
                    format!("{address} can be reached from other machines, and nobody has to say who they are: add --allow-anonymous if that is meant"),
                );
            }
        }
    }
}

fn fits(text: &str, kind: Kind) -> Result<(), String> {
    match kind {
        Kind::Text | Kind::Path => Ok(()),
        Kind::Flag => {
            if matches!(text, "true" | "false") {
                Ok(())
            } else {
                Err(format!("{text:?} is neither true nor false"))
            }
        }
        Kind::Number(low, high) => match text.parse::<i64>() {
            Ok(number) if (low..=high).contains(&number) => Ok(()),
            _ => Err(format!("{text:?} is no whole number from {low} to {high}")),
        },
        Kind::Size => units::size_bytes(text).map(drop),
        Kind::Duration => units::duration_ms(text).map(drop),
        Kind::Listen => match text.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(()),
            _ => Err(format!("{text:?} is no host:port")),
        },
        Kind::Servers => {
            text.split(',').try_for_each(|server| sluice_control_plane::manifest::host_port(server.trim()).map(drop))
        }
        Kind::Word(words) => one_of(text, words),
        Kind::Words(words) => text.split(',').try_for_each(|word| one_of(word.trim(), words)),
        Kind::Map => {
            if text.split(',').all(|pair| pair.split_once('=').is_some_and(|(name, _)| !name.trim().is_empty())) {
                Ok(())
            } else {
                Err(format!("{text:?} is not name=value,…"))
            }
        }
    }
}

fn one_of(text: &str, words: &[&str]) -> Result<(), String> {
    if words.iter().any(|word| word.eq_ignore_ascii_case(text)) {
        Ok(())
    } else {
        Err(format!("{text:?} is none of {}", words.join(", ")))
    }
}

fn pairs(text: &str) -> Vec<(String, String)> {
    text.split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

/// Whether the authority of `url` has `user:password@`.
fn has_password(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let in_query =
        url.split_once('?').is_some_and(|(_, query)| query.split('&').any(|pair| pair.starts_with("password=")));
    in_query || authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

fn is_loopback(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests;
