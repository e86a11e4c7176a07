//! `kind: Cluster`

use super::{kebab, labels, not_acted_on};
use crate::fields::{Fields, Located, Report};
use crate::manifest::topic;
use crate::model::*;
use crate::units;

pub(super) fn read(
    origin: Origin,
    mut metadata: Fields<'_>,
    mut spec: Fields<'_>,
    report: &mut Report<'_>,
) -> Option<Object> {
    let name = metadata.required("name", report).and_then(|name| name.parsed(kebab, report));
    let labels = labels(metadata.optional("labels"), report);
    metadata.finish(report);

    let kafka_cluster_id = spec.optional("kafka-cluster-id").and_then(|id| id.text(report)).map(str::to_owned);
    let state = spec.optional("state").and_then(|word| {
        word.one_of(
            &[
                ("provisioning", ClusterState::Provisioning),
                ("ready", ClusterState::Ready),
                ("draining", ClusterState::Draining),
                ("retired", ClusterState::Retired),
            ],
            report,
        )
    });
    let listeners = spec.required("listeners", report).and_then(|value| read_listeners(&value, report));
    let gateway = spec.optional("gateway");
    let admin = spec.optional("admin").and_then(|value| {
        not_acted_on(&value, report);
        read_access(&value, listeners.as_deref().unwrap_or_default(), report)
    });
    let gateway_access = match &gateway {
        Some(value) => read_access(value, listeners.as_deref().unwrap_or_default(), report),
        None => Some(Access::default()),
    };
    let client = spec.optional("client").and_then(|value| value.text_map(report)).unwrap_or_default();
    let limits = spec.optional("limits").map(|value| read_limits(&value, report)).unwrap_or_default();
    let admission = spec.optional("admission").and_then(|value| {
        not_acted_on(&value, report);
        value.texts(report)
    });
    let defaults = spec.optional("defaults").map(|value| read_defaults(&value, report)).unwrap_or_default();
    spec.finish(report);

    let listeners = listeners?;
    let access = gateway_access?;
    check_gateway(&listeners, &access, gateway.as_ref(), report);
    Some(Object::Cluster(Box::new(ClusterSpec {
        origin,
        name: name?,
        labels,
        kafka_cluster_id,
        state: state.unwrap_or(ClusterState::Ready),
        listeners,
        gateway: access,
        admin,
        client: client.into_iter().collect(),
        limits,
        admission: admission.unwrap_or_default(),
        defaults,
    })))
}

fn read_listeners(value: &Located<'_>, report: &mut Report<'_>) -> Option<Vec<Listener>> {
    let items = value.items(report)?;
    if items.is_empty() {
        value.error(report, "C001", "a cluster needs at least one listener".to_owned(), None);
    }
    let mut listeners: Vec<Listener> = Vec::new();
    for item in &items {
        let Some(mut fields) = Fields::of(item, report) else { continue };
        let name = fields.required("name", report).and_then(|name| name.parsed(kebab, report));
        let network = fields.optional("network").and_then(|value| value.text(report)).map(str::to_owned);
        let auth = fields.optional("auth").map_or(Some(Auth::None), |word| {
            word.one_of(
                &[
                    ("none", Auth::None),
                    ("tls", Auth::Tls),
                    ("mtls", Auth::Mtls),
                    ("sasl-scram", Auth::SaslScram),
                    ("sasl-scram-plaintext", Auth::SaslScramPlaintext),
                    ("sasl-plain", Auth::SaslPlain),
                    ("sasl-plain-plaintext", Auth::SaslPlainPlaintext),
                    ("aws-iam", Auth::AwsIam),
                ],
                report,
            )
        });
        let mechanism = fields.optional("mechanism").and_then(|word| {
            word.one_of(
                &[("SCRAM-SHA-256", "SCRAM-SHA-256"), ("SCRAM-SHA-512", "SCRAM-SHA-512"), ("PLAIN", "PLAIN")],
                report,
            )
        });
        let region = fields.optional("region").and_then(|value| value.text(report)).map(str::to_owned);
        let bootstrap = fields.required("bootstrap", report).and_then(|value| {
            let servers = value.items(report)?;
            if servers.is_empty() {
                value.error(report, "C001", "needs at least one host:port".to_owned(), None);
            }
            Some(servers.iter().filter_map(|server| server.parsed(host_port, report)).collect::<Vec<_>>())
        });
        fields.finish(report);
        let (Some(name), Some(auth), Some(bootstrap)) = (name, auth, bootstrap) else { continue };
        if listeners.iter().any(|other| other.name == name) {
            item.error(report, "C002", format!("listener {name:?} stands twice"), None);
        }
        listeners.push(Listener { name, network, auth, mechanism: mechanism.map(str::to_owned), region, bootstrap });
    }
    Some(listeners)
}

