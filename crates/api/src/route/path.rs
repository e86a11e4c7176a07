//! Raw paths: split into segments, checked, decoded on demand.
//!
//! A path that could mean two things is refused here, before any route is asked. Pure; allocates nothing until a segment
//! with an escape is decoded. Source: the reference's Jetty (`UriCompliance`), as recorded (release 8.5).

use std::borrow::Cow;

use super::RouteError;

/// Most segments of a path that has a route.
pub(super) const MAX_SEGMENTS: usize = 16;

/// A part of the raw path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    start: u16,
    end: u16,
}

impl Span {
    pub(super) const EMPTY: Span = Span { start: 0, end: 0 };

    pub(super) fn of(self, path: &str) -> &str {
        path.get(usize::from(self.start)..usize::from(self.end)).unwrap_or_default()
    }
}

/// Splits and checks a raw path: the segments without their matrix parameters.
pub(super) fn split(path: &str) -> Result<([Span; MAX_SEGMENTS], usize), RouteError> {
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
pub(super) fn context_of(segment: Span, path: &str) -> Result<Span, RouteError> {
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
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if text.contains('%') {
        percent_encoding::percent_decode_str(text).decode_utf8_lossy()
    } else {
        Cow::Borrowed(text)
    }
}
