//! gzip for answers: whole bodies in one go, long and streamed ones piece by piece, flushed with each piece.
//!
//! Source: RFC 1952; which answers are compressed: recordings `http-gzip` (registry), `http-gzip-answers` (REST).

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderValue, VARY};
use http::{Response, StatusCode};
use http_body::Frame;

use crate::answer::{Body, BoxError};

/// Bodies longer than this are compressed piece by piece, so that no thread is held for long.
const PIECE_BYTES: usize = 64 * 1024;
/// Magic, deflate, no flags, no time, fastest, Unix.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 3];

/// Whether `Accept-Encoding` names gzip, and not with weight 0. `*` does not count, as in the reference.
pub fn accepts_gzip(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(',')).any(
        |coding| {
            let mut parts = coding.split(';').map(str::trim);
            parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"))
                && !parts.any(|parameter| {
                    parameter.split_once('=').is_some_and(|(name, weight)| {
                        name.trim().eq_ignore_ascii_case("q") && weight.trim().parse::<f32>().is_ok_and(|q| q <= 0.0)
                    })
                })
        },
    )
}

/// Compresses a response that has a body of at least `min_bytes` (or of unknown length).
pub fn gzip(response: &mut Response<Body>, min_bytes: usize) {
    if response.headers().contains_key(CONTENT_ENCODING) || response.status() == StatusCode::NO_CONTENT {
        return;
    }
    let body = std::mem::replace(response.body_mut(), Body::EMPTY);
    let compressed = match body {
        Body::Whole(bytes) if bytes.len() < min_bytes.max(1) => {
            *response.body_mut() = Body::Whole(bytes);
            return;
        }
        Body::Whole(bytes) if bytes.len() <= PIECE_BYTES => Body::Whole(whole(&bytes).into()),
        body => Body::Stream(Box::pin(GzipBody::new(body))),
    };
    *response.body_mut() = compressed;
    response.headers_mut().remove(CONTENT_LENGTH);
    response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response.headers_mut().append(VARY, HeaderValue::from_static("Accept-Encoding"));
}

/// One gzip member holding `bytes`. The compressor (300 KB) is kept per thread.
fn whole(bytes: &[u8]) -> Vec<u8> {
    thread_local!(static COMPRESS: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false)));
    COMPRESS.with_borrow_mut(|compress| {
        compress.reset();
        let mut out = HEADER.to_vec();
        deflate(compress, bytes, FlushCompress::Finish, &mut out);
        let mut crc = Crc::new();
        crc.update(bytes);
        trailer(&crc, &mut out);
        out
    })
}

fn trailer(crc: &Crc, out: &mut Vec<u8>) {
    out.extend_from_slice(&crc.sum().to_le_bytes());
    out.extend_from_slice(&crc.amount().to_le_bytes());
}

/// Feeds `input` and flushes; grows `out` as needed. Deflating from memory to memory does not fail.
fn deflate(compress: &mut Compress, input: &[u8], flush: FlushCompress, out: &mut Vec<u8>) {
    let start = compress.total_in();
    loop {
        out.reserve((input.len() / 2).max(64));
        let consumed = (compress.total_in() - start) as usize;
        let before = out.capacity() - out.len();
        let written = compress.total_out();
        match compress.compress_vec(&input[consumed..], out, flush) {
            Ok(Status::StreamEnd) | Err(_) => return,
            // A flush is complete once it leaves room in the buffer.
            Ok(_) => {
                let done = (compress.total_in() - start) as usize == input.len();
                let full = (compress.total_out() - written) as usize == before;
                if done && !full && !matches!(flush, FlushCompress::Finish) {
                    return;
                }
            }
        }
    }
}

/// A body compressed as it goes.
struct GzipBody {
    inner: Body,
    waiting: Bytes,
    compress: Compress,
    crc: Crc,
    started: bool,
    ended: bool,
}

impl GzipBody {
    fn new(inner: Body) -> GzipBody {
        let compress = Compress::new(Compression::fast(), false);
        GzipBody { inner, waiting: Bytes::new(), compress, crc: Crc::new(), started: false, ended: false }
    }

    fn piece(&mut self, input: &[u8], flush: FlushCompress) -> Vec<u8> {
        let mut out = Vec::with_capacity(input.len() / 2 + 64);
        if !std::mem::replace(&mut self.started, true) {
            out.extend_from_slice(&HEADER);
        }
        self.crc.update(input);
        deflate(&mut self.compress, input, flush, &mut out);
        out
    }
}

impl http_body::Body for GzipBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            if self.ended {
                return Poll::Ready(None);
            }
            if !self.waiting.is_empty() {
                let length = self.waiting.len().min(PIECE_BYTES);
                let input = self.waiting.split_to(length);
                let out = self.piece(&input, FlushCompress::Sync);
                return Poll::Ready(Some(Ok(Frame::data(out.into()))));
            }
            match Pin::new(&mut self.inner).poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        self.waiting = data;
                    }
                }
                Poll::Ready(None) => {
                    self.ended = true;
                    let mut out = self.piece(&[], FlushCompress::Finish);
                    trailer(&self.crc, &mut out);
                    return Poll::Ready(Some(Ok(Frame::data(out.into()))));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use http_body_util::BodyExt;

    use super::*;

    async fn round_trip(bytes: Vec<u8>) -> Vec<u8> {
        let mut response = Response::new(Body::Whole(bytes.into()));
        gzip(&mut response, 32);
        assert_eq!(response.headers()[CONTENT_ENCODING], "gzip");
        let packed = response.into_body().collect().await.unwrap().to_bytes();
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut plain).unwrap();
        plain
    }

    #[tokio::test]
    async fn short_and_long_bodies_survive_compression() {
        for length in [32, 1000, PIECE_BYTES, PIECE_BYTES + 1, 1 << 20] {
            // Neither constant nor random: both the matcher and the literal coder work.
            let bytes: Vec<u8> =
                (0..length as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 27) as u8 + b'a').collect();
            assert_eq!(round_trip(bytes.clone()).await, bytes, "{length}");
        }
    }

    #[test]
    fn a_very_short_body_stays_as_it_is() {
        let mut response = Response::new(Body::Whole(Bytes::from_static(b"[1]")));
        gzip(&mut response, 32);
        assert!(!response.headers().contains_key(CONTENT_ENCODING));
    }

    #[test]
    fn only_gzip_by_name_counts() {
        for (value, expected) in [
            ("gzip", true),
            ("br, gzip;q=0.5", true),
            ("GZIP", true),
            ("gzip;q=0", false),
            ("*", false),
            ("deflate, br", false),
            ("identity", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
            assert_eq!(accepts_gzip(&headers), expected, "{value}");
        }
    }
}
