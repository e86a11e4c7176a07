//! One request from its head to its answer: limits, route, media type, door, handler, and what every answer gets.
//!
//! The order of refusals is the reference's: 414/431, 400 and 404 (path), 405 (method), 415, 406, 401, 403, then the
//! handler's own. A route with an answer at hand (`recall`) is answered without a box, a task, or a wait. A handler
//! that panics is answered 500 and its connection lives on.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::CatchUnwind;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Uri, Version};
use http_body::Body as _;
use sluice_registry::{Caller, ContextName, Resource, SubjectName};

use crate::Api;
use crate::answer::{Body, Cause, error_response};
use crate::auth::Admission;
use crate::body::RequestBody;
use crate::call::{Call, Running};
use crate::compress;
use crate::cors;
use crate::error::HttpError;
use crate::media::{self, Produced, check_content_type, negotiate};
use crate::observe::{Entry, RequestId, X_REQUEST_ID};
use crate::route::{Allow, On, RouteError, Surface, Verb};
use crate::serve::Listener;

/// The service of one listener. Cloned per connection.
#[derive(Clone)]
pub struct HttpService {
    api: Arc<Api>,
    listener: Arc<Listener>,
}

/// What becomes of a request: an answer at hand, or one to come.
pub enum Answering {
    /// At hand; taken when polled.
    Ready(Option<Response<Body>>),
    /// To come.
    Running(Box<(CatchUnwind<AssertUnwindSafe<Running>>, Finish)>),
}

impl Future for Answering {
    type Output = Result<Response<Body>, std::convert::Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Answering::Ready(response) => {
                Poll::Ready(Ok(response.take().unwrap_or_else(|| Response::new(Body::EMPTY))))
            }
            Answering::Running(running) => {
                let (future, finish) = &mut **running;
                let response = match std::task::ready!(future.poll_unpin(cx)) {
                    Ok(response) => response,
                    Err(panic) => {
                        let text = panic.downcast_ref::<&str>().copied().map(str::to_owned);
                        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
                        error_response(finish.media, HttpError::Internal(format!("panic: {text}")).wire())
                    }
                };
                Poll::Ready(Ok(finish.apply(response)))
            }
        }
    }
}

impl hyper::service::Service<Request<hyper::body::Incoming>> for HttpService {
    type Response = Response<Body>;
    type Error = std::convert::Infallible;
    type Future = Answering;

    fn call(&self, request: Request<hyper::body::Incoming>) -> Answering {
        self.answer(request.map(RequestBody::Wire))
    }
}

impl HttpService {
    /// The service of `listener`.
    pub fn new(api: Arc<Api>, listener: Arc<Listener>) -> HttpService {
        HttpService { api, listener }
    }

    /// Starts answering a request.
    pub fn answer(&self, request: Request<RequestBody>) -> Answering {
        let (head, body) = request.into_parts();
        let mut finish = Finish::new(&self.api, &head);
        match self.admit(head, body, &mut finish) {
            Ok(Admitted::Call(call)) => {
                if let Some(response) = call.route.recall.and_then(|recall| recall(&call)) {
                    return Answering::Ready(Some(finish.apply(response)));
                }
                let running = (call.route.handler)(call);
                Answering::Running(Box::new((AssertUnwindSafe(running).catch_unwind(), finish)))
            }
            Ok(Admitted::Later(running)) => {
                Answering::Running(Box::new((AssertUnwindSafe(running).catch_unwind(), finish)))
            }
            Err(response) => Answering::Ready(Some(finish.apply(*response))),
        }
    }

