//! One request on its way to a handler: what was resolved, negotiated and admitted.
//!
//! Handlers get a [`Call`] by value and read it through accessors: path parameters decoded, query parameters with the
//! reference's coercions, the body within its limits. Nothing here decides; it reads.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::request::Parts;
use sluice_registry::Caller;

use crate::Api;
use crate::answer::Body;
use crate::body::{self, Pace, RequestBody};
use crate::error::HttpError;
use crate::media::Produced;
use crate::observe::RequestId;
use crate::query::Query;
use crate::route::{Params, Route, names_context};
use crate::serve::Listener;

/// What a handler promises.
pub(crate) type Running = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;
/// A handler: takes the call, answers in time.
pub(crate) type Handler = fn(Call) -> Running;
/// An answer that needs no waiting, if there is one.
pub(crate) type Recall = fn(&Call) -> Option<Response<Body>>;

/// A request that found its route.
pub struct Call {
    /// Services and settings.
    pub api: Arc<Api>,
    /// Where it came in.
    pub listener: Arc<Listener>,
    /// For whom.
    pub caller: Caller,
    /// The table's line.
    pub route: &'static Route,
    /// The type to answer with.
    pub media: &'static Produced,
    /// Method, URI, headers.
    pub head: Parts,
    /// The request's id: in the answer's header, the log line, and messages that ask a person to look.
    pub request_id: RequestId,
    pub(crate) params: Params,
    pub(crate) body: RequestBody,
}

impl Call {
    /// The decoded path parameter of this name; empty if the pattern has none.
    pub fn path(&self, name: &str) -> Cow<'_, str> {
        self.optional_path(name).unwrap_or_default()
    }

    /// The decoded path parameter of this name, if the path has one.
    pub fn optional_path(&self, name: &str) -> Option<Cow<'_, str>> {
        self.params.get(self.route, self.head.uri.path(), name)
    }

    /// A path parameter that is an int; anything else is no such path (404), as in the reference.
    pub fn int_path(&self, name: &str) -> Result<i32, HttpError> {
        int(&self.path(name))
    }

    /// The qualifier that the path's context prefix stands for, `:.ctx:`; `None` without a prefix.
    pub fn context_prefix(&self) -> Option<String> {
        let context = self.params.context(self.head.uri.path())?;
        Some(if context.starts_with('.') { format!(":{context}:") } else { format!(":.{context}:") })
    }

    /// The subject that the path means, qualified by its context prefix unless it names a context itself; with a
    /// prefix but no subject (`/contexts/.c/config`), the context as a whole, `:.c:`. `None` for neither.
    pub fn subject_text(&self) -> Option<String> {
        match (self.context_prefix(), self.optional_path("subject")) {
            (None, None) => None,
            (Some(prefix), None) => Some(prefix),
            (Some(prefix), Some(subject)) if !names_context(&subject) => Some(prefix + &subject),
            (_, Some(subject)) => Some(subject.into_owned()),
        }
    }

    /// The query.
    pub fn query(&self) -> Query<'_> {
        Query::new(self.head.uri.query().unwrap_or_default())
    }

    /// The whole body, within the default limits of size and pace.
    pub async fn read_body(&mut self) -> Result<Bytes, HttpError> {
        body::read(&mut self.body, self.api.settings.max_body_bytes, Pace::DEFAULT).await
    }

    /// The body itself, for handlers that read it piece by piece.
    pub fn take_body(&mut self) -> RequestBody {
        std::mem::take(&mut self.body)
    }
}

/// An int as the reference's path and query parameters read it: a sign, digits; anything else is a 404.
pub fn int(text: &str) -> Result<i32, HttpError> {
    text.parse().map_err(|_| HttpError::NotFound)
}
