//! Media types: what a route answers with, what it takes, and which of them a request gets.
//!
//! Weights of the client win; among equals the server's own order does. A weight of 0 excludes nothing (as in the
//! reference). Source: schema-registry.md §1.1 with the recordings `http-accept-*` and `bad-content-type`.

use http::HeaderValue;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap};

use crate::error::HttpError;

/// A type that routes answer with.
#[derive(Debug, PartialEq, Eq)]
pub struct Produced {
    /// `type/subtype`.
    pub name: &'static str,
    /// Server-side weight in thousandths.
    pub weight: u16,
}

impl Produced {
    /// As header value. Those of the hot paths are made once: checking a name costs as much as matching a route.
    pub fn header(&self) -> HeaderValue {
        static REGISTRY: HeaderValue = HeaderValue::from_static("application/vnd.schemaregistry.v1+json");
        static PLAIN: HeaderValue = HeaderValue::from_static("application/json");
        match self.name {
            "application/vnd.schemaregistry.v1+json" => REGISTRY.clone(),
            "application/json" => PLAIN.clone(),
            name => HeaderValue::from_static(name),
        }
    }
}

/// What a route answers with and takes.
#[derive(Debug)]
pub struct Media {
    /// By falling weight; the first is the default.
    pub produces: &'static [Produced],
    /// Types of request bodies.
    pub consumes: &'static [&'static str],
    /// Whose `Content-Type` is checked.
    pub checks: ChecksContentType,
    /// Whether an `Accept` that matches nothing is 406; else it gets the first type.
    pub refuses_accept: bool,
}

/// Which requests must carry a known `Content-Type`, if they carry one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChecksContentType {
    /// All, GET and DELETE too; an unparsable or empty one is 400 (registry).
    Always,
    /// Those of routes that read a body; an empty one counts as none (REST).
    WithBody,
    /// None: nobody reads it.
    Never,
}

/// `application/json`: what is answered when no route was reached.
pub static JSON: Produced = Produced { name: "application/json", weight: 1000 };

/// The type to answer with; `None` is 406. No `Accept`, or a blank one, takes the first.
pub fn negotiate(headers: &HeaderMap, produces: &'static [Produced]) -> Option<&'static Produced> {
    let mut values = headers.get_all(ACCEPT).iter();
    let Some(first) = values.next() else { return produces.first() };
    if values.next().is_none()
        && let Some(exact) = produces.iter().find(|produced| produced.name.as_bytes() == first.as_bytes())
    {
        return Some(exact);
    }
    let mut best: Option<(u16, &'static Produced)> = None;
    let mut any = false;
    for range in headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(',')) {
        let range = range.trim();
        if range.is_empty() {
            continue;
        }
        any = true;
        let mut parts = range.split(';');
        let name = parts.next().unwrap_or_default().trim();
        let quality = parts.find_map(quality).unwrap_or(1000);
        for produced in produces.iter().filter(|produced| accepts(name, produced.name)) {
            let better = best.is_none_or(|(q, known)| (quality, produced.weight) > (q, known.weight));
            if better {
                best = Some((quality, produced));
            }
        }
    }
    if any { best.map(|(_, produced)| produced) } else { produces.first() }
}

fn accepts(range: &str, name: &str) -> bool {
    let Some((top, sub)) = range.split_once('/') else { return false };
    let (produced_top, produced_sub) = name.split_once('/').unwrap_or_default();
    (top == "*" && sub == "*")
        || (top.eq_ignore_ascii_case(produced_top) && (sub == "*" || sub.eq_ignore_ascii_case(produced_sub)))
}

/// `q=0.5` in thousandths.
fn quality(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let value: f32 = value.trim().parse().ok()?;
    Some((value.clamp(0.0, 1.0) * 1000.0) as u16)
}

/// Checks the request's `Content-Type` against what the route takes. 400 if it is none, 415 if another.
pub fn check_content_type(headers: &HeaderMap, media: &Media, reads_body: bool) -> Result<(), HttpError> {
    let strict = match media.checks {
        ChecksContentType::Always => true,
        ChecksContentType::WithBody if reads_body => false,
        ChecksContentType::WithBody | ChecksContentType::Never => return Ok(()),
    };
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    if media.consumes.iter().any(|known| known.as_bytes() == value.as_bytes()) {
        return Ok(());
    }
    let text = value.to_str().map_err(|_| HttpError::MalformedContentType)?;
    if text.trim().is_empty() && !strict {
        return Ok(());
    }
    let name = essence(text).ok_or(HttpError::MalformedContentType)?;
    if !media.consumes.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return Err(HttpError::UnsupportedMediaType);
    }
    if reads_body && !readable(name) {
        return Err(HttpError::UnsupportedMediaType);
    }
    Ok(())
}

