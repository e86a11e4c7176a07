//! The server on a real socket: what every answer has, what is refused, and what no client can do to it.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use std::sync::Arc;
use std::time::Duration;

use sluice_api::route::Surface;
use sluice_api::serve::{Listener, bind, connection_limit, serve};
use sluice_api::{Api, Services, Settings, cors};
use sluice_data_plane::DataPlane;
use sluice_data_plane::config::DataPlaneConfig;
use sluice_data_plane::deliveries::DeliveryHub;
use sluice_registry::memory::MemoryStore;
use sluice_registry::{Registry, RegistryConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

struct Server {
    address: std::net::SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// A server of both the registry and the management surface, on the store in memory.
async fn start(settings: Settings) -> Server {
    let (stop, stopping) = watch::channel(false);
    let registry = Registry::new(Arc::new(MemoryStore::new()), RegistryConfig::default());
    let metrics = prometheus::Registry::new();
    let counted = sluice_data_plane::metrics::Metrics::register(&metrics).unwrap();
    let data = DataPlane::new(registry.clone(), DeliveryHub::new(), counted, DataPlaneConfig::default());
    let services = Services { registry, data, read_back: false };
    let api = Arc::new(Api::new(services, settings, metrics, stopping.clone()).unwrap());
    let socket = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let listener = Listener::new("registry", vec![Surface::Registry, Surface::Management], None);
    let limit = connection_limit(&api);
    let task = tokio::spawn(async move { serve(socket, api, listener, limit, stopping).await.unwrap() });
    Server { address, stop, task }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Everything the server says to `request` until it closes the connection.
    async fn say(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A reset after the answer is as good as an end.
        let _ = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn post(&self, path: &str, json: &str) -> serde_json::Value {
        self.send("POST", path, json).await
    }

    /// The JSON that answers a JSON.
    async fn send(&self, method: &str, path: &str, json: &str) -> serde_json::Value {
        let length = json.len();
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json");
        let answer = self.say(&format!("{head}\r\nContent-Length: {length}\r\n\r\n{json}")).await;
        serde_json::from_str(body(&answer)).unwrap()
    }

    /// The answer to a request without a body; the connection is closed afterwards.
    async fn ask(&self, method: &str, path: &str, headers: &str) -> String {
        self.say(&format!("{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{headers}\r\n")).await
    }
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines().skip(1).find_map(|line| {
        let (known, value) = line.split_once(": ")?;
        known.eq_ignore_ascii_case(name).then_some(value)
    })
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

#[tokio::test]
async fn every_answer_has_an_id_a_type_and_a_length() {
    let server = start(Settings::default()).await;
    let answer = server.ask("GET", "/", "X-Request-ID: mine\r\n").await;
    assert_eq!((status(&answer), body(&answer)), ("200", "{}"));
    assert_eq!(header(&answer, "x-request-id"), Some("mine"));
    assert_eq!(header(&answer, "content-type"), Some("application/vnd.schemaregistry.v1+json"));
    assert_eq!(header(&answer, "content-length"), Some("2"));
    let answer = server.ask("GET", "/nothing", "").await;
    assert_eq!((status(&answer), header(&answer, "content-type")), ("404", Some("application/json")));
    assert_eq!(body(&answer), r#"{"error_code":404,"message":"HTTP 404 Not Found"}"#);
    assert_eq!(header(&answer, "x-request-id").map(str::len), Some(36));
}

#[tokio::test]
async fn head_options_and_wrong_methods_follow_the_table() {
    let server = start(Settings::default()).await;
    let answer = server.ask("HEAD", "/", "").await;
    assert_eq!((status(&answer), body(&answer), header(&answer, "content-length")), ("200", "", Some("2")));
    let answer = server.ask("OPTIONS", "/subjects", "").await;
    assert_eq!((status(&answer), body(&answer)), ("200", "HEAD, GET, OPTIONS"));
    assert_eq!(header(&answer, "allow"), Some("HEAD,GET,OPTIONS"));
    assert_eq!(header(&answer, "content-type"), Some("text/plain"));
    let answer = server.ask("OPTIONS", "/subjects", "Accept: application/json\r\n").await;
    assert_eq!((header(&answer, "content-type"), body(&answer)), (Some("application/json"), ""));
    let answer = server.ask("FOO", "/subjects", "").await;
    assert_eq!((status(&answer), header(&answer, "allow")), ("405", Some("HEAD,GET,OPTIONS")));
    let answer = server.ask("OPTIONS", "*", "").await;
    assert_eq!((status(&answer), body(&answer)), ("404", ""));
    assert_eq!(status(&server.ask("CONNECT", "/subjects", "").await), "400");
    assert_eq!(status(&server.ask("GET", "/", "Accept: text/html\r\n").await), "406");
    assert_eq!(status(&server.ask("GET", "/", "Content-Type: text/plain\r\n").await), "415");
    let answer = server.ask("GET", "/", "Content-Type: nonsense\r\n").await;
    assert_eq!((status(&answer), header(&answer, "content-type")), ("400", Some("application/json")));
}

#[tokio::test]
async fn heads_that_are_too_long_or_ambiguous_are_refused_and_the_server_goes_on() {
    let server = start(Settings::default()).await;
    let long = "a".repeat(9000);
    assert_eq!(status(&server.ask("GET", &format!("/?x={long}"), "").await), "414");
    assert_eq!(status(&server.ask("GET", "/", &format!("X-A: {long}\r\n")).await), "431");
    // Far over the limit the answer may be lost with the connection: the rest of the head is never read.
    let answer = server.ask("GET", "/", &format!("X-A: {}\r\n", "a".repeat(300_000))).await;
    assert!(matches!(status(&answer), "431" | "none"), "{answer}");
    assert_eq!(status(&server.ask("GET", &format!("/?x={}", "a".repeat(4000)), "").await), "200");
    for path in ["//", "/subjects//versions", "/subjects/%FF", "/subjects/%00", "/subjects/%5C", "/%2e%2e/"] {
        let answer = server.ask("GET", path, "").await;
        assert_eq!((status(&answer), header(&answer, "content-type")), ("400", Some("application/json")), "{path}");
    }
    assert_eq!(status(&server.ask("GET", "http://elsewhere/", "").await), "400");
    assert_eq!(status(&server.ask("GET", "http://h/", "").await), "200");
    assert_eq!(status(&server.ask("GET", "/", "").await), "200");
}

#[tokio::test]
async fn a_body_is_bounded_in_length_and_in_time() {
    let server = start(Settings { max_body_bytes: 1000, ..Settings::default() }).await;
    let head = "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n";
    let answer = server.say(&format!("{head}Content-Length: 1001\r\n\r\n")).await;
    assert_eq!(status(&answer), "413");
    let chunk = format!("{:x}\r\n{}\r\n", 600, "a".repeat(600));
    let answer = server.say(&format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n")).await;
    assert_eq!(status(&answer), "413");
    let started = std::time::Instant::now();
    let answer = server.say(&format!("{head}Content-Length: 10\r\n\r\n{{")).await;
    assert_eq!(status(&answer), "408");
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    let answer = server.say(&format!("{head}Content-Length: 2\r\n\r\n{{}}")).await;
    assert_eq!((status(&answer), body(&answer)), ("200", "{}"));
}

#[tokio::test]
async fn a_connection_serves_many_requests_one_after_the_other_and_all_at_once() {
    let server = start(Settings::default()).await;
    let one = "GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n";
    let last = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    let answer = server.say(&format!("{}{last}", one.repeat(50))).await;
    assert_eq!(answer.matches("HTTP/1.1 404").count(), 50);
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 1);
}

#[tokio::test]
async fn http2_is_spoken_without_an_upgrade() {
    let server = start(Settings::default()).await;
    let mut stream = server.connect().await;
    // Preface, and an empty SETTINGS frame.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut frame = [0u8; 9];
    stream.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[3], 4, "the server's SETTINGS come first: {frame:?}");
}

#[tokio::test]
async fn one_connection_too_many_is_told_so_and_the_others_live_on() {
    let server = start(Settings { max_connections: 3, ..Settings::default() }).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut stream = server.connect().await;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
        let mut answer = [0u8; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        open.push(stream);
    }
    let mut refused = String::new();
    server.connect().await.read_to_string(&mut refused).await.unwrap();
    assert_eq!(status(&refused), "503");
    let length: usize = header(&refused, "content-length").unwrap().parse().unwrap();
    assert_eq!(body(&refused).len(), length);
    drop(open);
    // The places become free as soon as the server sees the connections end.
    let freed = async {
        while status(&server.ask("GET", "/", "").await) != "200" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), freed).await.unwrap();
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let server = start(Settings { head_timeout: Duration::from_millis(300), ..Settings::default() }).await;
    let started = std::time::Instant::now();
    for beginning in ["", "P", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\nHost: a.very.long.host.example"] {
        let answer = server.say(beginning).await;
        assert!(started.elapsed() < Duration::from_secs(5), "{beginning}: {answer}");
    }
    // One that ended a while ago does not count against what follows.
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(status(&answer), "200");
}

#[tokio::test]
async fn stopping_finishes_what_runs_and_accepts_nothing_more() {
    let server = start(Settings::default()).await;
    let mut idle = server.connect().await;
    idle.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let mut first = [0u8; 12];
    idle.read_exact(&mut first).await.unwrap();
    let mut slow = server.connect().await;
    let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{";
    slow.write_all(head.as_bytes()).await.unwrap();
    // The head has been read once the server has answered another request that came later.
    assert_eq!(status(&server.ask("GET", "/", "").await), "200");
    server.stop.send(true).unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(5), idle.read_to_end(&mut rest)).await.unwrap().unwrap();
    slow.write_all(b"}").await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(Duration::from_secs(5), slow.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert_eq!((status(&answer), body(&answer)), ("200", "{}"));
    tokio::time::timeout(Duration::from_secs(5), server.task).await.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn answers_are_compressed_marked_and_counted() {
    let cors = cors::Cors {
        origins: vec!["http://a.example".parse().unwrap()],
        methods: "GET,POST".parse().unwrap(),
        headers: "Content-Type".parse().unwrap(),
    };
    let server = start(Settings { cors: Some(cors), ..Settings::default() }).await;
    let answer = server.ask("GET", "/nothing", "Accept-Encoding: gzip\r\nOrigin: http://a.example\r\n").await;
    assert_eq!(header(&answer, "content-encoding"), Some("gzip"));
    assert_eq!(header(&answer, "access-control-allow-origin"), Some("http://a.example"));
    let answer = server.ask("GET", "/", "Accept-Encoding: gzip\r\nOrigin: http://b.example\r\n").await;
    assert_eq!((header(&answer, "content-encoding"), header(&answer, "access-control-allow-origin")), (None, None));
    let preflight = "Origin: http://a.example\r\nAccess-Control-Request-Method: POST\r\n";
    let answer = server.ask("OPTIONS", "/anything", preflight).await;
    assert_eq!((status(&answer), header(&answer, "access-control-allow-methods")), ("200", Some("GET,POST")));
    let metrics = server.ask("GET", "/metrics", "Accept: application/openmetrics-text\r\n").await;
    assert!(header(&metrics, "content-type").unwrap().starts_with("text/plain"));
    assert!(metrics.contains(r#"sluice_http_requests_total{operation="root",status="2xx"} 1"#), "{metrics}");
    assert!(metrics.contains(r#"sluice_http_requests_total{operation="none",status="4xx"} 1"#), "{metrics}");
    let ready = server.ask("GET", "/readyz", "").await;
    assert_eq!(status(&ready), "200");
    assert_eq!(status(&server.ask("GET", "/readyz/registry", "").await), "200");
    assert_eq!(body(&server.ask("GET", "/healthz", "").await), r#"{"status":"up"}"#);
}

#[tokio::test]
async fn a_client_that_never_reads_its_answers_is_let_go() {
    let server = start(Settings { write_timeout: Duration::from_millis(200), ..Settings::default() }).await;
    let mut stream = server.connect().await;
    let requests = "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n".repeat(1000);
    // Answers fill both socket buffers, the server stops reading, the client cannot write; then the server gives up.
    let stuck = async { while stream.write_all(requests.as_bytes()).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(20), stuck).await.unwrap();
    assert_eq!(status(&server.ask("GET", "/", "").await), "200");
}

/// The reference's bodies stay as they are for who does not ask.
#[tokio::test]
async fn a_hint_is_told_only_to_who_asks_for_it() {
    let server = start(Settings::default()).await;
    let post = async |path: &str, message: &str| {
        let schema =
            format!(r#"{{"schemaType": "PROTOBUF", "schema": "syntax = \"proto3\"; message M {{ {message} }}"}}"#);
        server.post(path, &schema).await
    };
    let hint = "Keep `int32 n = 1;` in M as it is, and add the new one beside it under another name: \
                `string n_new = 2;`.";
    let (register, check) = ("/subjects/s/versions", "/compatibility/subjects/s/versions");
    assert_eq!(post(register, "int32 n = 1;").await["version"], 1);
    let breaking = "string n = 1;";
    let refused = post(&format!("{register}?hints=true"), breaking).await;
    assert_eq!((&refused["error_code"], &refused["hint"]), (&40901.into(), &hint.into()));
    assert_eq!(post(register, breaking).await.get("hint"), None);
    for path in [check.to_owned(), format!("{check}/latest"), format!("{check}/1")] {
        let plain = post(&path, breaking).await;
        assert_eq!(plain, serde_json::json!({"is_compatible": false}));
        let hinted = post(&format!("{path}?hints=true"), breaking).await;
        assert_eq!(hinted, serde_json::json!({"is_compatible": false, "hint": hint}));
    }
    let fits = post(&format!("{check}?hints=true"), "int32 n = 1; int32 m = 2;").await;
    assert_eq!(fits, serde_json::json!({"is_compatible": true}));
}

/// The reference's filter writes the path's context over the parameter.
#[tokio::test]
async fn the_context_of_the_path_hides_the_one_that_a_request_about_associations_names() {
    let server = start(Settings::default()).await;
    let schema = r#"{"schema": "\"string\""}"#;
    assert_eq!(server.post("/subjects/:.b:s/versions", schema).await["version"], 1);
    let association = |name: &str| {
        let weak = r#"{"subject": "s", "associationType": "value", "lifecycle": "WEAK"}"#;
        format!(
            r#"{{"resourceName": "{name}", "resourceNamespace": "n", "resourceId": "{name}", "associations": [{weak}]}}"#
        )
    };
    for (name, path) in [("one", "/associations?context=:.b:"), ("two", "/contexts/b/associations?context=:.c:")] {
        let answer = server.post(path, &association(name)).await;
        assert_eq!(answer["associations"][0]["subject"], ":.b:s", "{path}: {answer}");
    }
    let elsewhere = server.post("/contexts/c/associations?context=:.b:", &association("three")).await;
    assert_eq!(elsewhere["error_code"], 40907);
}

/// Source: schema-registry `ModeResource#updateMode`, `ConfigResource#updateSubjectLevelConfig`.
#[tokio::test]
async fn a_name_that_has_no_settings_is_told_before_a_wrong_mode_and_after_a_wrong_level() {
    let server = start(Settings::default()).await;
    let code = async |path: &str, json: &str| server.send("PUT", path, json).await["error_code"].clone();
    for mode in ["BOGUS", "FORWARD", "READONLY"] {
        assert_eq!(code("/mode/__GLOBAL", &format!(r#"{{"mode": "{mode}"}}"#)).await, 42208, "{mode}");
    }
    assert_eq!(code("/mode/s", r#"{"mode": "BOGUS"}"#).await, 42204);
    assert_eq!(code("/config/__GLOBAL", r#"{"compatibility": "BOGUS"}"#).await, 42203);
    assert_eq!(code("/config/__GLOBAL", r#"{"compatibility": "FULL"}"#).await, 42208);
}

/// Source: the arguments of a resource's method are read before it runs, its body among them.
#[tokio::test]
async fn a_body_that_cannot_be_read_is_told_before_a_version_that_is_none() {
    let server = start(Settings::default()).await;
    for path in ["/subjects/s/versions/x/tags", "/compatibility/subjects/s/versions/x"] {
        for (body, code) in [("{", 400), ("null", 422), ("{}", 42202)] {
            assert_eq!(server.post(path, body).await["error_code"], code, "{path} {body}");
        }
    }
}

/// Source: schema-registry `AbstractSchemaRegistry#extractSchemaTags`, `SubjectsResource#getLatestWithMetadata`.
#[tokio::test]
async fn a_tag_may_hold_a_comma_and_of_a_repeated_key_the_last_value_counts() {
    let server = start(Settings::default()).await;
    let field = |tag: &str| format!(r#"{{"name":"a","type":"int","confluent:tags":["{tag}"]}}"#);
    let record = |tag: &str| format!(r#"{{"type":"record","name":"R","fields":[{}]}}"#, field(tag));
    let request = |tag: &str, owner: &str| {
        serde_json::json!({"schema": record(tag), "metadata": {"properties": {"owner": owner}}}).to_string()
    };
    server.post("/subjects/s/versions", &request("PII", "one")).await;
    server.post("/subjects/s/versions", &request("a,b", "two")).await;
    let get = async |path: &str| -> serde_json::Value {
        serde_json::from_str(body(&server.ask("GET", path, "").await)).unwrap()
    };
    let tags = async |query: &str| get(&format!("/subjects/s/versions/{query}")).await["schemaTags"][0]["tags"].clone();
    assert_eq!(tags("2?findTags=a,b").await, serde_json::json!(["a,b"]));
    assert_eq!(tags("1?findTags=a,PII").await, serde_json::Value::Null);
    assert_eq!(tags("1?findTags=a&findTags=PII").await, serde_json::json!(["PII"]));
    assert_eq!(get("/subjects/s/metadata?key=owner&value=two&key=owner&value=one").await["version"], 1);
    assert_eq!(get("/subjects/s/metadata?key=owner&value=one&key=owner&value=two").await["version"], 2);
}

/// Source: schema-registry `ContextFilter#startsWithContext`.
#[tokio::test]
async fn a_subject_that_names_its_context_keeps_it_behind_another_prefix_however_it_is_written() {
    let server = start(Settings::default()).await;
    for name in [":.c:plain", "%3A.c%3Aescaped"] {
        server.post(&format!("/contexts/.b/subjects/{name}/versions"), r#"{"schema":"\"int\""}"#).await;
    }
    let listed = server.ask("GET", "/subjects", "").await;
    assert_eq!(body(&listed), r#"[":.c:escaped",":.c:plain"]"#);
    let listed = server.ask("GET", "/contexts/.b/contexts/.c/subjects?subjectPrefix=p", "").await;
    assert_eq!(body(&listed), r#"[":.c:plain"]"#);
}
