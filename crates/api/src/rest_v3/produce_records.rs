//! `POST /v3/clusters/{cluster_id}/topics/{topic_name}/records`
//!
//! The response's body drives everything: each time the connection asks it for bytes it reads what has come of the
//! request, offers records, takes outcomes, and gives the reports that are ready, all of them in one write. So a client
//! that does not read its reports stops its own stream, and nothing runs on its behalf. No task, no channel.
//!
//! Bounds: 1,000 records or 8 MiB without a report (then the request is not read), one record's size, 30 s without a
//! byte, an outcome's deadline. No bound on a stream's length or life. When the server stops, no further record is
//! taken, and what was sent is reported, as far as its outcome comes in time.
//!
//! Source: rest-proxy.md §2.1, §2.9; docs/decisions.md, "Running it".

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use http::header::{CONTENT_TYPE, EXPECT};
use http_body::{Body as _, Frame};
use sluice_data_plane::Settled;
use sluice_data_plane::error::{Error, RecordError};
use sluice_data_plane::produce::{Offer, ProduceStream};
use tokio::time::{Instant, Sleep};

use super::RestError;
use super::record_stream::{Item, RecordStream};
use super::report::ReportWriter;
use crate::Api;
use crate::answer::{Answer, BoxError};
use crate::body::RequestBody;
use crate::call::Call;
use crate::error::HttpError;

/// How long a client may send nothing.
const IDLE: Duration = Duration::from_secs(30);
/// How soon a record that found the producer's queue full is offered again when no outcome comes.
const RETRY: Duration = Duration::from_millis(2);
/// Records that are offered before reports are looked at again.
const AT_ONCE: usize = 64;
/// What is left of a request when its stream has ended early: so much is read so that the connection can be used again.
const DRAINED_BYTES: usize = 256 * 1024;
/// Reports are sent in pieces of about this size.
const PIECE_BYTES: usize = 64 * 1024;
/// Taken off the time a stop may take, so that the last reports still leave.
const STOP_MARGIN: Duration = Duration::from_secs(2);

/// `POST …/records` → 200 and a report per record, as they are ready. Refusals before the first record are the usual
/// errors; everything else is told per record.
pub(super) async fn produce_records(mut call: Call) -> Result<Answer, RestError> {
    check_content_type(&call)?;
    let body = call.take_body();
    let (cluster_id, topic) = (call.path("cluster_id"), call.path("topic_name"));
    let produce = call.data().open_stream(&call.caller, &cluster_id, &topic).map_err(Error::Route)?;
    let expects_continue = call.head.headers.get(EXPECT).is_some_and(|value| value.as_bytes() == b"100-continue");
    let stream = Records {
        reports: ReportWriter::new(&topic),
        records: RecordStream::new(call.api.settings.max_record_bytes),
        reading: Reading::Open,
        waiting: None,
        retry_at: None,
        last_byte: Instant::now(),
        holds_head: expects_continue,
        timer: None,
        stop: None,
        give_up_at: None,
        drained: 0,
        first: None,
        out: BytesMut::new(),
        api: call.api.clone(),
        body,
        produce,
    };
    Ok(begin(Box::pin(stream)).await)
}

/// The answer, as soon as it is known how it begins. A head of its own would cost a write, and a client that sends one
/// record waits for its report anyway; so the first reports travel with the head, and what is over by then is sent
/// whole. A client that wants to see the head before it sends gets it: only records under way are waited for. But one
/// that asks whether to go on is told so by the first look at its body, as long as no head was sent: many take a head in
/// place of that for the end of the conversation.
async fn begin(mut records: Pin<Box<Records>>) -> Answer {
    let first = poll_fn(|cx| match records.as_mut().poll_frame(cx) {
        Poll::Ready(frame) => Poll::Ready(frame),
        Poll::Pending if records.owes_reports() || records.holds_head => Poll::Pending,
        Poll::Pending => Poll::Ready(None),
    });
    match first.await.and_then(Result::ok).and_then(|frame| frame.into_data().ok()) {
        Some(reports) if records.is_over() => Answer::json_text(reports),
        reports => {
            records.first = reports;
            Answer::stream(records)
        }
    }
}

