//! Which operation a request means: the one table of routes, and the one function that reads it.
//!
//! [`Router::resolve`] is pure and works on the *raw* path: escapes are decoded per segment after splitting, so `%2F`
//! stays inside its segment; matrix parameters (`;x=1`) are dropped; a trailing slash says nothing; literal words
//! must not be escaped; what is ambiguous (`//`, `%5C`, control characters, `%2e%2e`) is refused. Authorisation and
//! dispatch see the same [`Resolved`] value.
//!
//! To add an endpoint: one line in the `routes!` table of its surface, one file with the handler, one entry in
//! `api-spec/`. Source: the reference's Jetty and Jersey rules, as recorded (release 8.5).

use std::borrow::Cow;
use std::fmt;

use sluice_registry::Action;

use crate::call::{Handler, Recall};
use crate::media::Media;

/// A method that routes are written for. HEAD follows GET, OPTIONS is answered for every path.
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Verb {
    /// The order in which the reference lists methods in `Allow`, with HEAD and OPTIONS among them.
    const ALLOW_ORDER: [(&'static str, Option<Verb>); 7] = [
        ("HEAD", Some(Verb::Get)),
        ("DELETE", Some(Verb::Delete)),
        ("POST", Some(Verb::Post)),
        ("GET", Some(Verb::Get)),
        ("OPTIONS", None),
        ("PUT", Some(Verb::Put)),
        ("PATCH", Some(Verb::Patch)),
    ];

    /// The verb whose routes answer this method; `None` for OPTIONS and for methods nobody knows.
    fn of(method: &str) -> Option<Verb> {
        match method {
            "GET" | "HEAD" => Some(Verb::Get),
            "POST" => Some(Verb::Post),
            "PUT" => Some(Verb::Put),
            "PATCH" => Some(Verb::Patch),
            "DELETE" => Some(Verb::Delete),
            _ => None,
        }
    }

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Verb::Get => "GET",
            Verb::Post => "POST",
            Verb::Put => "PUT",
            Verb::Patch => "PATCH",
            Verb::Delete => "DELETE",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The APIs a listener can serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Surface {
    /// Schema Registry.
    Registry,
    /// REST Proxy, v3 and v2.
    Rest,
    /// Health, readiness, metrics, and the control API.
    Management,
}

/// What a permission is about; the part of the path that names it is found by its parameter's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// `{subject}`; without one in the path, the context's own settings.
    Subject,
    /// `{context}`.
    Context,
    /// Schemas by id or GUID, and lists: decided per subject in the use case.
    Schema,
    /// `{cluster_id}` and `{topic_name}`.
    Topic,
    /// `{cluster_id}`.
    Cluster,
    /// The server itself.
    Server,
    /// Nothing that could be refused: liveness, the root.
    Open,
}

/// What a caller must be allowed to do before a handler runs. The first check, never the only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// What is asked.
    pub action: Action,
    /// On what.
    pub on: On,
}

/// One line of the table.
#[derive(Debug)]
pub struct Route {
    /// The API it belongs to.
    pub surface: Surface,
    /// Method.
    pub verb: Verb,
    /// Pattern: literal words and `{parameters}`, `/` between.
    pub path: &'static str,
    /// Name of the operation: the handler's file, the metric's label, the spec's `operationId`.
    pub operation: &'static str,
    /// The door's question.
    pub permission: Permission,
    /// Types it answers with and takes.
    pub media: &'static Media,
    pub(crate) handler: Handler,
    pub(crate) recall: Option<Recall>,
}

