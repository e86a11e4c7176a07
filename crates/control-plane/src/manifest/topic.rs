//! `kind: Topic`

use sluice_data_plane::route::{Balance, Enforcement};
use sluice_schema::{Level, SchemaType};

use super::{labels, not_acted_on};
use crate::fields::{Fields, Located, Report};
use crate::model::*;
use crate::units;

/// Wire names of balances.
pub(super) const BALANCES: &[(&str, Balance)] = &[
    ("na", Balance::Na),
    ("failover", Balance::Failover),
    ("roundrobin", Balance::RoundRobin),
    ("replicate", Balance::Replicate),
];

pub(super) fn read(
    origin: Origin,
    mut metadata: Fields<'_>,
    mut spec: Fields<'_>,
    report: &mut Report<'_>,
) -> Option<Object> {
    let name = metadata.required("name", report).and_then(|name| match topic_name(name.text(report)?) {
        Ok(text) => Some(text),
        Err(message) => {
            name.error(report, "T001", message, None);
            None
        }
    });
    let owner = metadata.required("owner", report).and_then(|owner| owner.parsed(owner_name, report));
    let description = metadata.optional("description").and_then(|text| text.text(report)).map(str::to_owned);
    let labels = labels(metadata.optional("labels"), report);
    metadata.finish(report);

    let clusters = spec.required("clusters", report).and_then(|value| read_clusters(&value, report));
    let balance = spec.optional("load-balancing").map_or(Some(Balance::Na), |word| {
        let balance = word.one_of(BALANCES, report)?;
        if balance != Balance::Na {
            let message = format!("{:?} is kept, but records go to the first cluster only for now", word.text(report)?);
            word.warn(report, "F010", message, None);
        }
        Some(balance)
    });
    let ordering = spec.optional("ordering").and_then(|word| {
        not_acted_on(&word, report);
        word.one_of(&[("none", Ordering::None), ("key", Ordering::Key), ("strict", Ordering::Strict)], report)
    });
    let failover = spec.optional("failover").and_then(|value| read_failover(&value, report));
    let replicate = spec.optional("replicate").and_then(|value| read_replicate(&value, report));
    let partitions = warned(&mut spec, "partitions", report, read_partitions);
    let replication_factor = warned(&mut spec, "replication-factor", report, read_replication_factor);
    let config = spec.optional("config").map(|value| {
        not_acted_on(&value, report);
        read_config(&value, report)
    });
    let dev_variant_suffix = spec.optional("dev-variant-suffix").and_then(|value| {
        not_acted_on(&value, report);
        value.parsed(variant_suffix, report)
    });
    let (value, key) = match spec.optional("schema") {
        Some(schema) => read_schema(&schema, report)?,
        None => (SchemaSpec::of_format(Some(SchemaType::Protobuf)), SchemaSpec::off()),
    };
    let producer_profile = spec
        .optional("producer-profile")
        .and_then(|word| {
            not_acted_on(&word, report);
            word.one_of(&[("durable", "durable"), ("low-latency", "low-latency"), ("bulk", "bulk")], report)
        })
        .unwrap_or("durable");
    let (quota_bytes, quota_records) =
        spec.optional("quota").map(|value| read_quota(&value, report)).unwrap_or_default();
    let recommended_key = spec.optional("partitioning").and_then(|value| {
        not_acted_on(&value, report);
        let mut fields = Fields::of(&value, report)?;
        let key = fields.required("recommended-key", report).and_then(|key| key.text(report)).map(str::to_owned);
        fields.finish(report);
        key
    });
    let lifecycle = spec
        .optional("lifecycle")
        .and_then(|word| {
            let words = [("active", Lifecycle::Active), ("frozen", Lifecycle::Frozen), ("retire", Lifecycle::Retire)];
            word.one_of(&words, report)
        })
        .unwrap_or(Lifecycle::Active);
    let enforce_drift = spec.optional("drift").and_then(|word| {
        not_acted_on(&word, report);
        word.one_of(&[("report", false), ("enforce", true)], report)
    });
    spec.finish(report);

    Some(Object::Topic(Box::new(TopicSpec {
        origin,
        name: name?,
        owner: owner?,
        description,
        labels,
        clusters: clusters?,
        balance: balance?,
        ordering,
        failover,
        replicate,
        partitions,
        replication_factor,
        config: config.unwrap_or_default(),
        dev_variant_suffix,
        value,
        key,
        producer_profile,
        quota_bytes,
        quota_records,
        recommended_key,
        lifecycle,
        enforce_drift: enforce_drift.unwrap_or(false),
    })))
}