/// This route alone wants a type; and of charsets it knows two.
fn check_content_type(call: &Call) -> Result<(), HttpError> {
    let header = call.head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if header.trim().is_empty() {
        return Err(HttpError::BadBody("a stream of records needs the Content-Type application/json".to_owned()));
    }
    let charset = header.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    match charset {
        Some(charset) if !["UTF-8", "ISO-8859-1"].iter().any(|known| known.eq_ignore_ascii_case(charset)) => {
            Err(HttpError::BadBody(
                "Unsupported charset in Content-Type header. Supports \"UTF-8\" and \"ISO-8859-1\".".to_owned(),
            ))
        }
        _ => Ok(()),
    }
}

/// Where the request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Records may come.
    Open,
    /// The stream has ended; what is left of the body is thrown away.
    Draining,
    /// Nothing more is read.
    Done,
}

struct Records {
    api: Arc<Api>,
    body: RequestBody,
    records: RecordStream,
    produce: ProduceStream,
    reports: ReportWriter,
    reading: Reading,
    waiting: Option<BoxFuture<'static, Settled>>,
    retry_at: Option<Instant>,
    last_byte: Instant,
    /// The client waits for `100 Continue`; until it has begun to send, the head must wait.
    holds_head: bool,
    timer: Option<Pin<Box<Sleep>>>,
    stop: Option<BoxFuture<'static, ()>>,
    give_up_at: Option<Instant>,
    drained: usize,
    /// Reports that were ready before the head was sent.
    first: Option<Bytes>,
    out: BytesMut,
}

/// Whether a step did anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Moved,
    Stuck,
}

impl Records {
    /// Whether a report will come without another byte of the request.
    fn owes_reports(&self) -> bool {
        self.waiting.is_some() || !self.produce.is_answered()
    }

    /// Whether every report was given, and none will come.
    fn is_over(&self) -> bool {
        self.reading == Reading::Done && self.produce.is_answered() && self.out.is_empty()
    }

    /// Whether bytes of the request are wanted.
    fn wants_bytes(&self) -> bool {
        match self.reading {
            Reading::Open => self.waiting.is_none() && self.retry_at.is_none() && self.produce.has_room(),
            Reading::Draining => true,
            Reading::Done => false,
        }
    }

    /// Offers what is at hand, reads when that is used up.
    fn step(&mut self, now: Instant, cx: &mut Context<'_>) -> Step {
        match self.reading {
            Reading::Open => {}
            Reading::Draining => return self.drain(cx),
            Reading::Done => return Step::Stuck,
        }
        if self.waiting.is_some() || self.retry_at.is_some_and(|at| now < at) {
            return Step::Stuck;
        }
        self.retry_at = None;
        let wall_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        let mut step = Step::Stuck;
        for _ in 0..AT_ONCE {
            if !self.produce.has_room() {
                return step;
            }
            match self.records.next(|record| self.produce.offer(record, now, wall_ms)) {
                Item::Record(Offer::Taken) => self.records.advance(),
                Item::Record(Offer::Wait(settled)) => {
                    self.waiting = Some(settled);
                    return Step::Moved;
                }
                Item::Record(Offer::Full(_)) => {
                    self.retry_at = Some(now + RETRY);
                    return step;
                }
                Item::Bad(text) => self.produce.refuse(RecordError::Malformed(text), now),
                Item::Broken(text) => {
                    let text = format!("Bad Request: Error processing message: {text}");
                    self.produce.refuse(RecordError::Malformed(text), now);
                    self.reading = Reading::Draining;
                    return Step::Moved;
                }
                Item::End => {
                    self.reading = Reading::Done;
                    return Step::Moved;
                }
                Item::More => match self.read(cx) {
                    Poll::Ready(Some(bytes)) => {
                        self.last_byte = now;
                        self.records.push(bytes);
                    }
                    Poll::Ready(None) => self.records.finish(),
                    Poll::Pending => return step,
                },
            }
            step = Step::Moved;
        }
        step
    }

