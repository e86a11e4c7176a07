//! Reading records back: a bounded look at one topic, decoded as far as the registry knows the schemas.
//!
//! No group, no commit, nothing remembered. For the curl of `sluice dev` and for the console; a server turns it on.
//! Bounds: records, bytes, time; over all partitions unless one is named.

use sluice_registry::{Action, Caller, ContextName, Registry, Resource, UsableSchema};
use sluice_schema::SchemaId;
use sluice_schema::wire::{self, FramedId};

use crate::admin::AuthorizedOperations;
use crate::cluster::ConsumedRecord;
use crate::error::Error;
use crate::plane::DataPlane;
use crate::record::Side;

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadBack {
    /// Cluster or group id; `None`: the default group, or the only cluster.
    pub cluster_id: Option<String>,
    /// `None`: all.
    pub partition: Option<i32>,
    /// From here on in each partition; negative: the last so many. `None`: the last `limit`.
    pub offset: Option<i64>,
    /// Most records altogether.
    pub limit: usize,
}

/// Key or value, as far as it can be understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decoded {
    /// The bytes; `None` is Kafka's null.
    pub bytes: Option<Vec<u8>>,
    /// Id of the schema they are framed with, if the registry knows it.
    pub schema_id: Option<SchemaId>,
    /// A subject that has the schema.
    pub subject: Option<String>,
    /// JSON text: decoded under the schema, or the bytes themselves if they are JSON.
    pub json: Option<String>,
    /// The bytes as text, if they are UTF-8 and no JSON.
    pub text: Option<String>,
    /// Why framed bytes were not decoded.
    pub problem: Option<String>,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRecord {
    /// Where it is and its headers; key and value are taken out.
    pub record: ConsumedRecord,
    /// The key.
    pub key: Decoded,
    /// The value.
    pub value: Decoded,
}

impl DataPlane {
    /// Records of a topic, by partition and offset.
    pub async fn read_back(&self, caller: &Caller, topic: &str, what: &ReadBack) -> Result<Vec<ReadRecord>, Error> {
        let cluster_id = match &what.cluster_id {
            Some(id) => id.clone(),
            None => self.default_cluster_id(),
        };
        let resource = Resource::Topic { cluster: &cluster_id, topic };
        if !caller.may(Action::Read, &resource) {
            return Err(Error::Forbidden);
        }
        let live = self.home(&cluster_id, topic).await?;
        let known = self.describe_topic(&live, topic, AuthorizedOperations::LeaveOut).await?;
        let partitions: Vec<i32> = known
            .partitions
            .iter()
            .map(|partition| partition.id)
            .filter(|id| what.partition.is_none_or(|wanted| wanted == *id))
            .collect();
        if let Some(wanted) = what.partition.filter(|_| partitions.is_empty()) {
            return Err(Error::UnknownPartition(wanted));
        }
        let config = &self.inner.config;
        let limit = what.limit.min(config.read_back_max_records);
        let offset = what.offset.unwrap_or(-(limit as i64));
        let (mut records, mut bytes_left) = (Vec::new(), config.read_back_max_bytes);
        for partition in partitions {
            let wanted = limit - records.len();
            if wanted == 0 || bytes_left == 0 {
                break;
            }
            let timeout_ms = config.admin_timeout_ms;
            let read = live.handle.consume.read(topic, partition, offset, wanted, bytes_left, timeout_ms).await?;
            for record in read {
                let size = record.key.as_ref().map_or(0, Vec::len) + record.value.as_ref().map_or(0, Vec::len);
                bytes_left = bytes_left.saturating_sub(size);
                records.push(self.decode(caller, record).await);
            }
        }
        Ok(records)
    }

    /// The id that an unnamed cluster means.
    fn default_cluster_id(&self) -> String {
        let topology = self.inner.topology.load();
        let group = topology.routes.listed_groups().first().map(|group| group.id.clone());
        group.or_else(|| topology.clusters.keys().next().cloned()).map(|id| id.to_string()).unwrap_or_default()
    }

    async fn decode(&self, caller: &Caller, mut record: ConsumedRecord) -> ReadRecord {
        let (key, value) = (record.key.take(), record.value.take());
        let registry = &self.inner.registry;
        let key = decode_side(registry, caller, Side::Key, key, &record.headers).await;
        let value = decode_side(registry, caller, Side::Value, value, &record.headers).await;
        ReadRecord { record, key, value }
    }
}

async fn decode_side(
    registry: &Registry,
    caller: &Caller,
    side: Side,
    bytes: Option<Vec<u8>>,
    headers: &[(String, Option<Vec<u8>>)],
) -> Decoded {
    let Some(bytes) = bytes else { return Decoded::default() };
    let in_header = headers.iter().rev().find(|(name, _)| name == side.id_header());
    let framed = match in_header.and_then(|(_, value)| value.as_deref()).map(wire::split) {
        Some(Ok((id, indexes))) => Some((id, [indexes, &bytes].concat())),
        _ => wire::split(&bytes).ok().map(|(id, rest)| (id, rest.to_vec())),
    };
    let mut decoded = Decoded::default();
    if let Some((id, rest)) = framed
        && let Some(schema) = schema_of(registry, caller, id).await
    {
        decoded.schema_id = Some(schema.id);
        decoded.subject = subject_of(registry, caller, schema.id).await;
        match crate::usable::decode(&schema.schema, &rest) {
            Ok(json) => decoded.json = Some(json),
            Err(problem) => decoded.problem = Some(problem),
        }
    } else if let Ok(text) = std::str::from_utf8(&bytes) {
        let is_json = serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
        let place = if is_json { &mut decoded.json } else { &mut decoded.text };
        *place = Some(text.to_owned());
    }
    decoded.bytes = Some(bytes);
    decoded
}

async fn schema_of(registry: &Registry, caller: &Caller, id: FramedId) -> Option<UsableSchema> {
    let (context, id) = match id {
        FramedId::Id(id) => (ContextName::default_context(), id),
        FramedId::Guid(guid) => registry.ids_of_guid(caller, guid).await.ok()?.into_iter().next()?,
    };
    registry.usable_by_id(&context, id).await.ok()
}

async fn subject_of(registry: &Registry, caller: &Caller, id: SchemaId) -> Option<String> {
    let page = sluice_registry::Page { offset: 0, limit: Some(1) };
    let include = sluice_registry::Include::Live;
    let subjects = registry.subjects_of_id(caller, id, None, include, page).await.ok()?;
    subjects.first().map(|subject| subject.qualified())
}