impl SchemaSpec {
    /// What `format` alone means: strict, registering.
    fn of_format(format: Option<SchemaType>) -> SchemaSpec {
        let enforcement = if format.is_some() { Enforcement::Strict } else { Enforcement::Off };
        SchemaSpec {
            format,
            subject: None,
            compatibility: None,
            enforcement,
            auto_register: true,
            message: None,
            deny_tombstones: false,
        }
    }

    /// No rules: what a key without `schema.key` has.
    fn off() -> SchemaSpec {
        SchemaSpec { enforcement: Enforcement::Off, ..SchemaSpec::of_format(None) }
    }
}

/// Kafka's rule: 1 to 249 of letters, digits, `.`, `_`, `-`; not `.` or `..`.
fn topic_name(text: &str) -> Result<String, String> {
    let fits = (1..=249).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
        && text != "."
        && text != "..";
    if fits {
        Ok(text.to_owned())
    } else {
        Err(format!("{text:?} is no topic name: 1 to 249 letters, digits, `.`, `_`, `-`"))
    }
}

fn owner_name(text: &str) -> Result<String, String> {
    let fits = ["team:", "user:"]
        .iter()
        .any(|prefix| text.strip_prefix(prefix).is_some_and(|name| !name.is_empty() && !name.contains(' ')));
    if fits { Ok(text.to_owned()) } else { Err(format!("{text:?} is no owner: team:<name> or user:<name>")) }
}

fn variant_suffix(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix('-').unwrap_or("");
    let fits = (1..=20).contains(&rest.len())
        && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !rest.starts_with('-');
    if fits { Ok(text.to_owned()) } else { Err(format!("{text:?} is no suffix: `-` and 1 to 20 of a-z, 0-9, `-`")) }
}

fn read_clusters(value: &Located<'_>, report: &mut Report<'_>) -> Option<Vec<TopicCluster>> {
    let items = value.items(report)?;
    if items.is_empty() || items.len() > 8 {
        value.error(report, "T003", "a topic lives on 1 to 8 clusters".to_owned(), None);
    }
    let mut clusters: Vec<TopicCluster> = Vec::new();
    for item in &items {
        let Some(mut fields) = Fields::of(item, report) else { continue };
        let name = fields.required("name", report).and_then(|name| name.text(report));
        let weight = fields.optional("weight").and_then(|weight| {
            not_acted_on(&weight, report);
            weight.integer(0..=1000, report)
        });
        fields.finish(report);
        let Some(name) = name else { continue };
        if clusters.iter().any(|cluster| cluster.name == name) {
            item.error(report, "T003", format!("cluster {name:?} stands twice"), None);
        }
        clusters.push(TopicCluster {
            name: name.to_owned(),
            weight: weight.map(|weight| weight as u32),
            at: item.node.at,
        });
    }
    Some(clusters)
}

