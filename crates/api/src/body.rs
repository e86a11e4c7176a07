//! Request bodies: read within limits of size and pace, and turned into text.
//!
//! A body is bounded by bytes (413) and by time (408): its first byte within two seconds, then an average of at
//! least 64 KiB/s. A body that is there already costs no timer and no copy. Text is UTF-8, or UTF-16 or UTF-32 as the
//! first bytes tell; a byte order mark is dropped.
//!
//! Source: Jackson's `ByteSourceJsonBootstrapper` (encodings), as recorded in `bad-charset`.

use std::borrow::Cow;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::Instant;

use crate::answer::BoxError;
use crate::error::HttpError;

/// Body of a request: from the wire, or made up by a test.
#[derive(Default)]
pub enum RequestBody {
    /// None, or taken already.
    #[default]
    Empty,
    /// From a connection.
    Wire(Incoming),
    /// These bytes.
    Whole(Bytes),
    /// As they come.
    Pieces(Pin<Box<dyn http_body::Body<Data = Bytes, Error = BoxError> + Send + Sync>>),
}

impl std::fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            RequestBody::Empty => "Empty",
            RequestBody::Wire(_) => "Wire",
            RequestBody::Whole(_) => "Whole",
            RequestBody::Pieces(_) => "Pieces",
        })
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut *self {
            RequestBody::Empty => Poll::Ready(None),
            RequestBody::Wire(incoming) => {
                Pin::new(incoming).poll_frame(cx).map(|frame| frame.map(|frame| frame.map_err(BoxError::from)))
            }
            RequestBody::Pieces(pieces) => pieces.as_mut().poll_frame(cx),
            RequestBody::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            RequestBody::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            RequestBody::Empty => true,
            RequestBody::Wire(incoming) => incoming.is_end_stream(),
            RequestBody::Whole(bytes) => bytes.is_empty(),
            RequestBody::Pieces(pieces) => pieces.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            RequestBody::Empty => SizeHint::with_exact(0),
            RequestBody::Wire(incoming) => incoming.size_hint(),
            RequestBody::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            RequestBody::Pieces(pieces) => pieces.size_hint(),
        }
    }
}

/// How slowly a body may come.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Until the first byte, and the head start of all that follow.
    pub first_byte: Duration,
    /// On average, after that.
    pub bytes_per_second: u64,
}

impl Pace {
    /// Two seconds, then 64 KiB/s.
    pub const DEFAULT: Pace = Pace { first_byte: Duration::from_secs(2), bytes_per_second: 64 * 1024 };

    fn deadline(&self, started: Instant, received: usize) -> Instant {
        started + self.first_byte + Duration::from_millis(received as u64 * 1000 / self.bytes_per_second.max(1))
    }
}

/// The whole body. At most `limit` bytes are held.
pub async fn read(body: &mut RequestBody, limit: usize, pace: Pace) -> Result<Bytes, HttpError> {
    let expected = body.size_hint().lower();
    if expected > limit as u64 {
        return Err(HttpError::BodyTooLarge(limit));
    }
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let mut received = 0;
    let mut started = None;
    while !body.is_end_stream() {
        let frame = match body.frame().now_or_never() {
            Some(frame) => frame,
            None => {
                let started = *started.get_or_insert_with(Instant::now);
                tokio::time::timeout_at(pace.deadline(started, received), body.frame())
                    .await
                    .map_err(|_| HttpError::RequestTimeout)?
            }
        };
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|_| HttpError::BodyCutShort)?;
        let Ok(data) = frame.into_data() else { continue };
        received += data.len();
        if received > limit {
            return Err(HttpError::BodyTooLarge(limit));
        }
        match (first.is_empty(), rest.is_empty()) {
            (true, true) => first = data,
            (_, true) => {
                rest.reserve((expected as usize).max(first.len() + data.len()));
                rest.extend_from_slice(&first);
                rest.extend_from_slice(&data);
            }
            (_, false) => rest.extend_from_slice(&data),
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16 { big_endian: bool },
    Utf32 { big_endian: bool },
}

/// The text of a JSON body. Invalid UTF-8 is refused; in UTF-16 and UTF-32 it becomes U+FFFD, as in Java.
pub fn text(bytes: &[u8]) -> Result<Cow<'_, str>, HttpError> {
    let (encoding, skip) = detect(bytes)?;
    let bytes = &bytes[skip..];
    match encoding {
        Encoding::Utf8 => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Cow::Borrowed(text)),
            Err(error) => {
                let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
                let what = if matches!(byte, 0xc2..=0xf4) { "sequence at" } else { "start" };
                Err(HttpError::BadBody(format!("Invalid UTF-8 {what} byte 0x{byte:02x}")))
            }
        },
        Encoding::Utf16 { big_endian } => {
            let units = bytes.chunks(2).map(|pair| match (pair, big_endian) {
                ([a, b], true) => u16::from_be_bytes([*a, *b]),
                ([a, b], false) => u16::from_le_bytes([*a, *b]),
                _ => 0xfffd,
            });
            Ok(Cow::Owned(char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')).collect()))
        }
        Encoding::Utf32 { big_endian } => {
            let chars = bytes.chunks(4).map(|quad| {
                let value = match (quad, big_endian) {
                    ([a, b, c, d], true) => u32::from_be_bytes([*a, *b, *c, *d]),
                    ([a, b, c, d], false) => u32::from_le_bytes([*a, *b, *c, *d]),
                    _ => 0xfffd,
                };
                char::from_u32(value).unwrap_or('\u{fffd}')
            });
            Ok(Cow::Owned(chars.collect()))
        }
    }
}