/// `host:port` with a port from 1 to 65535; IPv6 in brackets.
pub fn host_port(text: &str) -> Result<String, String> {
    let fits = text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty()
            && !host.contains(char::is_whitespace)
            && (host.starts_with('[') == host.ends_with(']'))
            && (host.starts_with('[') || !host.contains(':'))
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if fits { Ok(text.to_owned()) } else { Err(format!("{text:?} is no host:port")) }
}

fn read_access(value: &Located<'_>, listeners: &[Listener], report: &mut Report<'_>) -> Option<Access> {
    let mut fields = Fields::of(value, report)?;
    let listener = fields.optional("listener").and_then(|value| {
        let name = value.text(report)?;
        if !listeners.iter().any(|listener| listener.name == name) {
            let names: Vec<&str> = listeners.iter().map(|listener| listener.name.as_str()).collect();
            let hint = format!("listeners of this cluster: {}", names.join(", "));
            value.error(report, "C003", format!("listener {name:?} is not declared here"), Some(hint));
        }
        Some(name.to_owned())
    });
    let credentials = fields.optional("credentials").and_then(|value| read_credentials(&value, report));
    fields.finish(report);
    Some(Access { listener, credentials: credentials.unwrap_or_default() })
}

fn read_credentials(value: &Located<'_>, report: &mut Report<'_>) -> Option<Credentials> {
    let mut fields = Fields::of(value, report)?;
    for inline in ["password", "key", "cert"] {
        if let Some(value) = fields.optional(inline) {
            let hint = Some(format!("use `{inline}-file: /path`, or `password-env: NAME`"));
            value.error(report, "C004", format!("`{inline}` would put a secret into this file"), hint);
        }
    }
    let mut text = |name| fields.optional(name).and_then(|value| value.text(report)).map(str::to_owned);
    let (cert_file, key_file, ca_file) = (text("cert-file"), text("key-file"), text("ca-file"));
    let username = text("username");
    let (password_file, password_env) = (text("password-file"), text("password-env"));
    if password_file.is_some() && password_env.is_some() {
        value.error(report, "C004", "`password-file` and `password-env`: one of them".to_owned(), None);
    }
    if cert_file.is_some() != key_file.is_some() {
        value.error(report, "C004", "`cert-file` and `key-file` belong together".to_owned(), None);
    }
    fields.finish(report);
    let password = password_file.map(SecretRef::File).or(password_env.map(SecretRef::Env));
    Some(Credentials { cert_file, key_file, ca_file, username, password })
}

fn check_gateway(listeners: &[Listener], access: &Access, at: Option<&Located<'_>>, report: &mut Report<'_>) {
    let listener = match &access.listener {
        Some(name) => listeners.iter().find(|listener| listener.name == *name),
        None => listeners.first(),
    };
    let (Some(listener), credentials) = (listener, &access.credentials) else { return };
    let missing = match listener.auth {
        Auth::Mtls if credentials.cert_file.is_none() => Some("`cert-file` and `key-file`"),
        Auth::SaslScram | Auth::SaslScramPlaintext | Auth::SaslPlain | Auth::SaslPlainPlaintext
            if credentials.username.is_none() || credentials.password.is_none() =>
        {
            Some("`username` and `password-file` or `password-env`")
        }
        Auth::AwsIam => Some("another listener: aws-iam is not available yet"),
        _ => None,
    };
    if let Some(missing) = missing {
        let message = format!("listener {:?} needs {missing} in `gateway.credentials`", listener.name);
        match at {
            Some(value) => value.error(report, "C005", message, None),
            None => report.add(crate::Level::Error, "C005", Default::default(), "/spec/gateway", message, None),
        }
    }
}

fn read_limits(value: &Located<'_>, report: &mut Report<'_>) -> ClusterLimits {
    not_acted_on(value, report);
    let Some(mut fields) = Fields::of(value, report) else { return ClusterLimits::default() };
    let mut count =
        |name| fields.optional(name).and_then(|value| value.integer(1..=i64::from(i32::MAX), report)).map(|n| n as u64);
    let (max_partitions, max_topics) = (count("max-partitions"), count("max-topics"));
    let max_connections_per_broker = count("max-connections-per-broker");
    let max_inflight_bytes =
        fields.optional("max-inflight-bytes").and_then(|value| value.parsed(units::size_bytes, report));
    fields.finish(report);
    ClusterLimits { max_partitions, max_topics, max_inflight_bytes, max_connections_per_broker }
}

fn read_defaults(value: &Located<'_>, report: &mut Report<'_>) -> TopicDefaults {
    not_acted_on(value, report);
    let Some(mut fields) = Fields::of(value, report) else { return TopicDefaults::default() };
    let partitions = topic::read_partitions(&mut fields, report);
    let replication_factor = topic::read_replication_factor(&mut fields, report);
    let config = fields.optional("config").map(|value| topic::read_config(&value, report)).unwrap_or_default();
    fields.finish(report);
    TopicDefaults { partitions, replication_factor, config }
}
