//! From configuration and control files to settings of Kafka clients.
//!
//! Secrets are read here, at the last moment, from where the files say they are.

use sluice_control_plane::model::{Auth, ClusterSpec, Listener, SecretRef};
use sluice_kafka::{KafkaSettings, Mechanism, Protocol, Sasl, Secret, Security};

use crate::config::settings::{DefaultCluster, Secrets};
use crate::control_files::DEFAULT_CLUSTER;

/// Settings of the cluster that the configuration names. Errors: every mistake, as a sentence.
pub(crate) fn of_default(cluster: &DefaultCluster, node: &str) -> Result<KafkaSettings, Vec<String>> {
    let protocol = match cluster.security_protocol.to_ascii_lowercase().as_str() {
        "ssl" => Protocol::Ssl,
        "sasl_plaintext" => Protocol::SaslPlaintext,
        "sasl_ssl" => Protocol::SaslSsl,
        _ => Protocol::Plaintext,
    };
    let sasl = match (&cluster.username, &cluster.password) {
        (Some(username), Some(password)) if matches!(protocol, Protocol::SaslPlaintext | Protocol::SaslSsl) => {
            let mechanism = Mechanism::parse(&cluster.sasl_mechanism).map_err(|mistake| vec![mistake])?;
            Some(Sasl { mechanism, username: username.clone(), password: Secret::new(password.reveal()) })
        }
        _ => None,
    };
    let security = (protocol != Protocol::Plaintext).then(|| Security {
        protocol,
        sasl,
        ca_file: cluster.ca_file.clone(),
        certificate_file: cluster.cert_file.clone(),
        key_file: cluster.key_file.clone(),
        key_password: None,
    });
    let settings = KafkaSettings {
        node: node.to_owned(),
        security,
        extra: cluster.client.clone(),
        ..KafkaSettings::new(DEFAULT_CLUSTER, cluster.bootstrap.clone())
    };
    checked(settings)
}

/// Settings of a declared cluster. Errors: every mistake, with the place of the declaration.
pub(crate) fn of_file(cluster: &ClusterSpec, node: &str, secrets: &dyn Secrets) -> Result<KafkaSettings, Vec<String>> {
    let place =
        |mistake: String| format!("{}:{}: {}: {mistake}", cluster.origin.file, cluster.origin.at.line, cluster.name);
    let listener = match &cluster.gateway.listener {
        Some(name) => cluster.listeners.iter().find(|listener| listener.name == *name),
        None => cluster.listeners.first(),
    };
    let Some(listener) = listener else {
        return Err(vec![place("no listener to connect to".to_owned())]);
    };
    let security = security(cluster, listener, secrets).map_err(|mistake| vec![place(mistake)])?;
    let settings = KafkaSettings {
        node: node.to_owned(),
        expected_id: cluster.kafka_cluster_id.clone(),
        security,
        extra: cluster.client.clone(),
        ..KafkaSettings::new(cluster.name.clone(), listener.bootstrap.clone())
    };
    checked(settings).map_err(|mistakes| mistakes.into_iter().map(place).collect())
}

fn checked(settings: KafkaSettings) -> Result<KafkaSettings, Vec<String>> {
    let mistakes = settings.validate();
    if mistakes.is_empty() { Ok(settings) } else { Err(mistakes) }
}

fn security(cluster: &ClusterSpec, listener: &Listener, secrets: &dyn Secrets) -> Result<Option<Security>, String> {
    let protocol = match listener.auth {
        Auth::None => return Ok(None),
        Auth::Tls | Auth::Mtls => Protocol::Ssl,
        Auth::SaslScram | Auth::SaslPlain => Protocol::SaslSsl,
        Auth::SaslScramPlaintext | Auth::SaslPlainPlaintext => Protocol::SaslPlaintext,
        Auth::AwsIam => return Err("aws-iam is not available yet".to_owned()),
    };
    let credentials = &cluster.gateway.credentials;
    let sasl = match protocol {
        Protocol::SaslPlaintext | Protocol::SaslSsl => {
            let default = match listener.auth {
                Auth::SaslPlain | Auth::SaslPlainPlaintext => "PLAIN",
                _ => "SCRAM-SHA-512",
            };
            let mechanism = Mechanism::parse(listener.mechanism.as_deref().unwrap_or(default))?;
            let password = match &credentials.password {
                Some(SecretRef::File(path)) => secrets.file(path).map_err(|cause| format!("{path}: {cause}"))?,
                Some(SecretRef::Env(name)) => secrets.variable(name)?,
                None => return Err("a password is missing".to_owned()),
            };
            let username = credentials.username.clone().ok_or("a username is missing")?;
            Some(Sasl { mechanism, username, password: Secret::new(password) })
        }
        Protocol::Plaintext | Protocol::Ssl => None,
    };
    Ok(Some(Security {
        protocol,
        sasl,
        ca_file: credentials.ca_file.clone(),
        certificate_file: credentials.cert_file.clone(),
        key_file: credentials.key_file.clone(),
        key_password: None,
    }))
}