/// Writes the table of one surface. A line is `VERB "path" => module::function, Action(On)`, optionally followed by
/// `, media: &MEDIA` (another than the table's) and `, recall: function` (an answer without waiting, if there is one).
macro_rules! routes {
    ($(#[$meta:meta])* $vis:vis static $name:ident : $surface:ident, media: $media:expr;
     $( $verb:ident $path:literal => $module:ident, $action:ident($on:ident)
        $(, media: $own_media:expr)? $(, recall: $recall:path)? ; )*) => {
        $(#[$meta])*
        $vis static $name: &[$crate::route::Route] = &[ $( $crate::route::Route {
            surface: $crate::route::Surface::$surface,
            verb: $crate::route::Verb::$verb,
            path: $path,
            operation: stringify!($module),
            permission: $crate::route::Permission {
                action: sluice_registry::Action::$action,
                on: $crate::route::On::$on,
            },
            media: routes!(@or $media $(, $own_media)?),
            handler: |call| Box::pin(async move {
                let media = call.media;
                $crate::answer::respond(media, $module::$module(call).await)
            }),
            recall: routes!(@recall $($recall)?),
        } ),* ];
    };
    (@or $media:expr) => { $media };
    (@or $media:expr, $own:expr) => { $own };
    (@recall) => { None };
    (@recall $recall:path) => { Some($recall) };
}
pub(crate) use routes;

/// Every table, in one order. A route's number is its place in the concatenation.
pub(crate) static TABLES: &[&[Route]] =
    &[crate::sr::ROUTES, crate::rest_v3::ROUTES, crate::management::ROUTES, crate::control::ROUTES];

/// Every route of every surface.
pub fn all_routes() -> impl Iterator<Item = &'static Route> {
    TABLES.iter().flat_map(|table| table.iter())
}

/// Methods a path answers to; prints as the reference's `Allow` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allow(u8);

impl Allow {
    fn names(self) -> impl Iterator<Item = &'static str> {
        Verb::ALLOW_ORDER
            .into_iter()
            .filter(move |(_, verb)| verb.is_none_or(|verb| self.0 & verb.bit() != 0))
            .map(|(name, _)| name)
    }

    /// `HEAD, GET, OPTIONS`: the body of an OPTIONS answer.
    pub fn spaced(self) -> String {
        self.names().collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.names().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

/// Why a request reaches no handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteError {
    /// The path is not even well formed (bad escapes, NUL): 400.
    MalformedPath(&'static str),
    /// The path cannot be trusted to mean one thing: 400.
    BadPath(&'static str),
    /// `/contexts/a:b/…`: 400 with this name.
    ContextHoldsColon(String),
    /// No route has this path: 404.
    NotFound,
    /// The path exists, but not with this method: 405.
    MethodNotAllowed(Allow),
    /// OPTIONS of a path that exists: 200.
    Options(Allow),
}

/// A part of the raw path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: u16,
    end: u16,
}

impl Span {
    const EMPTY: Span = Span { start: 0, end: 0 };

    fn of(self, path: &str) -> &str {
        path.get(usize::from(self.start)..usize::from(self.end)).unwrap_or_default()
    }
}

const MAX_SEGMENTS: usize = 16;
const MAX_PARAMS: usize = 6;

/// The variable parts of a path. Holds places, not texts: decoding happens when a handler asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Params {
    context: Option<Span>,
    values: [Span; MAX_PARAMS],
    count: u8,
}

impl Params {
    const NONE: Params = Params { context: None, values: [Span::EMPTY; MAX_PARAMS], count: 0 };

    /// The decoded segment at `{name}` of the route's pattern; `None` if the pattern has no such parameter, or the
    /// path stopped before it (`/contexts/{ctx}/config`).
    pub fn get<'p>(&self, route: &Route, raw_path: &'p str, name: &str) -> Option<Cow<'p, str>> {
        self.raw(route, raw_path, name).map(decode)
    }

    /// As [`Params::get`], undecoded.
    pub fn raw<'p>(&self, route: &Route, raw_path: &'p str, name: &str) -> Option<&'p str> {
        let index = position(route.path, name)?;
        (index < usize::from(self.count)).then(|| self.values[index].of(raw_path))
    }

    /// The context that the path's prefix names, with or without its dot; `None` without a prefix.
    pub fn context<'p>(&self, raw_path: &'p str) -> Option<Cow<'p, str>> {
        self.context.map(|span| decode(span.of(raw_path)))
    }
}

/// What a request means.
#[derive(Debug, Clone, Copy)]
pub struct Resolved {
    /// Place of the route in [`all_routes`].
    pub number: usize,
    /// The route.
    pub route: &'static Route,
    /// Its variable parts.
    pub params: Params,
}