/// The encoding that the first bytes tell, and how many of them are a byte order mark.
fn detect(bytes: &[u8]) -> Result<(Encoding, usize), HttpError> {
    match bytes {
        [0x00, 0x00, 0xfe, 0xff, ..] => Ok((Encoding::Utf32 { big_endian: true }, 4)),
        [0xff, 0xfe, 0x00, 0x00, ..] => Ok((Encoding::Utf32 { big_endian: false }, 4)),
        [0xfe, 0xff, _, _, ..] => Ok((Encoding::Utf16 { big_endian: true }, 2)),
        [0xff, 0xfe, _, _, ..] => Ok((Encoding::Utf16 { big_endian: false }, 2)),
        [0xef, 0xbb, 0xbf, ..] => Ok((Encoding::Utf8, 3)),
        [0x00, 0x00, 0x00, _, ..] => Ok((Encoding::Utf32 { big_endian: true }, 0)),
        [_, 0x00, 0x00, 0x00, ..] => Ok((Encoding::Utf32 { big_endian: false }, 0)),
        [0x00, _, 0x00, 0x00, ..] | [0x00, 0x00, _, 0x00, ..] => {
            Err(HttpError::BadBody("Unsupported UCS-4 endianness detected".to_owned()))
        }
        [0x00, _, ..] => Ok((Encoding::Utf16 { big_endian: true }, 0)),
        [_, 0x00, ..] => Ok((Encoding::Utf16 { big_endian: false }, 0)),
        _ => Ok((Encoding::Utf8, 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, big_endian: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|u| if big_endian { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    }

    #[test]
    fn the_first_bytes_tell_the_encoding() {
        let json = "{\"a\":\"ü😀\"}";
        let mut with_mark = vec![0xff, 0xfe];
        with_mark.extend(utf16(json, false));
        let utf32: Vec<u8> = json.chars().flat_map(|c| (c as u32).to_be_bytes()).collect();
        let mut utf8_mark = vec![0xef, 0xbb, 0xbf];
        utf8_mark.extend(json.as_bytes());
        for bytes in [json.as_bytes().to_vec(), utf16(json, true), utf16(json, false), with_mark, utf32, utf8_mark] {
            assert_eq!(text(&bytes).unwrap(), json, "{bytes:?}");
        }
    }

    #[test]
    fn invalid_utf8_is_refused() {
        assert!(
            matches!(text(b"{\"a\":\"\xfc\"}"), Err(HttpError::BadBody(m)) if m == "Invalid UTF-8 start byte 0xfc")
        );
        assert!(text(&[0xff, 0xfe, 0x00]).is_err());
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_before_it_is_read() {
        let mut body = RequestBody::Whole(Bytes::from_static(b"0123456789"));
        assert_eq!(read(&mut body, 9, Pace::DEFAULT).await, Err(HttpError::BodyTooLarge(9)));
        assert_eq!(read(&mut body, 10, Pace::DEFAULT).await, Ok(Bytes::from_static(b"0123456789")));
    }
}