    /// The next bytes of the request; `None` at its end, and when the client has gone.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
            self.holds_head = false;
            return match frame {
                None | Some(Err(_)) => Poll::Ready(None),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => Poll::Ready(Some(bytes)),
                    Err(_trailers) => continue,
                },
            };
        }
    }

    fn drain(&mut self, cx: &mut Context<'_>) -> Step {
        match self.read(cx) {
            Poll::Ready(Some(bytes)) if self.drained + bytes.len() <= DRAINED_BYTES => {
                self.drained += bytes.len();
                Step::Moved
            }
            // A client that goes on sending is not listened to.
            Poll::Ready(_) | Poll::Pending => {
                self.reading = Reading::Done;
                Step::Moved
            }
        }
    }

    /// Takes no further record once the server stops.
    fn notice_stop(&mut self, now: Instant) {
        if self.give_up_at.is_none() && *self.api.stopping.borrow() {
            self.reading = Reading::Done;
            self.waiting = None;
            self.give_up_at = Some(now + self.api.settings.drain_timeout.saturating_sub(STOP_MARGIN));
        }
    }

    /// Looks whether anything has taken too long, and asks to be woken when the server stops.
    fn watch_clock(&mut self, now: Instant, cx: &mut Context<'_>) {
        if self.give_up_at.is_some_and(|at| at <= now) {
            self.produce.give_up(now);
        }
        self.produce.expire(now);
        if self.reading == Reading::Open && self.wants_bytes() && now >= self.last_byte + IDLE {
            self.reading = Reading::Done;
        }
        if self.reading == Reading::Open && self.stop.is_none() {
            let mut stopping = self.api.stopping.clone();
            // An error means that nobody can ask us to stop any more: as good as being asked.
            self.stop = Some(Box::pin(async move { drop(stopping.wait_for(|stop| *stop).await) }));
        }
        if let Some(stop) = &mut self.stop
            && self.give_up_at.is_none()
            && stop.as_mut().poll(cx).is_ready()
        {
            self.notice_stop(now);
        }
    }

    /// Arranges to be woken when time alone makes a difference. `true` if that is now.
    fn arm(&mut self, now: Instant, cx: &mut Context<'_>) -> bool {
        let idle_at = self.wants_bytes().then(|| self.last_byte + IDLE);
        let times = [idle_at, self.retry_at, self.produce.deadline(), self.give_up_at];
        let Some(at) = times.into_iter().flatten().min() else { return false };
        if at <= now {
            return true;
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        timer.as_mut().poll(cx).is_ready()
    }

    /// Writes the reports that are ready, a piece at a time: what is not sent yet waits in its small form.
    fn write_reports(&mut self, now: Instant) {
        while self.out.len() < PIECE_BYTES
            && let Some(report) = self.produce.next_report(now)
        {
            self.reports.write(&report, &mut self.out);
        }
    }
}

impl http_body::Body for Records {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if let Some(reports) = this.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(reports))));
        }
        loop {
            let now = Instant::now();
            if let Some(settling) = &mut this.waiting
                && let Poll::Ready(settled) = settling.as_mut().poll(cx)
            {
                this.waiting = None;
                this.produce.learn(settled, now);
            }
            this.produce.poll_outcomes(cx.waker());
            this.write_reports(now);
            if !this.out.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(this.out.split().freeze()))));
            }
            this.notice_stop(now);
            if this.is_over() {
                return Poll::Ready(None);
            }
            if this.step(now, cx) == Step::Moved {
                continue;
            }
            this.watch_clock(now, cx);
            // What the clock has decided may have made reports, or the end.
            this.write_reports(now);
            if !this.out.is_empty() || this.is_over() || this.arm(now, cx) {
                continue;
            }
            return Poll::Pending;
        }
    }
}