#[derive(Debug, Default)]
struct Node {
    literals: Vec<(&'static str, usize)>,
    parameter: Option<usize>,
    routes: Vec<(usize, &'static Route)>,
}

/// The routes of some surfaces, arranged for matching.
#[derive(Debug)]
pub struct Router {
    nodes: Vec<Node>,
    contexts: bool,
}

fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// Which of a pattern's parameters is called `name`.
fn position(pattern: &str, name: &str) -> Option<usize> {
    let mut rest = pattern;
    for index in 0.. {
        rest = rest.get(memchr::memchr(b'{', rest.as_bytes())? + 1..)?;
        if rest.strip_prefix(name).is_some_and(|rest| rest.starts_with('}')) {
            return Some(index);
        }
    }
    None
}

impl Router {
    /// A router over the routes of these surfaces. Where two share a path and a verb (`/`), the earlier surface wins
    /// unless [`Router::resolve`] is told otherwise.
    pub fn new(surfaces: &[Surface]) -> Router {
        let mut router = Router { nodes: vec![Node::default()], contexts: surfaces.contains(&Surface::Registry) };
        for surface in surfaces {
            for (number, route) in all_routes().enumerate().filter(|(_, route)| route.surface == *surface) {
                router.insert(number, route);
            }
        }
        router
    }

    fn insert(&mut self, number: usize, route: &'static Route) {
        let mut at = 0;
        for segment in route.path.split('/').filter(|segment| !segment.is_empty()) {
            let known = match parameter(segment) {
                Some(_) => self.nodes[at].parameter,
                None => self.nodes[at].literals.iter().find(|(word, _)| *word == segment).map(|(_, node)| *node),
            };
            at = known.unwrap_or_else(|| {
                let new = self.nodes.len();
                self.nodes.push(Node::default());
                match parameter(segment) {
                    Some(_) => self.nodes[at].parameter = Some(new),
                    None => self.nodes[at].literals.push((segment, new)),
                }
                new
            });
        }
        self.nodes[at].routes.push((number, route));
    }

    /// What `method raw_path` means. `prefer` decides where two surfaces share a path. Allocates nothing.
    pub fn resolve(&self, method: &str, raw_path: &str, prefer: Option<Surface>) -> Result<Resolved, RouteError> {
        let (segments, count) = split(raw_path)?;
        let mut segments = &segments[..count];
        let mut params = Params::NONE;
        if self.contexts && segments.len() > 2 && segments[0].of(raw_path) == "contexts" {
            params.context = Some(context_of(segments[1], raw_path)?);
            segments = &segments[2..];
        }
        let at = self.walk(0, segments, raw_path, &mut params).ok_or(RouteError::NotFound)?;
        let at = match params.context {
            // `/contexts/.c/config` stands for `/config/:.c:`: the settings of the context.
            Some(_) if segments.len() == 1 && matches!(segments[0].of(raw_path), "config" | "mode") => {
                self.nodes[at].parameter.unwrap_or(at)
            }
            _ => at,
        };
        let routes = &self.nodes[at].routes;
        let allow = Allow(routes.iter().fold(0, |bits, (_, route)| bits | route.verb.bit()));
        let Some(verb) = Verb::of(method) else {
            return Err(match method {
                "OPTIONS" => RouteError::Options(allow),
                _ => RouteError::MethodNotAllowed(allow),
            });
        };
        let mut candidates = routes.iter().filter(|(_, route)| route.verb == verb);
        let first = candidates.next().ok_or(RouteError::MethodNotAllowed(allow))?;
        let (number, route) = candidates.find(|(_, route)| Some(route.surface) == prefer).unwrap_or(first);
        Ok(Resolved { number: *number, route, params })
    }

    /// The node that `segments` lead to; literal words win over parameters. Depth is bounded by [`MAX_SEGMENTS`].
    fn walk(&self, at: usize, segments: &[Span], path: &str, params: &mut Params) -> Option<usize> {
        let node = &self.nodes[at];
        let Some((first, rest)) = segments.split_first() else {
            return (!node.routes.is_empty()).then_some(at);
        };
        let text = first.of(path);
        if let Some((_, next)) = node.literals.iter().find(|(word, _)| *word == text)
            && let Some(found) = self.walk(*next, rest, path, params)
        {
            return Some(found);
        }
        let next = node.parameter?;
        let count = params.count;
        if usize::from(count) == MAX_PARAMS {
            return None;
        }
        params.values[usize::from(count)] = *first;
        params.count += 1;
        let found = self.walk(next, rest, path, params);
        if found.is_none() {
            params.count = count;
        }
        found
    }
}

/// Splits and checks a raw path: the segments without their matrix parameters.
fn split(path: &str) -> Result<([Span; MAX_SEGMENTS], usize), RouteError> {
    let bytes = path.as_bytes();
    if bytes.first() != Some(&b'/') {
        return Err(RouteError::NotFound);
    }
    if bytes.len() > usize::from(u16::MAX) {
        return Err(RouteError::BadPath("path too long"));
    }
    let plain = bytes.iter().all(|byte| !matches!(byte, 0..0x20 | 0x7f | b'%' | b';' | b'\\'));
    let mut segments = [Span::EMPTY; MAX_SEGMENTS];
    let mut count = 0;
    let mut depth = 0i32;
    let mut at = 1;
    loop {
        let end = memchr::memchr(b'/', &bytes[at..]).map_or(bytes.len(), |slash| at + slash);
        let segment = if plain { Span { start: at as u16, end: end as u16 } } else { check_segment(path, at, end)? };
        match segment.of(path) {
            "" if end == bytes.len() => {} // trailing slash, or the root
            "" => return Err(RouteError::BadPath("empty segment")),
            text => {
                depth += match text {
                    ".." => -1,
                    "." => 0,
                    _ => 1,
                };
                if depth < 0 {
                    return Err(RouteError::BadPath("path above the root"));
                }
                if count == MAX_SEGMENTS {
                    return Err(RouteError::NotFound);
                }
                segments[count] = segment;
                count += 1;
            }
        }
        if end == bytes.len() {
            return Ok((segments, count));
        }
        at = end + 1;
    }
}

fn check_segment(path: &str, start: usize, end: usize) -> Result<Span, RouteError> {
    let bytes = &path.as_bytes()[start..end];
    let mut stop = bytes.len();
    let mut escaped = false;
    let mut at = 0;
    while at < bytes.len() {
        let byte = match bytes[at] {
            b'%' => {
                let digits = (bytes.get(at + 1).copied().and_then(hex), bytes.get(at + 2).copied().and_then(hex));
                let (Some(high), Some(low)) = digits else {
                    return Err(RouteError::MalformedPath("bad escape"));
                };
                escaped = true;
                at += 2;
                high << 4 | low
            }
            b';' => {
                stop = stop.min(at);
                b';'
            }
            byte => byte,
        };
        if byte == 0 {
            return Err(RouteError::MalformedPath("NUL character"));
        }
        if byte < 0x20 || byte == 0x7f {
            return Err(RouteError::BadPath("control character"));
        }
        if byte == b'\\' {
            return Err(RouteError::BadPath("backslash"));
        }
        at += 1;
    }
    let text = &path[start..start + stop];
    if escaped {
        let decoded = percent_encoding::percent_decode_str(text)
            .decode_utf8()
            .map_err(|_| RouteError::BadPath("invalid UTF-8"))?;
        if matches!(&*decoded, "." | "..") && text.contains('%') {
            return Err(RouteError::BadPath("ambiguous segment"));
        }
    }
    // As above, both fit: the whole path is at most u16::MAX bytes.
    Ok(Span { start: start as u16, end: (start + stop) as u16 })
}

/// `ctx`, `.ctx` and `:.ctx:` are the same; only the raw colon counts.
fn context_of(segment: Span, path: &str) -> Result<Span, RouteError> {
    let text = segment.of(path);
    let mut span = segment;
    if text.starts_with(':') {
        span.start += 1;
        if text.len() > 1 && text.ends_with(':') {
            span.end -= 1;
        }
    }
    if span.of(path).contains(':') {
        return Err(RouteError::ContextHoldsColon(decode(span.of(path)).into_owned()));
    }
    Ok(span)
}

fn hex(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).map(|digit| digit as u8)
}

/// Percent-decodes a segment that `split` has checked.
fn decode(text: &str) -> Cow<'_, str> {
    if text.contains('%') {
        percent_encoding::percent_decode_str(text).decode_utf8_lossy()
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn registry() -> Router {
        Router::new(&[Surface::Registry])
    }

    /// Operation, parameters and context of a request that finds a route; the status of one that does not.
    fn said(method: &str, path: &str) -> String {
        match registry().resolve(method, path, None) {
            Ok(Resolved { route, params, .. }) => {
                let names = route.path.split('/').filter_map(parameter);
                let values: Vec<_> = names.filter_map(|name| params.get(route, path, name)).collect();
                let context = params.context(path).map_or(String::new(), |context| format!(" in {context}"));
                format!("{} [{}]{context}", route.operation, values.join(", "))
            }
            Err(RouteError::MalformedPath(_) | RouteError::BadPath(_) | RouteError::ContextHoldsColon(_)) => {
                "400".to_owned()
            }
            Err(RouteError::NotFound) => "404".to_owned(),
            Err(RouteError::MethodNotAllowed(allow)) => format!("405 {allow}"),
            Err(RouteError::Options(allow)) => format!("200 {allow}"),
        }
    }

    #[test]
    fn every_route_is_found_under_its_own_path_with_and_without_a_trailing_slash() {
        for surface in [Surface::Registry, Surface::Rest, Surface::Management] {
            let router = Router::new(&[surface]);
            for route in all_routes().filter(|route| route.surface == surface) {
                let path = route.path.replace(['{', '}'], "");
                for path in [path.clone(), format!("{}/", path.trim_end_matches('/'))] {
                    let found = router.resolve(route.verb.name(), &path, None).unwrap();
                    assert_eq!(found.route.operation, route.operation, "{path}");
                    assert!(std::ptr::eq(all_routes().nth(found.number).unwrap(), found.route));
                }
            }
        }
    }

    #[test]
    fn no_two_routes_of_a_surface_share_verb_and_path_and_no_operation_is_named_twice() {
        let mut seen = BTreeSet::new();
        for route in all_routes() {
            assert!(seen.insert(format!("{:?} {} {}", route.surface, route.verb.name(), route.path)), "{}", route.path);
            assert!(seen.insert(format!("{:?} {}", route.surface, route.operation)), "{}", route.operation);
            assert!(route.path.split('/').filter_map(parameter).count() <= MAX_PARAMS);
            assert!(route.path.split('/').count() <= MAX_SEGMENTS);
        }
    }

    #[test]
    fn permissions_find_the_names_they_are_about() {
        for route in all_routes() {
            let has = |name: &str| route.path.contains(name);
            let fits = match route.permission.on {
                On::Subject => has("{subject}") || has("/config") || has("/mode"),
                On::Context => has("{context}"),
                On::Topic => has("{cluster_id}") && has("{topic_name}") || route.surface == Surface::Rest,
                On::Cluster => has("{cluster_id}") || route.surface == Surface::Rest,
                On::Schema | On::Server | On::Open => true,
            };
            assert!(fits, "{}", route.path);
        }
    }

    #[test]
    fn paths_are_read_as_they_were_sent() {
        for (path, expected) in [
            ("/subjects/a%2Fb/versions", "list_versions [a/b]"),
            ("/subjects/a%252Fb/versions", "list_versions [a%2Fb]"),
            ("/subjects/%68ttp%20x/versions", "list_versions [http x]"),
            ("/subjects/a;x=1/versions;y=2", "list_versions [a]"),
            ("/subjects;x=y", "list_subjects []"),
            ("/subjects/a/versions/latest/schema/", "get_schema_text [a, latest]"),
            ("/subjects/../versions", "list_versions [..]"),
            ("/%73ubjects", "404"),
            ("/subjects/a/%76ersions", "404"),
            ("/subjects/a/versions%20", "404"),
            ("/Subjects", "404"),
            ("/subjects/a/b/versions", "404"),
            ("/subjects/a%2Fversions", "405 DELETE,POST,OPTIONS"),
            ("/./subjects", "404"),
            ("/subjects/x/../a/versions", "404"),
            ("*", "404"),
            ("", "404"),
        ] {
            assert_eq!(said("GET", path), expected, "{path}");
        }
    }

    #[test]
    fn what_could_mean_two_things_is_refused() {
        for path in [
            "//subjects",
            "/subjects//versions",
            "/subjects/a/versions//",
            "/subjects/a%00b/versions",
            "/subjects/%0A",
            "/subjects/a%7Fb",
            "/subjects/a%5Cb",
            "/subjects/a\\b",
            "/subjects/%FF/versions",
            "/subjects/%zz",
            "/subjects/%",
            "/subjects/%4",
            "/%2e%2e/subjects",
            "/subjects/%2E",
            "/../subjects",
            "/subjects/a;%0a",
        ] {
            assert_eq!(said("GET", path), "400", "{path}");
        }
    }

    #[test]
    fn a_context_prefix_is_data_and_the_rest_of_the_path_decides() {
        for (path, expected) in [
            ("/contexts/.c/subjects/a/versions", "list_versions [a] in .c"),
            ("/contexts/c/subjects/a/versions", "list_versions [a] in c"),
            ("/contexts/:.c:/subjects", "list_subjects [] in .c"),
            ("/contexts/%3A.c%3A/subjects", "list_subjects [] in :.c:"),
            ("/contexts/.c/config", "get_subject_level_config [] in .c"),
            ("/contexts/.c/mode/a", "get_subject_mode [a] in .c"),
            ("/contexts/.c/contexts", "list_contexts [] in .c"),
            ("/contexts/.c/schemas/ids/7", "get_schema_by_id [7] in .c"),
            ("/contexts/.c/schemas/ids", "404"),
            ("/contexts/.c/nothing", "404"),
            ("/contexts/a:b/subjects", "400"),
            ("/contexts/.c", "405 DELETE,OPTIONS"),
            ("/contexts/.c/", "405 DELETE,OPTIONS"),
        ] {
            assert_eq!(said("GET", path), expected, "{path}");
        }
    }

    #[test]
    fn methods_follow_the_routes_of_their_path() {
        for (method, path, expected) in [
            ("HEAD", "/subjects", "list_subjects []"),
            ("OPTIONS", "/", "200 HEAD,POST,GET,OPTIONS"),
            ("OPTIONS", "/subjects/a/versions/1", "200 HEAD,DELETE,GET,OPTIONS"),
            ("OPTIONS", "/config", "200 HEAD,DELETE,GET,OPTIONS,PUT"),
            ("OPTIONS", "/nothing", "404"),
            ("PATCH", "/subjects", "405 HEAD,GET,OPTIONS"),
            ("get", "/subjects", "405 HEAD,GET,OPTIONS"),
            ("TRACE", "/subjects", "405 HEAD,GET,OPTIONS"),
            ("HEAD", "/subjects/a", "405 DELETE,POST,OPTIONS"),
            ("GET", "/associations/resources/-/t", "get_associations_by_resource_name [-, t]"),
            ("POST", "/associations:batchGet", "batch_get_associations []"),
            ("POST", "/associations:nothing", "404"),
            ("POST", "/exporters", "404"),
        ] {
            assert_eq!(said(method, path), expected, "{method} {path}");
        }
        assert_eq!(Allow(Verb::Get.bit() | Verb::Post.bit()).spaced(), "HEAD, POST, GET, OPTIONS");
    }

    #[test]
    fn any_bytes_resolve_to_something() {
        let router = Router::new(&[Surface::Registry, Surface::Rest, Surface::Management]);
        let alphabet = ["/", "contexts", ":", ".", "%", "2", "F", ";", "subjects", "ü", "\\", "..", "-", "config"];
        let mut state = 1u32;
        for _ in 0..20_000 {
            let mut path = String::from("/");
            for _ in 0..(state >> 28) {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                path.push_str(alphabet[(state >> 16) as usize % alphabet.len()]);
            }
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let _ = router.resolve("GET", &path, None);
        }
    }
}
