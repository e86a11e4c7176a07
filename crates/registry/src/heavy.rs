//! Heavy pure work: reading, comparing and weighing big schemas beside the threads that serve connections.
//!
//! A fixed number of threads of its own, started with the first big job, taken in turn. So a storm of big schemas can
//! occupy these and no others: whoever asks for something small is not even behind it in a queue. The binary gives the
//! threads a lower priority ([`RegistryConfig::heavy_started`]), since cores are shared even where threads are not.
//!
//! Small work is done at once by whoever asks: handing over costs more than reading a few KiB.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, SendError, Sender, channel};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use sluice_schema::InvalidSchema;
use tokio::sync::oneshot;

use crate::{Error, Registry, RegistryConfig};

type Job = Box<dyn FnOnce() + Send>;

/// The threads, and the queue before them. They end when this is dropped.
pub(crate) struct Heavy {
    threads: usize,
    started: fn(),
    queue: OnceLock<Sender<Job>>,
}

impl Heavy {
    pub(crate) fn new(config: &RegistryConfig) -> Heavy {
        Heavy { threads: config.heavy_threads.max(1), started: config.heavy_started, queue: OnceLock::new() }
    }

    fn queue(&self) -> &Sender<Job> {
        self.queue.get_or_init(|| {
            let (queue, jobs) = channel::<Job>();
            let jobs = Arc::new(Mutex::new(jobs));
            for _ in 0..self.threads {
                let (jobs, started) = (jobs.clone(), self.started);
                let work = move || {
                    started();
                    while let Some(job) = next(&jobs) {
                        job();
                    }
                };
                if let Err(error) = std::thread::Builder::new().name("sluice-heavy".to_owned()).spawn(work) {
                    tracing::error!(%error, "no thread for big schemas");
                }
            }
            queue
        })
    }
}

/// One thread waits for the next job, the others for their turn to wait.
fn next(jobs: &Mutex<Receiver<Job>>) -> Option<Job> {
    jobs.lock().recv().ok()
}

impl Registry {
    /// Does pure work on so many bytes: at once if they are few, else on the threads for it. A panic of `work` is a
    /// panic here. Fails only while the process ends.
    pub async fn off_thread<T: Send + 'static>(
        &self,
        size_bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        if size_bytes <= self.inner.config.heavy_bytes {
            return Ok(work());
        }
        let (done, result) = oneshot::channel();
        let job: Job = Box::new(move || {
            // Whoever asked may be gone.
            let _ = done.send(catch_unwind(AssertUnwindSafe(work)));
        });
        if let Err(SendError(job)) = self.inner.heavy.queue().send(job) {
            // No thread could be started.
            job();
        }
        match result.await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_) => Err(stopping()),
        }
    }

    /// The same for answers, long lists and texts to be printed: on the runtime's blocking threads, so that they do not
    /// queue behind schemas that others bring.
    pub async fn print_off_thread<T: Send + 'static>(
        &self,
        size_bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        if size_bytes <= self.inner.config.heavy_bytes {
            return Ok(work());
        }
        match tokio::task::spawn_blocking(work).await.map_err(tokio::task::JoinError::try_into_panic) {
            Ok(done) => Ok(done),
            Err(Ok(panic)) => resume_unwind(panic),
            Err(Err(_)) => Err(stopping()),
        }
    }
}

fn stopping() -> Error {
    let cause = InvalidSchema::TooComplex("the server stops before the schema is read".to_owned());
    Error::InvalidSchema { outline: None, cause }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use crate::fixture::*;
    use crate::memory::MemoryStore;
    use crate::{Registry, RegistryConfig};

    use super::*;

    fn registry(heavy_threads: usize) -> Registry {
        let config = RegistryConfig { heavy_threads, heavy_bytes: 10, ..config() };
        Registry::new(Arc::new(MemoryStore::new()), config)
    }

    #[tokio::test]
    async fn small_work_is_done_by_whoever_asks_and_big_work_is_not() {
        let registry = registry(1);
        let here = std::thread::current().id();
        let who = || std::thread::current().id();
        assert_eq!(registry.off_thread(10, who).await.unwrap(), here);
        let there = registry.off_thread(11, who).await.unwrap();
        assert_ne!(there, here);
        assert_eq!(registry.off_thread(1_000_000, who).await.unwrap(), there);
    }

    #[tokio::test]
    async fn no_more_big_jobs_run_at_once_than_there_are_threads() {
        let registry = registry(2);
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let job = || {
            let (running, most) = (running.clone(), most.clone());
            move || {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(2));
                running.fetch_sub(1, Ordering::SeqCst);
            }
        };
        let jobs = (0..20).map(|_| registry.off_thread(11, job()));
        futures_util::future::try_join_all(jobs).await.unwrap();
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_panic_reaches_whoever_asked_and_the_thread_works_on() {
        let registry = registry(1);
        let asked = registry.clone();
        let panicked = tokio::spawn(async move { asked.off_thread(11, || -> u8 { panic!("too much") }).await }).await;
        assert!(panicked.unwrap_err().is_panic());
        assert_eq!(registry.off_thread(11, || 7).await.unwrap(), 7);
    }
}