/// `type/subtype` of a well-formed `Content-Type`.
fn essence(text: &str) -> Option<&str> {
    let (name, parameters) = text.split_once(';').unwrap_or((text, ""));
    let name = name.trim();
    let (top, sub) = name.split_once('/')?;
    let well_formed = is_token(top)
        && is_token(sub)
        && parameters
            .split(';')
            .map(str::trim)
            .filter(|parameter| !parameter.is_empty())
            .all(|parameter| parameter.split_once('=').is_some_and(|(name, _)| is_token(name.trim())));
    well_formed.then_some(name)
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Whether the JSON reader takes it. The suffix is matched with its case, as in the reference's Jackson provider.
fn readable(name: &str) -> bool {
    let sub = name.split_once('/').map_or("", |(_, sub)| sub);
    sub.eq_ignore_ascii_case("json") || sub.ends_with("+json") || sub.eq_ignore_ascii_case("octet-stream")
}

#[cfg(test)]
mod tests {
    use super::*;

    static TYPES: &[Produced] = &[
        Produced { name: "application/vnd.schemaregistry.v1+json", weight: 1000 },
        Produced { name: "application/vnd.schemaregistry+json", weight: 900 },
        Produced { name: "application/json", weight: 500 },
    ];

    fn negotiated(accept: &str) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().unwrap());
        negotiate(&headers, TYPES).map(|produced| produced.name)
    }

    #[test]
    fn the_clients_weights_win_and_the_servers_order_breaks_ties() {
        let v1 = Some("application/vnd.schemaregistry.v1+json");
        let plain = Some("application/vnd.schemaregistry+json");
        let json = Some("application/json");
        for (accept, expected) in [
            ("*/*", v1),
            ("", v1),
            ("application/*", v1),
            ("application/json", json),
            ("APPLICATION/JSON", json),
            ("application/json; charset=utf-8", json),
            ("application/json, application/vnd.schemaregistry+json", plain),
            ("application/json;q=0.5, application/vnd.schemaregistry.v1+json;q=0.1", json),
            ("application/vnd.schemaregistry.v1+json; q=0.9, application/json; q=0.5", v1),
            ("application/json;q=0", json),
            ("text/html, */*;q=0.1", v1),
            ("text/html", None),
            ("application/vnd.schemaregistry.v2+json", None),
            ("nonsense", None),
            ("application/octet-stream", None),
        ] {
            assert_eq!(negotiated(accept), expected, "{accept}");
        }
    }

    static MEDIA: Media = Media {
        produces: TYPES,
        consumes: &["application/vnd.schemaregistry.v1+json", "application/json", "application/octet-stream"],
        checks: ChecksContentType::Always,
        refuses_accept: true,
    };

    fn checked(content_type: &'static str, reads_body: bool) -> u16 {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        match check_content_type(&headers, &MEDIA, reads_body) {
            Ok(()) => 200,
            Err(error) => error.wire().status.as_u16(),
        }
    }

    #[test]
    fn a_content_type_is_known_unknown_or_none_at_all() {
        for (content_type, status) in [
            ("application/json", 200),
            ("application/json; charset=iso-8859-1", 200),
            ("application/json;q=0.5", 200),
            ("APPLICATION/JSON", 200),
            ("application/octet-stream", 200),
            ("application/vnd.schemaregistry.v1+JSON", 415),
            ("application/vnd.schemaregistry.v2+json", 415),
            ("text/plain", 415),
            ("*/*", 415),
            ("application/*", 415),
            ("multipart/form-data; boundary=x", 415),
            ("nonsense", 400),
            ("", 400),
        ] {
            assert_eq!(checked(content_type, true), status, "{content_type}");
        }
        assert_eq!(checked("text/plain", false), 415);
    }
}
