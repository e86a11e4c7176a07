//! Errors on the wire: `{"error_code": …, "message": …}`, and the ones that every surface shares.
//!
//! A surface's own errors have their numbers in the surface's `error.rs`, nowhere else; here are only those that the
//! HTTP layer raises before any surface is asked. `api-spec/error-codes.tsv` lists all, checked both ways by tests.
//!
//! Source: schema-registry.md §1.1, rest-proxy.md §4.4.

use std::borrow::Cow;

use http::StatusCode;

/// An error as a client sees it, and what the log is told besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wire {
    /// HTTP status.
    pub status: StatusCode,
    /// `error_code`
    pub code: u32,
    /// `message`
    pub message: Cow<'static, str>,
    /// `hint`, a field beyond the reference's: only where the client asked for it, or the error is ours alone.
    pub hint: Option<String>,
    /// For the log, never for the client: the cause of a failure of ours.
    pub cause: Option<String>,
}

impl Wire {
    /// An error that is the client's to mend.
    pub fn new(status: u16, code: u32, message: impl Into<Cow<'static, str>>) -> Wire {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Wire { status, code, message: message.into(), hint: None, cause: None }
    }

    /// An error that is ours: logged once, where the answer is written.
    pub fn failure(status: u16, code: u32, message: impl Into<Cow<'static, str>>, cause: String) -> Wire {
        Wire { cause: Some(cause), ..Wire::new(status, code, message) }
    }
}

/// What the HTTP layer itself refuses. The code equals the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpError {
    /// The path could mean several things, or nothing.
    BadPath(&'static str),
    /// A colon in the context of a path.
    ContextHoldsColon(String),
    /// The `Host` header and the request line name different hosts.
    HostMismatch,
    /// A `Content-Type` that is none.
    MalformedContentType,
    /// The body cannot be read: not JSON, or JSON of another shape. The text says what and where.
    BadBody(String),
    /// The connection broke off in the middle of the body.
    BodyCutShort,
    /// No such route, or a number in the path or query that is none.
    NotFound,
    /// The path exists, this method does not.
    MethodNotAllowed,
    /// No type that the client accepts.
    NotAcceptable,
    /// The body came too slowly.
    RequestTimeout,
    /// The body is longer than the limit, bytes.
    BodyTooLarge(usize),
    /// The request line is longer than the limit.
    UriTooLong,
    /// A type of body that the route does not take.
    UnsupportedMediaType,
    /// The body has the right form and a wrong content. The text says what.
    Unprocessable(String),
    /// All headers together are longer than the limit.
    HeadersTooLarge,
    /// Nobody said who they are, or the wrong thing.
    Unauthorized,
    /// Not this caller.
    Forbidden,
    /// A mistake of ours.
    Internal(String),
}

impl HttpError {
    /// Status, code and message.
    pub fn wire(self) -> Wire {
        match self {
            HttpError::BadPath(reason) => Wire::new(400, 400, format!("Bad Request: {reason}")),
            HttpError::ContextHoldsColon(name) => {
                Wire::new(400, 400, format!("Context name '{name}' cannot contain a colon"))
            }
            HttpError::HostMismatch => Wire::new(400, 400, "Bad Request: the Host header names another authority"),
            HttpError::MalformedContentType => Wire::new(400, 400, "Bad Request"),
            HttpError::BadBody(text) => Wire::new(400, 400, text),
            HttpError::BodyCutShort => Wire::new(400, 400, "Bad Request: the body ended early"),
            HttpError::NotFound => Wire::new(404, 404, "HTTP 404 Not Found"),
            HttpError::MethodNotAllowed => Wire::new(405, 405, "HTTP 405 Method Not Allowed"),
            HttpError::NotAcceptable => Wire::new(406, 406, "HTTP 406 Not Acceptable"),
            HttpError::RequestTimeout => Wire::new(408, 408, "Request Timeout: the body came too slowly"),
            HttpError::BodyTooLarge(limit) => {
                Wire::new(413, 413, format!("Payload Too Large: the body may have {limit} bytes"))
            }
            HttpError::UriTooLong => Wire::new(414, 414, "URI Too Long"),
            HttpError::UnsupportedMediaType => Wire::new(415, 415, "HTTP 415 Unsupported Media Type"),
            HttpError::Unprocessable(text) => Wire::new(422, 422, text),
            HttpError::HeadersTooLarge => Wire::new(431, 431, "Request Header Fields Too Large"),
            HttpError::Unauthorized => Wire::new(401, 401, "Unauthorized"),
            HttpError::Forbidden => Wire::new(403, 403, "Forbidden"),
            HttpError::Internal(cause) => Wire::failure(500, 500, "Internal Server Error", cause),
        }
    }
}

impl From<HttpError> for Wire {
    fn from(error: HttpError) -> Wire {
        error.wire()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn variant(error: &HttpError) -> &'static str {
        match error {
            HttpError::BadPath(_) => "BadPath",
            HttpError::ContextHoldsColon(_) => "ContextHoldsColon",
            HttpError::HostMismatch => "HostMismatch",
            HttpError::MalformedContentType => "MalformedContentType",
            HttpError::BadBody(_) => "BadBody",
            HttpError::BodyCutShort => "BodyCutShort",
            HttpError::NotFound => "NotFound",
            HttpError::MethodNotAllowed => "MethodNotAllowed",
            HttpError::NotAcceptable => "NotAcceptable",
            HttpError::RequestTimeout => "RequestTimeout",
            HttpError::BodyTooLarge(_) => "BodyTooLarge",
            HttpError::UriTooLong => "UriTooLong",
            HttpError::UnsupportedMediaType => "UnsupportedMediaType",
            HttpError::Unprocessable(_) => "Unprocessable",
            HttpError::HeadersTooLarge => "HeadersTooLarge",
            HttpError::Unauthorized => "Unauthorized",
            HttpError::Forbidden => "Forbidden",
            HttpError::Internal(_) => "Internal",
        }
    }

    fn one_of_each() -> Vec<HttpError> {
        let text = String::new;
        vec![
            HttpError::BadPath("p"),
            HttpError::ContextHoldsColon(text()),
            HttpError::HostMismatch,
            HttpError::MalformedContentType,
            HttpError::BadBody(text()),
            HttpError::BodyCutShort,
            HttpError::NotFound,
            HttpError::MethodNotAllowed,
            HttpError::NotAcceptable,
            HttpError::RequestTimeout,
            HttpError::BodyTooLarge(1),
            HttpError::UriTooLong,
            HttpError::UnsupportedMediaType,
            HttpError::Unprocessable(text()),
            HttpError::HeadersTooLarge,
            HttpError::Unauthorized,
            HttpError::Forbidden,
            HttpError::Internal(text()),
        ]
    }

    #[test]
    fn the_table_of_codes_lists_exactly_what_the_http_layer_answers() {
        let table = include_str!("../../../api-spec/error-codes.tsv");
        let listed: BTreeSet<String> = table
            .lines()
            .filter(|line| line.starts_with("http\t"))
            .map(|line| line.split('\t').take(4).collect::<Vec<_>>().join("\t"))
            .collect();
        let answered: BTreeSet<String> = one_of_each()
            .into_iter()
            .map(|error| {
                let (name, wire) = (variant(&error), error.wire());
                format!("http\t{}\t{}\t{name}", wire.status.as_u16(), wire.code)
            })
            .collect();
        assert_eq!(listed, answered);
    }
}
