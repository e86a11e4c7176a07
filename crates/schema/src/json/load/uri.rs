//! URIs as Java's `java.net.URI` takes, joins and splits them: what decides where a `$ref` points.
//!
//! Only what resolution needs. [`check`] refuses what Java refuses, [`resolve`] is `URI.resolve` with its ways (a
//! base without a path gives a path without a slash), [`split`] parts the fragment.
//!
//! Source: `java.net.URI` (JDK 17); everit `ReferenceResolver`.

/// The parts of a URI; none is decoded.
struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(uri: &'a str) -> Parts<'a> {
        let (rest, fragment) = match uri.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (uri, None),
        };
        let (scheme, rest) = match rest.find([':', '/', '?']) {
            Some(at) if rest.as_bytes()[at] == b':' && at > 0 => (Some(&rest[..at]), &rest[at + 1..]),
            _ => (None, rest),
        };
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                (Some(&rest[..end]).filter(|authority| !authority.is_empty()), &rest[end..])
            }
            None => (None, rest),
        };
        Parts { scheme, authority, path, query, fragment }
    }

    /// `urn:a:b`: a scheme and no hierarchy behind it.
    fn is_opaque(&self) -> bool {
        self.scheme.is_some() && self.authority.is_none() && !self.path.starts_with('/')
    }

    fn print(&self) -> String {
        let mut out = String::new();
        if let Some(scheme) = self.scheme {
            out.push_str(scheme);
            out.push(':');
        }
        if let Some(authority) = self.authority {
            out.push_str("//");
            out.push_str(authority);
        } else if self.scheme == Some("file") && self.path.starts_with("//") {
            out.push_str("//");
        }
        out.push_str(self.path);
        if let Some(query) = self.query {
            out.push('?');
            out.push_str(query);
        }
        if let Some(fragment) = self.fragment {
            out.push('#');
            out.push_str(fragment);
        }
        out
    }
}

/// Whether Java takes this text for a URI: no white space, controls or `"<>\^{|}` and backquotes; `%` before two
/// hexadecimal digits; one `#`; before the first colon, unless a slash or the like comes first, the name of a scheme,
/// and something behind it.
pub(super) fn check(uri: &str) -> bool {
    let bytes = uri.as_bytes();
    let is_hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let percents = bytes.iter().enumerate().all(|(at, byte)| *byte != b'%' || is_hex(at + 1) && is_hex(at + 2));
    let illegal = |found: char| found.is_control() || found.is_whitespace() || "\"<>\\^`{|}".contains(found);
    let scheme = match uri.find([':', '/', '?', '#']) {
        Some(at) if bytes[at] == b':' => {
            let name = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
            bytes[0].is_ascii_alphabetic()
                && bytes[..at].iter().all(name)
                && !matches!(bytes.get(at + 1), None | Some(b'#'))
        }
        _ => true,
    };
    percents && !uri.contains(illegal) && uri.matches('#').count() <= 1 && scheme
}

/// The URI `reference` seen from `base`; `None` when either is no URI.
pub(super) fn resolve(base: Option<&str>, reference: &str) -> Option<String> {
    if !check(reference) {
        return None;
    }
    let Some(base) = base else {
        return Some(reference.to_owned());
    };
    if !check(base) {
        return None;
    }
    let (from, to) = (Parts::of(base), Parts::of(reference));
    if from.is_opaque() || to.is_opaque() || to.scheme.is_some() {
        return Some(reference.to_owned());
    }
    if to.authority.is_none() && to.path.is_empty() && to.query.is_none() && to.fragment.is_some() {
        return Some(Parts { fragment: to.fragment, ..from }.print());
    }
    if to.authority.is_some() {
        return Some(Parts { scheme: from.scheme, ..to }.print());
    }
    let path = if to.path.starts_with('/') { to.path.to_owned() } else { join(from.path, to.path) };
    let joined =
        Parts { scheme: from.scheme, authority: from.authority, path: &path, query: to.query, fragment: to.fragment };
    Some(joined.print())
}

/// The path `child` seen from `base`, without `.` and, where something precedes them, `..`.
fn join(base: &str, child: &str) -> String {
    let folder = base.rfind('/').map_or("", |at| &base[..=at]);
    let whole = format!("{folder}{child}");
    if !whole.split('/').any(|part| part == "." || part == "..") {
        return whole;
    }
    let mut kept: Vec<&str> = Vec::new();
    let absolute = whole.starts_with('/');
    let last = whole.split('/').next_back().unwrap_or_default();
    for part in whole.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match kept.last() {
            Some(before) if part == ".." && *before != ".." => {
                kept.pop();
            }
            _ => kept.push(part),
        }
    }
    let mut out = if absolute { "/".to_owned() } else { String::new() };
    out.push_str(&kept.join("/"));
    if matches!(last, "" | "." | "..") && !kept.is_empty() && !out.ends_with('/') {
        out.push('/');
    }
    out
}

/// A URI without its fragment, and the fragment (empty when there is none).
pub(super) fn split(uri: &str) -> (&str, &str) {
    uri.split_once('#').unwrap_or((uri, ""))
}

/// A step of a JSON pointer in a URI fragment: `%xx` and `+` as Java's `URLDecoder` has them, then `~1` and `~0`.
pub(super) fn pointer_step(step: &str) -> String {
    let bytes = step.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (byte, hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                plain.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', ..) => plain.push(b' '),
            (byte, ..) => plain.push(*byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&plain).replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_joined_as_java_joins_them() {
        for (base, reference, joined) in [
            ("http://h/a/b.json", "c.json", "http://h/a/c.json"),
            ("http://h/a/b.json", "/c.json", "http://h/c.json"),
            ("http://h/a/b.json", "../c.json#/x", "http://h/c.json#/x"),
            ("http://h/a/b.json", "./c.json", "http://h/a/c.json"),
            ("http://h/a/b.json#/old", "#/new", "http://h/a/b.json#/new"),
            ("http://h/a/b.json", "https://x/y", "https://x/y"),
            ("http://h/a/b.json", "//x/y", "http://x/y"),
            ("http://h/a/b.json", "?q=1", "http://h/a/?q=1"),
            ("http://h", "c.json", "http://hc.json"),
            ("a.json", "b.json", "b.json"),
            ("dir/a.json", "../../b.json", "../b.json"),
            ("a.json", "#/definitions/x", "a.json#/definitions/x"),
            ("urn:a:b", "#x", "#x"),
            ("http://h/a", "urn:a:b", "urn:a:b"),
        ] {
            assert_eq!(resolve(Some(base), reference).as_deref(), Some(joined), "{base} {reference}");
        }
        assert_eq!(resolve(None, "#/a").as_deref(), Some("#/a"));
    }

    #[test]
    fn what_java_refuses_is_no_uri() {
        for uri in ["a b", "a^b", "{x}", "a\"", "50%", "#a#b", "a\n", "<a>", "::", ":", "a:", "a:#b", "1a:b", "a_b:c"] {
            assert_eq!(resolve(None, uri), None, "{uri}");
        }
        for uri in ["", "#/$defs/ä", "a%20b", "#/a~1b", "urn:uuid:x", "a+b"] {
            assert!(check(uri), "{uri}");
        }
    }

    #[test]
    fn pointer_steps_are_decoded_once() {
        for (step, plain) in [("a~1b", "a/b"), ("a~01", "a~1"), ("a%25b", "a%b"), ("a+b", "a b"), ("%C3%A4", "ä")] {
            assert_eq!(pointer_step(step), plain);
        }
    }
}
