//! The REST surface over clusters in memory, without a socket.

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
use sluice_data_plane::route::{ClusterEntry, RouteTable};
use sluice_data_plane::{DataPlane, DataPlaneConfig, DeliveryHub, Metrics};
use sluice_registry::memory::MemoryStore;
use sluice_registry::{Registry, RegistryConfig};
use tokio::sync::{mpsc, watch};

/// A REST proxy over one cluster in memory, `K1`.
pub(crate) struct Rest {
    pub(crate) hub: Arc<DeliveryHub>,
    pub(crate) one: Arc<MemoryCluster>,
    pub(crate) stop: watch::Sender<bool>,
    service: HttpService,
}

#[allow(dead_code)] // each test file uses some of it
impl Rest {
    pub(crate) fn new() -> Rest {
        let hub = DeliveryHub::new();
        let one = MemoryCluster::new("K1", hub.clone());
        let registry = Registry::new(Arc::new(MemoryStore::new()), RegistryConfig::default());
        let prometheus = prometheus::Registry::new();
        let metrics = Metrics::register(&prometheus).unwrap();
        let data = DataPlane::new(registry.clone(), hub.clone(), metrics, DataPlaneConfig::default());
        let mut table = RouteTable::default();
        table
            .clusters
            .insert("default".into(), ClusterEntry { name: "default".into(), kafka_id: None, is_ready: true });
        data.swap(Arc::new(table), vec![one.handle("default")]);
        let (stop, stopping) = watch::channel(false);
        let services = Services { registry, data, read_back: true };
        let api = Arc::new(Api::new(services, Settings::default(), prometheus, stopping).unwrap());
        let listener = Listener::new("rest", vec![Surface::Rest, Surface::Management], None);
        Rest { hub, one, stop, service: HttpService::new(api, listener) }
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

    async fn answer(&self, path: &str, headers: &[(&str, &str)], body: RequestBody) -> Response<Body> {
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

async fn reports(response: Response<Body>) -> Vec<Value> {
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