fn read_failover(value: &Located<'_>, report: &mut Report<'_>) -> Option<FailoverSpec> {
    let message = "is checked and kept, but nothing acts on it yet, except for `total-deadline`";
    value.warn(report, "F010", message.to_owned(), None);
    let mut fields = Fields::of(value, report)?;
    let mode = fields.optional("mode").map_or(Some("automatic"), |word| {
        let words = [("automatic", "automatic"), ("manual", "manual"), ("coordinated", "coordinated")];
        word.one_of(&words, report)
    });
    let allow_duplicates = fields
        .optional("duplicates")
        .map_or(Some(true), |word| word.one_of(&[("allow", true), ("forbid", false)], report));
    let soft = deadline(&mut fields, "soft-deadline", 1_000, 50..=10_000, report);
    let total = deadline(&mut fields, "total-deadline", 5_000, 100..=30_000, report);
    if soft >= total {
        value.error(report, "T005", "`total-deadline` must be longer than `soft-deadline`".to_owned(), None);
    }
    let failback_auto = fields
        .optional("failback")
        .map_or(Some(true), |word| word.one_of(&[("auto", true), ("manual", false)], report));
    let failback_after_ms = deadline(&mut fields, "failback-after", 60_000, 0..=86_400_000, report);
    fields.finish(report);
    Some(FailoverSpec {
        mode: mode?,
        allow_duplicates: allow_duplicates?,
        soft_deadline_ms: soft,
        total_deadline_ms: total,
        failback_auto: failback_auto?,
        failback_after_ms,
    })
}

fn deadline(
    fields: &mut Fields<'_>,
    name: &'static str,
    default: u64,
    range: std::ops::RangeInclusive<u64>,
    report: &mut Report<'_>,
) -> u64 {
    let Some(value) = fields.optional(name) else { return default };
    match value.parsed(units::duration_ms, report) {
        Some(ms) if range.contains(&ms) => ms,
        Some(_) => {
            let message = format!("must be from {}ms to {}ms", range.start(), range.end());
            value.error(report, "F002", message, None);
            default
        }
        None => default,
    }
}

fn read_replicate(value: &Located<'_>, report: &mut Report<'_>) -> Option<ReplicateSpec> {
    not_acted_on(value, report);
    let mut fields = Fields::of(value, report)?;
    let min_acks = match fields.optional("min-acks") {
        Some(acks) if acks.text(report) == Some("all") => None,
        Some(acks) => acks.integer(1..=8, report).map(|acks| acks as u32),
        None => Some(1),
    };
    let wait_ms = deadline(&mut fields, "wait", 200, 0..=30_000, report);
    fields.finish(report);
    Some(ReplicateSpec { min_acks, wait_ms })
}

pub(super) fn read_partitions(fields: &mut Fields<'_>, report: &mut Report<'_>) -> Option<u32> {
    fields.optional("partitions").and_then(|value| value.integer(1..=10_000, report)).map(|count| count as u32)
}

pub(super) fn read_replication_factor(fields: &mut Fields<'_>, report: &mut Report<'_>) -> Option<u16> {
    fields.optional("replication-factor").and_then(|value| value.integer(1..=1_000, report)).map(|count| count as u16)
}

fn warned<T>(
    fields: &mut Fields<'_>,
    name: &'static str,
    report: &mut Report<'_>,
    read: impl Fn(&mut Fields<'_>, &mut Report<'_>) -> Option<T>,
) -> Option<T> {
    if let Some(value) = fields.optional(name) {
        not_acted_on(&value, report);
    }
    read(fields, report)
}

pub(super) fn read_config(value: &Located<'_>, report: &mut Report<'_>) -> TopicConfig {
    /// Friendly keys and the broker keys they stand for.
    const FRIENDLY: &[(&str, &str)] = &[
        ("retention.ms", "retention"),
        ("retention.bytes", "retention-size"),
        ("cleanup.policy", "cleanup-policy"),
        ("min.insync.replicas", "min-insync-replicas"),
        ("max.message.bytes", "max-message-size"),
    ];
    let Some(mut fields) = Fields::of(value, report) else { return TopicConfig::default() };
    let mut limit = |name, read: fn(&str) -> Result<u64, String>| {
        fields.optional(name).and_then(|value: Located<'_>| match value.text(report)? {
            "-1" => Some(-1),
            _ => value.parsed(read, report).and_then(|amount| i64::try_from(amount).ok()),
        })
    };
    let retention_ms = limit("retention", units::duration_ms);
    let retention_bytes = limit("retention-size", units::size_bytes);
    let cleanup_policy = fields.optional("cleanup-policy").and_then(|word| {
        let words = [("delete", "delete"), ("compact", "compact"), ("compact,delete", "compact,delete")];
        word.one_of(&words, report)
    });
    let min_insync_replicas = fields.optional("min-insync-replicas").and_then(|value| value.integer(1..=1_000, report));
    let max_message_bytes =
        fields.optional("max-message-size").and_then(|value| value.parsed(units::size_bytes, report));
    let raw = fields.optional("raw").and_then(|value| {
        let map = value.text_map(report)?;
        for (key, _) in &map {
            if let Some((_, friendly)) = FRIENDLY.iter().find(|(broker, _)| broker == key) {
                value.error(report, "T009", format!("{key:?} has its own field"), Some(format!("use `{friendly}`")));
            }
        }
        Some(map)
    });
    fields.finish(report);
    TopicConfig {
        retention_ms,
        retention_bytes,
        cleanup_policy: cleanup_policy.map(str::to_owned),
        min_insync_replicas: min_insync_replicas.map(|count| count as u16),
        max_message_bytes,
        raw: raw.unwrap_or_default().into_iter().collect(),
    }
}