    /// Everything that can be said before the handler runs.
    fn admit(&self, head: Parts, body: RequestBody, finish: &mut Finish) -> Result<Admitted, Box<Response<Body>>> {
        let refuse = |media: &'static Produced, error: HttpError| Box::new(error_response(media, error.wire()));
        check_head(&head, self.api.settings.max_head_bytes).map_err(|error| refuse(&media::JSON, error))?;
        if let Some(cors) = &self.api.settings.cors
            && let Some(response) = cors.preflight(&head.method, &head.headers)
        {
            return Err(Box::new(response));
        }
        let prefer = if head.uri.path() == "/" { self.preferred_root(&head.headers) } else { None };
        let resolved = self
            .listener
            .router
            .resolve(head.method.as_str(), head.uri.path(), prefer)
            .map_err(|error| Box::new(unrouted(error, &head)))?;
        let route = resolved.route;
        finish.number = Some(resolved.number);
        let negotiated = negotiate(&head.headers, route.media.produces);
        let media = negotiated.or_else(|| route.media.produces.first()).unwrap_or(&media::JSON);
        finish.media = media;
        let reads_body = matches!(route.verb, Verb::Post | Verb::Put | Verb::Patch);
        check_content_type(&head.headers, route.media, reads_body).map_err(|error| {
            let media = if error == HttpError::MalformedContentType { &media::JSON } else { media };
            refuse(media, error)
        })?;
        if negotiated.is_none() && route.media.refuses_accept {
            return Err(refuse(&media::JSON, HttpError::NotAcceptable));
        }
        let admit = {
            let (api, listener) = (self.api.clone(), self.listener.clone());
            let (request_id, params) = (finish.request_id.clone(), resolved.params);
            move |head: Parts, caller: Caller| -> Result<Call, HttpError> {
                let everyone = api.door.admits_everyone();
                let call = Call { api, listener, caller, route, media, head, request_id, params, body };
                if !everyone && !may(&call) {
                    return Err(HttpError::Forbidden);
                }
                Ok(call)
            }
        };
        if self.api.door.admits_everyone() || route.permission.on == On::Open {
            let caller = match self.api.door.authenticate(&head) {
                Admission::Now(Ok(caller)) => caller,
                _ => Caller::everything(),
            };
            return admit(head, caller).map(Admitted::Call).map_err(|error| refuse(media, error));
        }
        let now = match self.api.door.authenticate(&head) {
            Admission::Now(result) => Some(result),
            Admission::Later(_) => None,
        };
        match now {
            Some(result) => {
                let admitted = result.and_then(|caller| admit(head, caller));
                admitted.map(Admitted::Call).map_err(|error| refuse(media, error))
            }
            None => {
                let api = self.api.clone();
                Ok(Admitted::Later(Box::pin(async move {
                    let result = match api.door.authenticate(&head) {
                        Admission::Now(result) => result,
                        Admission::Later(later) => later.await,
                    };
                    match result.and_then(|caller| admit(head, caller)) {
                        Ok(call) => (call.route.handler)(call).await,
                        Err(error) => error_response(media, error.wire()),
                    }
                })))
            }
        }
    }

    /// Whose root is asked for: REST if the client says so, else the listener's first API.
    fn preferred_root(&self, headers: &HeaderMap) -> Option<Surface> {
        let accept = headers.get(http::header::ACCEPT)?.to_str().ok()?;
        if accept.contains("vnd.kafka.") {
            return Some(Surface::Rest);
        }
        accept.contains("vnd.schemaregistry").then_some(Surface::Registry)
    }
}

#[allow(clippy::large_enum_variant)] // moved once, and boxing the common case would cost an allocation
enum Admitted {
    Call(Call),
    Later(Running),
}

/// 414 and 431; and an absolute request line must agree with `Host`.
fn check_head(head: &Parts, limit: usize) -> Result<(), HttpError> {
    let path = head.uri.path_and_query().map_or(0, |path| path.as_str().len());
    if path > limit {
        return Err(HttpError::UriTooLong);
    }
    // Name, colon, blank, value, line end.
    let headers: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if path + headers > limit {
        return Err(HttpError::HeadersTooLarge);
    }
    if head.version < Version::HTTP_2
        && let Some(authority) = head.uri.authority()
        && let Some(host) = head.headers.get(HOST)
        && !host.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes())
    {
        return Err(HttpError::HostMismatch);
    }
    Ok(())
}

