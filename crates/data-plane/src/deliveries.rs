//! Where outcomes land: one hub for all clusters, one queue per stream.
//!
//! The hub is what adapters are built with. A token's high half is the stream's place in the hub, its low half the
//! record's number in the stream. `delivered` only pushes; `batch_end` wakes each stream that got something, once.
//! A place is given to another stream only when every outcome of the former one has come, so that no outcome ever
//! reaches a stranger: a stream that goes away with records in flight leaves its place behind as *abandoned*.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use parking_lot::{Mutex, RwLock};

use crate::cluster::{Deliveries, Token};
use crate::outcome::Outcome;

/// Outcomes of one stream that wait to be looked at.
#[derive(Debug, Default)]
struct Queue {
    arrived: Vec<(u32, Outcome)>,
    /// Set when the stream is gone: how many outcomes are still to come.
    abandoned: Option<usize>,
}

#[derive(Debug, Default)]
struct Completions {
    queue: Mutex<Queue>,
    waker: AtomicWaker,
    is_dirty: AtomicBool,
}

/// The hub. One per process; handed to every adapter.
#[derive(Debug, Default)]
pub struct DeliveryHub {
    streams: RwLock<Vec<Option<Arc<Completions>>>>,
    free: Mutex<Vec<u32>>,
    touched: Mutex<Vec<Arc<Completions>>>,
}

impl DeliveryHub {
    /// A hub without streams.
    pub fn new() -> Arc<DeliveryHub> {
        Arc::default()
    }

    /// How many places are taken: streams that live, and abandoned ones with outcomes still to come.
    pub fn open_streams(&self) -> usize {
        self.streams.read().len() - self.free.lock().len()
    }

    fn release(&self, place: u32) {
        if let Some(slot) = self.streams.write().get_mut(place as usize) {
            *slot = None;
            self.free.lock().push(place);
        }
    }
}

impl Deliveries for DeliveryHub {
    fn delivered(&self, token: Token, outcome: Outcome) {
        let (place, number) = ((token.0 >> 32) as u32, token.0 as u32);
        let is_done = {
            let streams = self.streams.read();
            let Some(Some(stream)) = streams.get(place as usize) else { return };
            let mut queue = stream.queue.lock();
            if let Some(left) = &mut queue.abandoned {
                *left = left.saturating_sub(1);
                *left == 0
            } else {
                queue.arrived.push((number, outcome));
                drop(queue);
                if !stream.is_dirty.swap(true, Ordering::AcqRel) {
                    self.touched.lock().push(stream.clone());
                }
                false
            }
        };
        if is_done {
            self.release(place);
        }
    }

    fn batch_end(&self) {
        let touched = std::mem::take(&mut *self.touched.lock());
        for stream in &touched {
            stream.is_dirty.store(false, Ordering::Release);
            stream.waker.wake();
        }
    }
}

/// A stream's end of the hub.
#[derive(Debug)]
pub(crate) struct Inbox {
    hub: Arc<DeliveryHub>,
    place: u32,
    completions: Arc<Completions>,
    in_flight: usize,
    taken: Vec<(u32, Outcome)>,
}

impl Inbox {
    pub(crate) fn open(hub: &Arc<DeliveryHub>) -> Inbox {
        let completions = Arc::new(Completions::default());
        let mut streams = hub.streams.write();
        let place = match hub.free.lock().pop() {
            Some(place) => {
                streams[place as usize] = Some(completions.clone());
                place
            }
            None => {
                streams.push(Some(completions.clone()));
                (streams.len() - 1) as u32
            }
        };
        drop(streams);
        Inbox { hub: hub.clone(), place, completions, in_flight: 0, taken: Vec::new() }
    }

    pub(crate) fn token(&self, number: u32) -> Token {
        Token(u64::from(self.place) << 32 | u64::from(number))
    }

    /// A record was accepted: its outcome will come.
    pub(crate) fn sent(&mut self) {
        self.in_flight += 1;
    }

    /// How many outcomes are still to come.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Hands every outcome that has arrived to `each`.
    pub(crate) fn take(&mut self, mut each: impl FnMut(u32, Outcome)) {
        std::mem::swap(&mut self.completions.queue.lock().arrived, &mut self.taken);
        self.in_flight = self.in_flight.saturating_sub(self.taken.len());
        for (number, outcome) in self.taken.drain(..) {
            each(number, outcome);
        }
    }

    /// Whether something has arrived; if not, `waker` is woken when it does.
    pub(crate) fn poll_arrived(&self, waker: &Waker) -> bool {
        if !self.completions.queue.lock().arrived.is_empty() {
            return true;
        }
        self.completions.waker.register(waker);
        !self.completions.queue.lock().arrived.is_empty()
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let left = {
            let mut queue = self.completions.queue.lock();
            let left = self.in_flight.saturating_sub(queue.arrived.len());
            queue.arrived = Vec::new();
            queue.abandoned = Some(left);
            left
        };
        if left == 0 {
            self.hub.release(self.place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(offset: i64) -> Outcome {
        Outcome::Written { partition: 0, offset, timestamp_ms: None }
    }

    fn taken(inbox: &mut Inbox) -> Vec<u32> {
        let mut numbers = Vec::new();
        inbox.take(|number, _| numbers.push(number));
        numbers
    }

    #[test]
    fn outcomes_reach_their_stream_and_a_batch_wakes_it_once() {
        let hub = DeliveryHub::new();
        let (mut one, mut two) = (Inbox::open(&hub), Inbox::open(&hub));
        let (waker, count) = futures_util_count_waker();
        assert!(!one.poll_arrived(&waker));
        for number in [7, 8] {
            one.sent();
            hub.delivered(one.token(number), written(1));
        }
        two.sent();
        hub.delivered(two.token(7), written(2));
        hub.batch_end();
        assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 1);
        assert!(one.poll_arrived(&waker));
        assert_eq!((taken(&mut one), taken(&mut two)), (vec![7, 8], vec![7]));
        assert_eq!(one.in_flight(), 0);
    }

    #[test]
    fn a_place_is_given_away_only_when_every_outcome_of_its_stream_has_come() {
        let hub = DeliveryHub::new();
        let mut first = Inbox::open(&hub);
        first.sent();
        first.sent();
        let (a, b) = (first.token(0), first.token(1));
        hub.delivered(a, written(0));
        drop(first);
        let mut second = Inbox::open(&hub);
        assert_ne!(second.token(0).0 >> 32, a.0 >> 32);
        hub.delivered(b, written(1));
        hub.batch_end();
        assert_eq!(taken(&mut second), Vec::<u32>::new());
        let third = Inbox::open(&hub);
        assert_eq!(third.token(0).0 >> 32, a.0 >> 32);
        assert_eq!(hub.open_streams(), 2);
    }

    struct CountingWaker(std::sync::atomic::AtomicUsize);
    impl std::task::Wake for CountingWaker {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }
    struct Count(Arc<CountingWaker>);
    impl Count {
        fn load(&self, ordering: std::sync::atomic::Ordering) -> usize {
            self.0.0.load(ordering)
        }
    }
    fn futures_util_count_waker() -> (Waker, Count) {
        let counter = Arc::new(CountingWaker(Default::default()));
        (Waker::from(counter.clone()), Count(counter))
    }
}
