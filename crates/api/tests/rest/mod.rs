//! The REST surface over clusters in memory, without a socket.

#![allow(dead_code)] // each test file uses some of it

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::Value;
use sluice_api::answer::Body;
use sluice_api::body::RequestBody;
use sluice_api::route::Surface;
use sluice_api::serve::Listener;
use sluice_api::service::HttpService;
use sluice_api::{Api, Services, Settings};
use sluice_data_plane::cluster::ConsumedRecord;
use sluice_data_plane::memory::MemoryCluster;
use sluice_data_plane::route::{ClusterEntry, GroupEntry, RouteTable, TopicEntry};
use sluice_data_plane::{DataPlane, DataPlaneConfig, DeliveryHub, Metrics};
use sluice_registry::memory::MemoryStore;
use sluice_registry::{
    Caller, ConfigUpdate, Normalize, RegisterOptions, Registry, RegistryConfig, SchemaRequest, Scope, SubjectName,
};
use sluice_schema::{Format, Reference};
use tokio::sync::{mpsc, watch};

/// A REST proxy over clusters in memory: `K1` (`one`), and `K2` (`two`) where files declare it.
pub(crate) struct Rest {
    pub(crate) hub: Arc<DeliveryHub>,
    pub(crate) one: Arc<MemoryCluster>,
    pub(crate) two: Arc<MemoryCluster>,
    pub(crate) registry: Registry,
    pub(crate) store: MemoryStore,
    pub(crate) metrics: prometheus::Registry,
    pub(crate) stop: watch::Sender<bool>,
    service: HttpService,
}

impl Rest {
    /// Over one cluster and no files.
    pub(crate) fn new() -> Rest {
        let mut table = RouteTable::default();
        let only = ClusterEntry { name: "one".into(), kafka_id: None, is_ready: true };
        table.clusters.insert("one".into(), only);
        Rest::over(table)
    }

    /// Over both clusters, in the group `lkg`, with these topics declared.
    pub(crate) fn with_topics(topics: Vec<TopicEntry>) -> Rest {
        let mut table = RouteTable::default();
        for name in ["one", "two"] {
            let cluster = ClusterEntry { name: name.into(), kafka_id: None, is_ready: true };
            table.clusters.insert(name.into(), cluster);
        }
        let members = vec!["one".into(), "two".into()];
        let group = GroupEntry { id: "lkg".into(), members, is_default: true, undeclared: None };
        table.groups.insert("lkg".into(), group);
        table.topics = topics.into_iter().map(|topic| (topic.name.clone(), Arc::new(topic))).collect();
        Rest::over(table)
    }

    fn over(table: RouteTable) -> Rest {
        let hub = DeliveryHub::new();
        let (one, two) = (MemoryCluster::new("K1", hub.clone()), MemoryCluster::new("K2", hub.clone()));
        let store = MemoryStore::new();
        let registry = Registry::new(Arc::new(store.clone()), RegistryConfig::default());
        let prometheus = prometheus::Registry::new();
        let metrics = Metrics::register(&prometheus).unwrap();
        let data = DataPlane::new(registry.clone(), hub.clone(), metrics, DataPlaneConfig::default());
        let handles = [one.handle("one"), two.handle("two")];
        let handles = handles.into_iter().filter(|handle| table.clusters.contains_key(&handle.name)).collect();
        data.swap(Arc::new(table), handles);
        let (stop, stopping) = watch::channel(false);
        let services = Services { registry: registry.clone(), data, read_back: true };
        let api = Arc::new(Api::new(services, Settings::default(), prometheus.clone(), stopping).unwrap());
        let listener = Listener::new("rest", vec![Surface::Rest, Surface::Management], None);
        let service = HttpService::new(api, listener);
        Rest { hub, one, two, registry, store, metrics: prometheus, stop, service }
    }