fn read_schema(value: &Located<'_>, report: &mut Report<'_>) -> Option<(SchemaSpec, SchemaSpec)> {
    let mut fields = Fields::of(value, report)?;
    let mut spec = read_side(&mut fields, Some(SchemaType::Protobuf), report);
    spec.deny_tombstones = fields
        .optional("tombstones")
        .and_then(|word| word.one_of(&[("allow", false), ("deny", true)], report))
        .unwrap_or(false);
    let key = match fields.optional("key") {
        Some(key) => {
            let mut fields = Fields::of(&key, report)?;
            let side = read_side(&mut fields, None, report);
            fields.finish(report);
            side
        }
        None => SchemaSpec::off(),
    };
    fields.finish(report);
    Some((spec, key))
}

fn read_side(fields: &mut Fields<'_>, default: Option<SchemaType>, report: &mut Report<'_>) -> SchemaSpec {
    let format = fields.optional("format").map_or(Some(default), |word| {
        let format = word.one_of(
            &[
                ("protobuf", Some(SchemaType::Protobuf)),
                ("avro", Some(SchemaType::Avro)),
                ("json", Some(SchemaType::Json)),
                ("none", None),
            ],
            report,
        )?;
        if let Some(wanted) = format.filter(|wanted| !SchemaType::SUPPORTED.contains(wanted)) {
            word.error(report, "T020", format!("{wanted} schemas are not available yet"), None);
        }
        Some(format)
    });
    let mut spec = SchemaSpec::of_format(format.unwrap_or(default));
    spec.subject = fields.optional("subject").and_then(|value| value.text(report)).map(str::to_owned);
    spec.compatibility = fields.optional("compatibility").and_then(|value| {
        value.parsed(|word| Level::from_wire(word).ok_or_else(|| format!("{word:?} is no compatibility level")), report)
    });
    if let Some(word) = fields.optional("enforcement") {
        let words = [("strict", Enforcement::Strict), ("warn", Enforcement::Warn), ("off", Enforcement::Off)];
        if let Some(enforcement) = word.one_of(&words, report) {
            spec.enforcement = enforcement;
            if spec.format.is_none() && enforcement != Enforcement::Off {
                word.error(report, "T021", "nothing to enforce without a `format`".to_owned(), None);
            }
        }
    }
    spec.auto_register =
        fields.optional("auto-register").and_then(|flag| flag.boolean(report)).unwrap_or(spec.auto_register);
    spec.message = fields.optional("message").and_then(|value| value.text(report)).map(str::to_owned);
    spec
}

fn read_quota(value: &Located<'_>, report: &mut Report<'_>) -> (Option<u64>, Option<u64>) {
    not_acted_on(value, report);
    let Some(mut fields) = Fields::of(value, report) else { return (None, None) };
    let bytes = fields.optional("produce-bytes").and_then(|value| value.parsed(units::bytes_per_second, report));
    let records = fields.optional("produce-records").and_then(|value| value.parsed(units::count_per_second, report));
    fields.finish(report);
    (bytes, records)
}
