//! Which topics exist, as the produce path asks: cached, one question at a time per topic, at most one a second.
//!
//! Existing topics are believed for 30 s, or until a record's outcome says otherwise ([`TopicCache::forget`]); missing
//! ones and failed questions for 1 s. Bounded: at most [`MOST_TOPICS`] answers are kept, [`AT_ONCE`] questions run.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sluice_data_plane::cluster::{AdminError, IfMissing};
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::Instant;

/// Partitions, or `None` where there is no such topic.
pub(crate) type Answer = Result<Option<i32>, AdminError>;

const EXISTING: Duration = Duration::from_secs(30);
const MISSING: Duration = Duration::from_secs(1);
const MOST_TOPICS: usize = 10_000;
const AT_ONCE: usize = 8;

/// A question and, once it is there, its answer.
struct Asked {
    since: Instant,
    if_missing: IfMissing,
    answer: Arc<OnceCell<Answer>>,
}

impl Asked {
    fn serves(&self, if_missing: IfMissing, now: Instant) -> bool {
        let age = now.duration_since(self.since);
        // a question that may not create says nothing about what a broker would create
        let asked_as_much = if_missing == IfMissing::Report || self.if_missing == IfMissing::BrokerMayCreate;
        match self.answer.get() {
            None => asked_as_much,
            Some(Ok(Some(_))) => age < EXISTING,
            Some(Ok(None)) => asked_as_much && age < MISSING,
            Some(Err(_)) => age < MISSING,
        }
    }
}

/// The answers.
pub(crate) struct TopicCache {
    asked: Mutex<HashMap<String, Asked>>,
    at_once: Semaphore,
}

impl Default for TopicCache {
    fn default() -> TopicCache {
        TopicCache { asked: Mutex::default(), at_once: Semaphore::new(AT_ONCE) }
    }
}

impl TopicCache {
    /// The answer for `topic`: a fresh one, or the one that `ask` gives, shared by everybody who waits for it. When
    /// the caller that asks goes away, the next one asks.
    pub(crate) async fn get<F>(&self, topic: &str, if_missing: IfMissing, ask: impl FnOnce() -> F) -> Answer
    where
        F: Future<Output = Answer>,
    {
        let answer = self.cell(topic, if_missing);
        answer
            .get_or_init(|| async {
                let _permit = self.at_once.acquire().await;
                ask().await
            })
            .await
            .clone()
    }

    fn cell(&self, topic: &str, if_missing: IfMissing) -> Arc<OnceCell<Answer>> {
        let now = Instant::now();
        let mut asked = self.asked.lock();
        if let Some(found) = asked.get(topic).filter(|found| found.serves(if_missing, now)) {
            return found.answer.clone();
        }
        if asked.len() >= MOST_TOPICS {
            asked.retain(|_, old| old.answer.initialized() && old.serves(IfMissing::Report, now));
            if asked.len() >= MOST_TOPICS {
                asked.clear();
            }
        }
        let answer = Arc::new(OnceCell::new());
        asked.insert(topic.to_owned(), Asked { since: now, if_missing, answer: answer.clone() });
        answer
    }

    /// A record's outcome, or a change, says that the answer may be wrong.
    pub(crate) fn forget(&self, topic: &str) {
        self.asked.lock().remove(topic);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Answers and counts how often it was asked.
    struct Cluster(AtomicUsize, Answer);

    impl Cluster {
        fn with(answer: Answer) -> Cluster {
            Cluster(AtomicUsize::new(0), answer)
        }

        async fn ask(&self) -> Answer {
            self.0.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(10)).await;
            self.1.clone()
        }

        fn questions(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn callers_share_one_question() {
        let (cache, cluster) = (TopicCache::default(), Cluster::with(Ok(Some(3))));
        let ask = || cache.get("t", IfMissing::Report, || cluster.ask());
        let (a, b, c) = tokio::join!(ask(), ask(), ask());
        assert_eq!([a, b, c], [Ok(Some(3)), Ok(Some(3)), Ok(Some(3))]);
        assert_eq!(cluster.questions(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_existing_topic_is_believed_for_half_a_minute() {
        let (cache, cluster) = (TopicCache::default(), Cluster::with(Ok(Some(3))));
        for (wait, questions) in [(0, 1), (29, 1), (1, 2)] {
            tokio::time::sleep(Duration::from_secs(wait)).await;
            assert_eq!(cache.get("t", IfMissing::BrokerMayCreate, || cluster.ask()).await, Ok(Some(3)));
            assert_eq!(cluster.questions(), questions);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_missing_topic_is_asked_for_again_after_a_second() {
        let (cache, cluster) = (TopicCache::default(), Cluster::with(Ok(None)));
        for (wait, questions) in [(0, 1), (900, 1), (200, 2)] {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            assert_eq!(cache.get("t", IfMissing::Report, || cluster.ask()).await, Ok(None));
            assert_eq!(cluster.questions(), questions);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn missing_when_only_looking_is_no_answer_for_one_who_would_create() {
        let (cache, cluster) = (TopicCache::default(), Cluster::with(Ok(None)));
        cache.get("t", IfMissing::Report, || cluster.ask()).await.unwrap();
        cache.get("t", IfMissing::BrokerMayCreate, || cluster.ask()).await.unwrap();
        assert_eq!(cluster.questions(), 2);
        cache.get("t", IfMissing::Report, || cluster.ask()).await.unwrap();
        assert_eq!(cluster.questions(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_outcome_that_contradicts_is_believed() {
        let (cache, cluster) = (TopicCache::default(), Cluster::with(Ok(Some(3))));
        cache.get("t", IfMissing::Report, || cluster.ask()).await.unwrap();
        cache.forget("t");
        cache.get("t", IfMissing::Report, || cluster.ask()).await.unwrap();
        assert_eq!(cluster.questions(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_goes_away_leaves_no_question_hanging() {
        let (cache, cluster) = (TopicCache::default(), Cluster::with(Ok(Some(3))));
        let gone = cache.get("t", IfMissing::Report, || cluster.ask());
        assert!(tokio::time::timeout(Duration::from_millis(1), gone).await.is_err());
        assert_eq!(cache.get("t", IfMissing::Report, || cluster.ask()).await, Ok(Some(3)));
    }

    #[tokio::test(start_paused = true)]
    async fn names_without_end_do_not_grow_it_without_end() {
        let (cache, cluster) = (TopicCache::default(), Cluster::with(Ok(None)));
        for number in 0..MOST_TOPICS + 5 {
            cache.get(&format!("t{number}"), IfMissing::Report, || std::future::ready(Ok(None))).await.unwrap();
        }
        assert!(cache.asked.lock().len() <= MOST_TOPICS);
        assert_eq!(cluster.questions(), 0);
    }
}