/// The answer to a request without a handler.
///
/// A path that is well formed but ambiguous gets a body with GET, HEAD and POST only: the reference's container
/// (Jetty, `ErrorHandler#errorPageForMethod`) has none for other methods.
fn unrouted(error: RouteError, head: &Parts) -> Response<Body> {
    let refuse = |error: HttpError| error_response(&media::JSON, error.wire());
    let bare = |status: StatusCode| {
        let mut response = Response::new(Body::EMPTY);
        *response.status_mut() = status;
        response
    };
    match error {
        _ if head.method == Method::CONNECT => refuse(HttpError::BadPath("CONNECT takes a host and a port")),
        RouteError::MalformedPath(reason) => refuse(HttpError::BadPath(reason)),
        RouteError::BadPath(reason) if matches!(head.method, Method::GET | Method::HEAD | Method::POST) => {
            refuse(HttpError::BadPath(reason))
        }
        RouteError::BadPath(_) => bare(StatusCode::BAD_REQUEST),
        // `OPTIONS *` asks the container, which has nothing to say.
        RouteError::NotFound if head.uri.path() == "*" => bare(StatusCode::NOT_FOUND),
        RouteError::ContextHoldsColon(name) => refuse(HttpError::ContextHoldsColon(name)),
        RouteError::NotFound => refuse(HttpError::NotFound),
        RouteError::MethodNotAllowed(allow) => with_allow(refuse(HttpError::MethodNotAllowed), allow),
        RouteError::Options(allow) => {
            static TYPES: &[Produced] = &[
                Produced { name: "text/plain", weight: 1000 },
                Produced { name: "application/json", weight: 900 },
                Produced { name: "application/vnd.sun.wadl+xml", weight: 800 },
            ];
            let media = negotiate(&head.headers, TYPES).unwrap_or(&TYPES[0]);
            let plain = media.name == "text/plain";
            let mut response = Response::new(if plain { Body::Whole(allow.spaced().into()) } else { Body::EMPTY });
            response.headers_mut().insert(CONTENT_TYPE, media.header());
            with_allow(response, allow)
        }
    }
}

fn with_allow(mut response: Response<Body>, allow: Allow) -> Response<Body> {
    if let Ok(value) = HeaderValue::try_from(allow.to_string()) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}

/// The door's question, from the route's permission and the names in the path.
fn may(call: &Call) -> bool {
    let permission = call.route.permission;
    let ask = |resource: &Resource<'_>| call.caller.may(permission.action, resource);
    match permission.on {
        On::Open | On::Schema => true,
        On::Server => ask(&Resource::Server),
        On::Subject => match call.subject_text() {
            Some(text) => ask(&Resource::Subject(&SubjectName::parse(&text))),
            None => ask(&Resource::Context(&ContextName::default_context())),
        },
        On::Context => ask(&Resource::Context(&ContextName::new(&call.path("context")))),
        On::Topic => ask(&Resource::Topic { cluster: &call.path("cluster_id"), topic: &call.path("topic_name") }),
        On::Cluster => ask(&Resource::Cluster(&call.path("cluster_id"))),
    }
}

/// What every answer gets, and what is remembered of it.
pub struct Finish {
    api: Arc<Api>,
    started: Instant,
    number: Option<usize>,
    media: &'static Produced,
    method: Method,
    uri: Uri,
    request_id: RequestId,
    gzip: bool,
    origin: Option<HeaderValue>,
}

impl Finish {
    fn new(api: &Arc<Api>, head: &Parts) -> Finish {
        Finish {
            started: Instant::now(),
            number: None,
            media: &media::JSON,
            method: head.method.clone(),
            uri: head.uri.clone(),
            request_id: RequestId::of(&head.headers),
            gzip: api.settings.gzip_min_bytes.is_some() && compress::accepts_gzip(&head.headers),
            origin: api.settings.cors.as_ref().and_then(|cors| cors.origin(&head.headers)),
            api: api.clone(),
        }
    }

    fn apply(&self, mut response: Response<Body>) -> Response<Body> {
        let status = response.status().as_u16();
        if let Some(Cause(cause)) = response.extensions_mut().remove::<Cause>() {
            tracing::error!(request_id = %self.request_id, status, "{} {}: {cause}", self.method, self.uri.path());
        }
        if let (true, Some(min_bytes)) = (self.gzip, self.api.settings.gzip_min_bytes) {
            compress::gzip(&mut response, min_bytes);
        }
        if let Some(origin) = &self.origin {
            cors::mark(&mut response, origin.clone());
        }
        let length = response.body().size_hint().exact();
        if self.method == Method::HEAD {
            if let Some(length) = length {
                response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
            }
            *response.body_mut() = Body::EMPTY;
        }
        response.headers_mut().insert(X_REQUEST_ID, self.request_id.header());
        let took = self.started.elapsed();
        self.api.metrics.answered(self.number, status, took.as_secs_f64());
        let is_read = matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS);
        if self.api.access_log.wants(is_read, status) {
            let operation = self
                .number
                .and_then(|number| crate::route::all_routes().nth(number))
                .map_or("-", |route| route.operation);
            self.api.access_log.write(&Entry {
                id: &self.request_id,
                method: self.method.as_str(),
                target: self.uri.path_and_query().map_or("*", |target| target.as_str()),
                operation,
                status,
                bytes: length,
                took,
            });
        }
        response
    }
}
