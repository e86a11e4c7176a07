//! Following what other nodes write.
//!
//! One task per node: waits for a notification, or a second, reads the changes since its cursor, and forgets what they
//! name. While notifications do not arrive the node says so ([`Coherence::notified`]) and checks a subject's revision
//! before it answers a registration from memory. After the store was away, everything bound to a revision is forgotten.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::store::{Change, ChangeCursor, StoreError};
use crate::*;

/// Time between two polls, and at most the age of what a node believes while only notifications are lost.
const POLL: Duration = Duration::from_secs(1);
/// How long notifications are gathered before their changes are read: one query for many writes.
const GATHER: Duration = Duration::from_millis(5);
/// First and longest wait after the store did not answer.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// How current this node's view is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coherence {
    /// Notifications arrive (or are not needed: single process).
    pub notified: bool,
    /// Milliseconds since the store last answered; 0 when it just did.
    pub store_silent_ms: u64,
    /// The store did not answer when it was last asked for changes: what is known may be out of date.
    pub behind: bool,
}

impl Registry {
    /// Follows other nodes' writes until dropped: notifications, and a poll each second. Run once, as a task.
    pub async fn follow_changes(&self) {
        let _silence = Silenced(self);
        let mut cursor = None;
        let mut backoff = BACKOFF.0;
        loop {
            // Listens before it reads: what is written in between is notified.
            let mut changed = self.inner.store.changed();
            let heard = tokio::time::timeout(Duration::ZERO, &mut changed).await;
            let listens = !matches!(heard, Ok(Err(_)));
            if let Err(error) = self.catch_up(&mut cursor).await {
                self.stop_trusting(&error, "the store does not answer; answering from memory");
                self.inner.behind.store(true, Ordering::SeqCst);
                tokio::time::sleep(backoff).await;
                backoff = (backoff * 2).min(BACKOFF.1);
                continue;
            }
            backoff = BACKOFF.0;
            self.inner.notified.store(listens, Ordering::SeqCst);
            if !listens {
                tokio::time::sleep(POLL).await;
                continue;
            }
            if heard.is_ok() {
                // Told before it looked, and so caught up with it: the next one is another future.
                continue;
            }
            loop {
                match tokio::time::timeout(POLL, &mut changed).await {
                    Ok(Ok(())) => {
                        tokio::time::sleep(GATHER).await;
                        break;
                    }
                    Ok(Err(error)) => {
                        self.stop_trusting(&error, "notifications of other nodes' writes are lost; polling");
                        break;
                    }
                    Err(_) if self.catch_up(&mut cursor).await.is_ok() => {}
                    Err(_) => break,
                }
            }
        }
    }

    fn stop_trusting(&self, error: &StoreError, message: &'static str) {
        if self.inner.notified.swap(false, Ordering::SeqCst) {
            tracing::warn!(%error, "{message}");
        }
    }

    /// Applies what was written since the cursor, and moves it.
    async fn catch_up(&self, cursor: &mut Option<ChangeCursor>) -> Result<(), StoreError> {
        let inner = &self.inner;
        match cursor {
            None => {
                *cursor = Some(inner.store.change_cursor().await?);
                inner.caches.forget_all_revisions();
            }
            Some(at) => {
                let (changes, next) = inner.store.changes_since(at).await?;
                inner.counts.changes.add(changes.len() as u64);
                for change in &changes {
                    self.apply(change).await?;
                }
                *at = next;
            }
        }
        if inner.behind.swap(false, Ordering::SeqCst) {
            inner.caches.forget_all_revisions();
        }
        inner.heard_at.store((inner.config.clock)(), Ordering::SeqCst);
        Ok(())
    }

    async fn apply(&self, change: &Change) -> Result<(), StoreError> {
        let caches = &self.inner.caches;
        match change {
            Change::Subject(subject) => {
                caches.forget_subject(subject);
                if caches.is_resolved_through(subject) {
                    caches.check_resolved(subject, &self.inner.store.subject(subject).await?);
                }
            }
            Change::Settings(scope) => caches.forget_settings(scope),
            // The list of contexts is not cached.
            Change::Contexts => {}
        }
        Ok(())
    }

    pub(crate) fn is_notified(&self) -> bool {
        self.inner.notified.load(Ordering::SeqCst)
    }

    /// Whether the notification stream is up and when the store last answered, for readiness details.
    pub fn coherence(&self) -> Coherence {
        let silent = (self.inner.config.clock)().saturating_sub(self.inner.heard_at.load(Ordering::SeqCst));
        Coherence {
            notified: self.is_notified(),
            store_silent_ms: u64::try_from(silent).unwrap_or(0),
            behind: self.inner.behind.load(Ordering::SeqCst),
        }
    }
}

/// Nobody follows any more: nothing arrives.
struct Silenced<'a>(&'a Registry);

impl Drop for Silenced<'_> {
    fn drop(&mut self) {
        self.0.inner.notified.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests;
