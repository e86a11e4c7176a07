//! Answers: bodies, and how handlers make them.
//!
//! A body is whole ([`Body::Whole`], the common case: one allocation, exact length) or a stream. Handlers return
//! `Result<Answer, E>`; [`respond`] gives it the negotiated type. HEAD, gzip and the headers of every answer are
//! added in `service.rs`.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body::{Frame, SizeHint};
use serde::Serialize;

use crate::error::Wire;
use crate::media::Produced;

/// A boxed stream of body frames. An error breaks the connection off, so that the client sees the cut.
pub type StreamBody = Pin<Box<dyn http_body::Body<Data = Bytes, Error = BoxError> + Send>>;

/// What breaks a streamed body off.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A response body.
pub enum Body {
    /// Everything at once.
    Whole(Bytes),
    /// Piece by piece.
    Stream(StreamBody),
}

impl Body {
    /// No bytes.
    pub const EMPTY: Body = Body::Whole(Bytes::new());
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut *self {
            Body::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Body::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Body::Stream(stream) => stream.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Whole(bytes) => bytes.is_empty(),
            Body::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Body::Stream(stream) => stream.size_hint(),
        }
    }
}

impl From<Infallible> for Wire {
    fn from(never: Infallible) -> Wire {
        match never {}
    }
}

/// What a handler answers when it succeeds.
pub struct Answer(Response<Body>);

impl Answer {
    /// 200 with this JSON text.
    pub fn json_text(text: impl Into<Bytes>) -> Answer {
        Answer(Response::new(Body::Whole(text.into())))
    }

    /// 200 with `value` as JSON. Values of ours always serialise; should one not, the body is empty.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Answer {
        Answer::json_text(serde_json::to_vec(value).unwrap_or_default())
    }

    /// 204.
    pub fn no_content() -> Answer {
        Answer(Response::new(Body::EMPTY)).status(StatusCode::NO_CONTENT)
    }

    /// 200 with a body that comes piece by piece.
    pub fn stream(body: StreamBody) -> Answer {
        Answer(Response::new(Body::Stream(body)))
    }

    /// Another status.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Answer {
        *self.0.status_mut() = status;
        self
    }

    /// One more header; `Content-Type` replaces the negotiated one.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Answer {
        self.0.headers_mut().insert(name, value);
        self
    }
}

/// The response to what a handler said, labelled with the negotiated type.
pub(crate) fn respond<E: Into<Wire>>(media: &'static Produced, result: Result<Answer, E>) -> Response<Body> {
    match result {
        Ok(Answer(mut response)) => {
            let unlabelled = response.headers().is_empty() || !response.headers().contains_key(CONTENT_TYPE);
            if unlabelled && response.status() != StatusCode::NO_CONTENT {
                response.headers_mut().insert(CONTENT_TYPE, media.header());
            }
            response
        }
        Err(error) => error_response(media, error.into()),
    }
}

/// Why a response says that we failed; read (and logged once) by `service.rs`.
#[derive(Debug, Clone)]
pub(crate) struct Cause(pub(crate) String);

#[derive(Serialize)]
struct ErrorBody<'a> {
    error_code: u32,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

/// `{"error_code": …, "message": …}` as JSON text.
pub fn error_text(code: u32, message: &str) -> Vec<u8> {
    serde_json::to_vec(&ErrorBody { error_code: code, message, hint: None }).unwrap_or_default()
}

pub(crate) fn error_response(media: &'static Produced, wire: Wire) -> Response<Body> {
    let body = ErrorBody { error_code: wire.code, message: &wire.message, hint: wire.hint.as_deref() };
    let mut response = Response::new(Body::Whole(serde_json::to_vec(&body).unwrap_or_default().into()));
    *response.status_mut() = wire.status;
    response.headers_mut().insert(CONTENT_TYPE, media.header());
    if let Some(cause) = wire.cause {
        response.extensions_mut().insert(Cause(cause));
    }
    response
}
