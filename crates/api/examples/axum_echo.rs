//! The yardstick of `make bench`: bare axum doing the least that an answer needs.
//!
//!     axum_echo PORT
//!
//! `GET /body/{n}` answers a fixed JSON body of n bytes (n ≤ 65536); `POST /produce` reads a record as the REST proxy
//! gets it, decodes its base64 and answers a report of the usual size. No limits, no log, no routes beyond these.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use serde::Deserialize;

const REPORT: &str = "{\"error_code\":200,\"cluster_id\":\"4L6g3nShT-eMCtK--X86sw\",\"topic_name\":\"bench\",\
    \"partition_id\":0,\"offset\":123456,\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"value\":{\"type\":\"BINARY\",\"size\":100}}\r\n";

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    value: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[allow(dead_code)]
    #[serde(rename = "type")]
    format: &'a str,
    data: &'a str,
}

fn json(body: impl Into<Bytes>) -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], body.into()).into_response()
}

async fn body(State(filler): State<Bytes>, Path(size): Path<usize>) -> Response {
    json(filler.slice(..size.min(filler.len())))
}

async fn produce(body: Bytes) -> Response {
    let Ok(record) = serde_json::from_slice::<Record<'_>>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match base64_simd::STANDARD.decode_to_vec(record.value.data) {
        Ok(bytes) if !bytes.is_empty() => json(REPORT),
        _ => StatusCode::BAD_REQUEST.into_response(),
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port: u16 = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(8099);
    let filler = Bytes::from(format!("{{\"filler\":\"{}\"}}", "x".repeat(65_536)));
    let app = Router::new().route("/body/{size}", get(body)).route("/produce", post(produce)).with_state(filler);
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await?;
    let listener = listener.tap_io(|connection| {
        // The yardstick gets what the server gives itself.
        let _ = connection.set_nodelay(true);
    });
    axum::serve(listener, app).await
}
