//! Cross-origin requests: who may read answers from a browser.
//!
//! Off unless configured. Source: rest-utils `access.control.allow.{origin,methods,headers}`; Fetch standard §3.2.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use http::{Method, Response};

use crate::answer::Body;

/// What other origins may do.
#[derive(Debug, Clone)]
pub struct Cors {
    /// Origins, or `*` alone for all.
    pub origins: Vec<HeaderValue>,
    /// As listed in `Access-Control-Allow-Methods`.
    pub methods: HeaderValue,
    /// As listed in `Access-Control-Allow-Headers`.
    pub headers: HeaderValue,
}

impl Cors {
    /// Every method and the usual headers for one origin, or for all with `*`. `None`: the text is no header value.
    pub fn of_origin(origin: &str) -> Option<Cors> {
        Some(Cors {
            origins: vec![HeaderValue::from_str(origin).ok()?],
            methods: HeaderValue::from_static("GET,HEAD,POST,PUT,PATCH,DELETE"),
            headers: HeaderValue::from_static("Accept,Authorization,Content-Type,X-Request-ID"),
        })
    }

    /// The value of `Access-Control-Allow-Origin` for a request from `origin`.
    fn allowed(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        self.origins.iter().find(|known| *known == "*" || *known == origin).cloned()
    }

    /// The origin to allow in the answer to a request with these headers.
    pub fn origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        self.allowed(headers.get(ORIGIN)?)
    }

    /// The answer to a preflight of an allowed origin; it needs no credentials.
    pub fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<Response<Body>> {
        if *method != Method::OPTIONS || !headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
            return None;
        }
        self.origin(headers)?;
        let mut response = Response::new(Body::EMPTY);
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_HEADERS, self.headers.clone());
        response.headers_mut().insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("1800"));
        Some(response)
    }
}

/// Marks an answer as readable by `origin`.
pub fn mark(response: &mut Response<Body>, origin: HeaderValue) {
    if origin != "*" {
        response.headers_mut().append(VARY, HeaderValue::from_static("Origin"));
    }
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
}
