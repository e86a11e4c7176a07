//! `sluice dev`: the whole server on embedded defaults, nothing to install.

use std::process::ExitCode;

use clap::ArgMatches;

use super::serve::{configured, ended, run_node};
use super::{USAGE, complain, say};
use crate::config::settings::{Role, Settings};
use crate::node::{self, Addresses, Kafka};

/// Runs until SIGTERM or SIGINT, and tells what to try first.
pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let settings = match configured(matches, Role::Dev) {
        Ok(settings) => settings,
        Err(status) => return status,
    };
    let url = match database(&settings) {
        Ok(url) => url,
        Err(mistakes) => {
            for mistake in mistakes {
                complain(format_args!("error: {mistake}"));
            }
            return ExitCode::from(USAGE);
        }
    };
    // Real brokers, when some are named, are as good as the in-process one.
    let is_real = settings.default_cluster.is_some();
    let kafka = if is_real { Kafka::Real } else { Kafka::InProcess };
    let shown = url.strip_prefix("sqlite://").unwrap_or("the database").to_owned();
    ended(run_node(settings, url, kafka, move |addresses| welcome(addresses, &shown, is_real)))
}

fn database(settings: &Settings) -> Result<String, node::Mistakes> {
    match (node::database_url(settings), &settings.data_dir) {
        (Some(url), _) => Ok(url),
        (None, Some(directory)) => node::sqlite_below(directory),
        (None, None) => node::sqlite_below(&".dev".into()),
    }
}

fn welcome(at: &Addresses, schemas: &str, is_real: bool) {
    let Addresses { registry, rest, management } = at;
    let (cluster, records) = if is_real {
        ("default", "in the Kafka cluster you named")
    } else {
        ("dev", "in memory: they do not survive a restart, schemas do")
    };
    let json = "-H 'Content-Type: application/json'";
    say(format_args!(
        r#"
sluice dev is ready.

  Schema Registry  http://{registry}
  REST Proxy       http://{rest}    (both APIs answer on either)
  Management       http://{management}    /healthz /readyz /metrics
  Schemas are in {schemas}; records {records}.

Register a schema:
  curl -s http://{registry}/subjects/orders-value/versions {json} -d '{{"schemaType":"PROTOBUF","schema":"syntax = \"proto3\"; message Order {{ string id = 1; int32 quantity = 2; }}"}}'

Produce a record:
  curl -s http://{rest}/v3/clusters/{cluster}/topics/orders/records {json} -d '{{"value":{{"data":{{"id":"o-1","quantity":2}}}}}}'

Read it back:
  curl -s http://{management}/cp/v1/topics/orders/records

See a breaking change refused:
  curl -s http://{rest}/v3/clusters/{cluster}/topics/orders/records {json} -d '{{"value":{{"type":"PROTOBUF","schema":"syntax = \"proto3\"; message Order {{ string id = 1; string quantity = 2; }}","data":{{"id":"o-2","quantity":"two"}}}}}}'

Ctrl-C stops it."#
    ));
}
