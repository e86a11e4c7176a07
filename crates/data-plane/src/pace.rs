//! Which producer takes a stream's records: the one that sends at once, or, once the stream has proven fast, the one that
//! waits a moment for large batches and costs librdkafka a third of the work per record.
//!
//! A stream changes over only while nothing of it is in flight, so its records keep their order; until then it offers
//! nothing. It goes back when it has paused. Only streams of lane `Pinned` change: what may be redirected has its own
//! deadlines.
//!
//! Pure: the caller says what time it is and how much is in flight.

use std::time::Duration;

use tokio::time::Instant;

use crate::cluster::Lane;

/// A stream is fast when so many records …
const FAST_RECORDS: usize = 1_024;
/// … were sent in this time.
const FAST_WITHIN: Duration = Duration::from_millis(50);
/// A fast stream that sends nothing for so long is slow again.
const PAUSE: Duration = Duration::from_millis(20);
/// The window of a fast stream, in windows of any other: enough for what arrives while a batch is filled and answered.
const FAST_WINDOW: usize = 4;

/// The pace of one stream.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    is_fast: bool,
    /// Nothing may be offered until nothing is in flight.
    is_changing: bool,
    /// Records since `counted_from`.
    count: usize,
    counted_from: Option<Instant>,
    last_sent: Option<Instant>,
}

impl Pace {
    /// The lane of the next record; `of_route` is what its route says.
    pub(crate) fn lane(&mut self, of_route: Lane, in_flight: usize, now: Instant) -> Lane {
        if of_route != Lane::Pinned {
            *self = Pace::default();
            return of_route;
        }
        if in_flight == 0 {
            if std::mem::take(&mut self.is_changing) {
                self.is_fast = true;
            } else if self.is_fast && self.last_sent.is_none_or(|last| now.duration_since(last) >= PAUSE) {
                *self = Pace::default();
            }
        }
        if self.is_fast { Lane::Stream } else { Lane::Pinned }
    }

    /// A record was taken by `lane`. `is_ready` says whether the other producer can take over at once.
    pub(crate) fn sent(&mut self, lane: Lane, now: Instant, is_ready: impl FnOnce() -> bool) {
        self.last_sent = Some(now);
        if lane != Lane::Pinned || self.is_changing {
            return;
        }
        self.count += 1;
        let from = *self.counted_from.get_or_insert(now);
        if self.count >= FAST_RECORDS {
            self.is_changing = now.duration_since(from) <= FAST_WITHIN && is_ready();
            self.count = 0;
            self.counted_from = None;
        }
    }

    /// Whether the next record must wait for what is in flight.
    pub(crate) fn must_wait(&self, in_flight: usize) -> bool {
        self.is_changing && in_flight > 0
    }

    /// How many records may be without a report, where `usual` is what any stream may have.
    pub(crate) fn window(&self, usual: usize) -> usize {
        if self.is_fast { usual.saturating_mul(FAST_WINDOW) } else { usual }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends so many records, `apart` from each other, nothing of them answered; when the last one was sent.
    fn send(pace: &mut Pace, count: usize, apart: Duration, from: Instant, is_ready: bool) -> Instant {
        let mut now = from;
        for in_flight in 0..count {
            assert_eq!(pace.lane(Lane::Pinned, in_flight.max(1), now), Lane::Pinned);
            pace.sent(Lane::Pinned, now, || is_ready);
            now += apart;
        }
        now
    }

    #[test]
    fn a_fast_stream_changes_over_once_nothing_is_in_flight() {
        let mut pace = Pace::default();
        let now = send(&mut pace, FAST_RECORDS - 1, Duration::from_micros(10), Instant::now(), true);
        assert!(!pace.must_wait(5));
        let now = send(&mut pace, 1, Duration::ZERO, now, true);
        assert!(pace.must_wait(5));
        // the rest of the order is kept: as long as something is in flight, the lane is the same
        assert_eq!(pace.lane(Lane::Pinned, 5, now), Lane::Pinned);
        assert!(!pace.must_wait(0));
        assert_eq!(pace.lane(Lane::Pinned, 0, now), Lane::Stream);
        assert_eq!(pace.lane(Lane::Pinned, 1, now), Lane::Stream);
        assert_eq!((pace.window(1_000), pace.must_wait(9)), (4_000, false));
    }

    #[test]
    fn a_slow_stream_and_one_without_a_producer_to_change_to_stay_where_they_are() {
        for (apart, is_ready) in [(Duration::from_millis(1), true), (Duration::ZERO, false)] {
            let mut pace = Pace::default();
            let now = send(&mut pace, 3 * FAST_RECORDS, apart, Instant::now(), is_ready);
            assert!(!pace.must_wait(5));
            assert_eq!(pace.lane(Lane::Pinned, 0, now), Lane::Pinned);
            assert_eq!(pace.window(1_000), 1_000);
        }
    }

    #[test]
    fn a_fast_stream_that_pauses_is_slow_again() {
        let mut pace = Pace::default();
        let now = send(&mut pace, FAST_RECORDS, Duration::ZERO, Instant::now(), true);
        assert_eq!(pace.lane(Lane::Pinned, 0, now), Lane::Stream);
        pace.sent(Lane::Stream, now, || true);
        // all of a batch was answered: no pause
        assert_eq!(pace.lane(Lane::Pinned, 0, now + PAUSE / 2), Lane::Stream);
        // in flight: not yet
        assert_eq!(pace.lane(Lane::Pinned, 1, now + PAUSE), Lane::Stream);
        assert_eq!(pace.lane(Lane::Pinned, 0, now + PAUSE), Lane::Pinned);
        assert_eq!(pace.window(1_000), 1_000);
    }

    #[test]
    fn what_may_be_redirected_keeps_its_lane() {
        let mut pace = Pace::default();
        let now = Instant::now();
        for _ in 0..3 * FAST_RECORDS {
            assert_eq!(pace.lane(Lane::Redirectable, 0, now), Lane::Redirectable);
            pace.sent(Lane::Redirectable, now, || true);
        }
        assert!(!pace.must_wait(1));
        // a route that changes while the stream is about to change over must not leave it waiting for each record
        send(&mut pace, FAST_RECORDS, Duration::ZERO, now, true);
        assert!(pace.must_wait(1));
        pace.lane(Lane::Redirectable, 1, now);
        assert!(!pace.must_wait(1));
    }
}
