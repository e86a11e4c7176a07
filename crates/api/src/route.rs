//! Which operation a request means: the one table of routes, and the one function that reads it.
//!
//! [`Router::resolve`] is pure and works on the *raw* path: escapes are decoded per segment after splitting, so `%2F`
//! stays inside its segment; matrix parameters (`;x=1`) are dropped; a trailing slash says nothing; literal words
//! must not be escaped; what is ambiguous (`//`, `%5C`, control characters, `%2e%2e`) is refused. Authorisation and
//! dispatch see the same [`Resolved`] value.
//!
//! To add an endpoint: one line in the `routes!` table of its surface, one file with the handler, one entry in
//! `api-spec/`. Source: the reference's Jetty and Jersey rules, as recorded (release 8.5).

mod path;

use std::borrow::Cow;
use std::fmt;

use sluice_registry::Action;

use self::path::{Span, context_of, decode, split};
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
        let index = position(route.path, name)?;
        (index < usize::from(self.count)).then(|| decode(self.values[index].of(raw_path)))
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
        if self.contexts {
            // Of several prefixes the last one counts.
            let mut named = None;
            while let [contexts, name, rest @ ..] = segments
                && contexts.of(raw_path) == "contexts"
                && (!rest.is_empty() || name.of(raw_path) == ".")
            {
                named = Some(*name);
                segments = rest;
            }
            if let Some(name) = named {
                let context = context_of(name, raw_path);
                // A name that is none is told only where a context means something.
                let means_something = has_contexts(method, segments, raw_path);
                params.context = if means_something { Some(context?) } else { context.ok() };
            }
            if let [contexts, name] = segments
                && contexts.of(raw_path) == "contexts"
            {
                context_of(*name, raw_path)?;
            }
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

    /// The node that `segments` lead to; literal words win over parameters. Depth is bounded by [`path::MAX_SEGMENTS`].
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

/// Whether what stands behind a context's prefix is about contexts at all: lists of subjects and schemas, ids, what is
/// written about associations, and every subject that names no context of its own.
fn has_contexts(method: &str, segments: &[Span], path: &str) -> bool {
    let word = |at: usize| segments.get(at).map(|segment| segment.of(path));
    let is_unqualified = |at: usize| segments.get(at).is_some_and(|name| !names_context(&decode(name.of(path))));
    match (word(0), word(1)) {
        (Some("subjects" | "schemas" | "config" | "mode"), None) | (Some("schemas"), Some("ids")) => true,
        (Some("config" | "mode"), Some(_)) => is_unqualified(1),
        (Some(first), _) if first.starts_with("associations") && matches!(method, "POST" | "PUT" | "PATCH") => true,
        _ => (0..segments.len()).any(|at| word(at) == Some("subjects") && is_unqualified(at + 1)),
    }
}

/// Whether a subject, decoded, says itself in which context it is, or that it is in any.
pub(crate) fn names_context(subject: &str) -> bool {
    subject.starts_with(":.") || subject.starts_with(":*:")
}

#[cfg(test)]
mod tests;