    /// Registers a protobuf schema; its id.
    pub(crate) async fn register(&self, subject: &str, text: &str, references: Vec<Reference>) -> i32 {
        let request = SchemaRequest {
            schema: Some(text.to_owned()),
            schema_type: Some("PROTOBUF".to_owned()),
            references: references.into_iter().map(Into::into).collect(),
            ..SchemaRequest::default()
        };
        let options = RegisterOptions { normalize: Normalize::No, force: false, format: Format::Canonical };
        let subject = SubjectName::parse(subject);
        self.registry.register(&Caller::everything(), &subject, request, options).await.unwrap().id.0
    }

    /// Makes `subject` an alias of `target`.
    pub(crate) async fn alias(&self, subject: &str, target: &str) {
        let update = ConfigUpdate { alias: Some(Some(target.to_owned())), ..ConfigUpdate::default() };
        let scope = Scope::Subject(SubjectName::parse(subject));
        self.registry.update_config(&Caller::everything(), &scope, update).await.unwrap();
    }

    /// What `/metrics` says of this counter with these labels; 0 if nothing.
    pub(crate) fn counted(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let families = self.metrics.gather();
        let of_name = families.iter().filter(|family| family.name() == name);
        of_name
            .flat_map(|family| family.get_metric())
            .filter(|metric| {
                labels.iter().all(|(label, value)| {
                    metric.get_label().iter().any(|pair| pair.name() == *label && pair.value() == *value)
                })
            })
            .map(|metric| metric.get_counter().get_value() as u64)
            .sum()
    }

    /// Every record of every topic.
    pub(crate) fn one_records(&self) -> Vec<ConsumedRecord> {
        self.one.topic_names().iter().flat_map(|name| self.one.records(name)).collect()
    }

    pub(crate) async fn send(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Response<Body> {
        self.answer(path, headers, RequestBody::Whole(body.into())).await
    }

    /// Status and JSON of a GET.
    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let request = Request::builder().uri(path).header("host", "h").body(RequestBody::Empty).unwrap();
        let response = self.service.answer(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    pub(crate) async fn answer(&self, path: &str, headers: &[(&str, &str)], body: RequestBody) -> Response<Body> {
        let mut request = Request::builder().method("POST").uri(path).header("host", "h");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if headers.is_empty() {
            request = request.header("content-type", "application/json");
        }
        self.service.answer(request.body(body).unwrap()).await.unwrap()
    }

    /// Status, and the JSON texts of the answer.
    pub(crate) async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (u16, Vec<Value>) {
        let headers = if headers.is_empty() { &[("x-none", "")] } else { headers };
        let response = self.answer(path, headers, RequestBody::Whole(body.into())).await;
        (response.status().as_u16(), reports(response).await)
    }

    /// The reports of a stream that must be accepted.
    pub(crate) async fn post(&self, path: &str, body: impl Into<Bytes>) -> Vec<Value> {
        self.post_body(path, RequestBody::Whole(body.into())).await
    }

    /// As [`Rest::post`], with a body that comes in pieces.
    pub(crate) async fn post_body(&self, path: &str, body: RequestBody) -> Vec<Value> {
        let response = self.answer(path, &[], body).await;
        assert_eq!(response.status(), 200);
        reports(response).await
    }
}

/// The JSON texts of an answer.
pub(crate) async fn reports(response: Response<Body>) -> Vec<Value> {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::Deserializer::from_slice(&bytes).into_iter().map(|value| value.unwrap()).collect()
}

struct Channel(mpsc::UnboundedReceiver<Bytes>);

impl http_body::Body for Channel {
    type Data = Bytes;
    type Error = sluice_api::answer::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(http_body::Frame::data(bytes))))
    }
}

/// A body, and where its pieces come from; it ends when the sender is dropped.
pub(crate) fn channel_body() -> (mpsc::UnboundedSender<Bytes>, RequestBody) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (sender, RequestBody::Pieces(Box::pin(Channel(receiver))))
}
