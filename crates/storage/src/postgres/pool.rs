//! Connections to Postgres: a pool that knows whether the server is there.
//!
//! Own code for two reasons. sqlx's pool adds a round trip to every statement (a ping when a connection comes back),
//! which a registration pays dearly. And callers must not each wait for a timeout when Postgres is away: whoever meets
//! a broken or silent connection *suspects* the server, one task probes it with a connection of its own, and while the
//! probe fails all calls fail at once; when it succeeds they go on.
//!
//! Invariant: a connection goes back to the idle ones only after its answer was read to the end; any other is dropped,
//! which closes it.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sluice_registry::store::{StoreError, StoreResult};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time;

use crate::config::StorageConfig;
use crate::error::{self, Effect, unavailable};
use crate::sql::Statement;

/// A connection idle for longer is tried before use: a firewall or a restart may have ended it.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);
/// Longest wait for that.
const TRY_TIMEOUT: Duration = Duration::from_millis(500);
/// An idle connection that nobody needed for so long is closed.
const MAX_IDLE: Duration = Duration::from_secs(600);
/// A statement silent for so long makes the server suspect.
const PATIENCE: Duration = Duration::from_secs(1);
/// Pause between probes of a server that is down.
const PROBE_PAUSE: Duration = Duration::from_millis(250);
/// What the client waits beyond the server's own statement timeout.
const TIMEOUT_SLACK: Duration = Duration::from_millis(500);

/// The pool. Clones share it.
#[derive(Clone)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    options: PgConnectOptions,
    limits: StorageConfig,
    permits: Arc<Semaphore>,
    /// Last in, first out: the rest grow old and are closed.
    idle: Mutex<Vec<Idle>>,
    /// Why the server is held to be down; `None` while it is not.
    down: watch::Sender<Option<Arc<str>>>,
    probing: AtomicBool,
    /// Connections that were idle before this moment are tried before use.
    suspected: Mutex<Option<Instant>>,
}

struct Idle {
    connection: PgConnection,
    since: Instant,
}

/// A connection in use. Dropped without [`Lease::done`], it is closed.
pub(crate) struct Lease {
    connection: PgConnection,
    shared: Arc<Shared>,
    // Given back after the connection.
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    /// The connection.
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Gives the connection back: its last answer was read to the end.
    pub(crate) fn done(self) {
        let Lease { connection, shared, _permit } = self;
        let now = Instant::now();
        let retired = {
            let mut idle = shared.idle.lock();
            idle.push(Idle { connection, since: now });
            let oldest_is_stale = idle.first().is_some_and(|oldest| now.duration_since(oldest.since) > MAX_IDLE);
            oldest_is_stale.then(|| idle.remove(0))
        };
        drop(retired);
    }
}

/// A statement failed.
#[derive(Debug)]
pub(crate) struct Failed {
    /// How the store says it.
    pub(crate) error: StoreError,
    /// Whether a second attempt on another connection makes sense.
    pub(crate) retry: bool,
}

/// Why a statement gave no result.
enum Failure {
    /// The server or the decoder said so; the connection is in order.
    Answered(sqlx::Error),
    /// The connection is gone, or was given up.
    Broken(String, Option<sqlx::Error>),
}

impl Pool {
    /// A pool without connections yet.
    pub(crate) fn new(options: PgConnectOptions, limits: StorageConfig) -> Pool {
        let permits = Arc::new(Semaphore::new(limits.max_connections.max(1)));
        Pool {
            shared: Arc::new(Shared {
                options,
                limits,
                permits,
                idle: Mutex::new(Vec::new()),
                down: watch::Sender::new(None),
                probing: AtomicBool::new(false),
                suspected: Mutex::new(None),
            }),
        }
    }

    /// Runs a statement on a connection of the pool; `work` gives the connection back beside the result.
    pub(crate) async fn run<T, Fut>(
        &self,
        statement: &'static Statement,
        effect: Effect,
        work: impl FnOnce(Lease) -> Fut,
    ) -> Result<T, Failed>
    where
        Fut: Future<Output = (Lease, Result<T, sqlx::Error>)>,
    {
        let lease = self.lease(statement).await.map_err(|error| Failed { error, retry: false })?;
        match self.supervise(work(lease)).await {
            Ok(value) => Ok(value),
            Err(Failure::Answered(error)) => {
                Err(Failed { error: error::postgres(statement, effect, &error), retry: false })
            }
            Err(Failure::Broken(cause, error)) => {
                self.suspect(&cause);
                let error = match error {
                    Some(error) => error::postgres(statement, effect, &error),
                    None => error::lost(statement, effect, cause),
                };
                Err(Failed { error, retry: effect == Effect::Reads })
            }
        }
    }

    /// Waits for the answer: not beyond the statement timeout, and not when the server turns out to be down.
    async fn supervise<T>(&self, work: impl Future<Output = (Lease, Result<T, sqlx::Error>)>) -> Result<T, Failure> {
        let mut down = self.shared.down.subscribe();
        let mut work = std::pin::pin!(work);
        let started = Instant::now();
        let mut patience = PATIENCE;
        loop {
            tokio::select! {
                biased;
                (lease, result) = &mut work => return match result {
                    Ok(value) => {
                        lease.done();
                        Ok(value)
                    }
                    Err(error) if error::breaks_connection(&error) => Err(Failure::Broken(error.to_string(), Some(error))),
                    Err(error) => {
                        lease.done();
                        Err(Failure::Answered(error))
                    }
                },
                cause = went_down(&mut down) => return Err(Failure::Broken(cause.to_string(), None)),
                () = time::sleep(patience) => {
                    let limit = self.shared.limits.statement_timeout + TIMEOUT_SLACK;
                    let left = limit.saturating_sub(started.elapsed());
                    if left.is_zero() {
                        return Err(Failure::Broken(format!("no answer within {limit:?}"), None));
                    }
                    self.suspect("a statement got no answer for a second");
                    patience = left;
                }
            }
        }
    }

    /// A connection, or `Unavailable`: at once while the server is known to be down, else within the acquire timeout.
    pub(crate) async fn lease(&self, statement: &'static Statement) -> StoreResult<Lease> {
        if let Some(cause) = &*self.shared.down.borrow() {
            return Err(unavailable(statement, cause));
        }
        let permit = match self.shared.permits.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => self.wait_for_permit(statement).await?,
        };
        while let Some(idle) = self.pop() {
            if let Some(connection) = self.tried(idle).await {
                return Ok(Lease { connection, shared: self.shared.clone(), _permit: permit });
            }
        }
        let mut down = self.shared.down.subscribe();
        let made = tokio::select! {
            made = self.connect() => made,
            cause = went_down(&mut down) => return Err(unavailable(statement, cause)),
        };
        match made {
            Ok(connection) => Ok(Lease { connection, shared: self.shared.clone(), _permit: permit }),
            Err(cause) => {
                self.suspect(&cause);
                Err(unavailable(statement, cause))
            }
        }
    }

    async fn wait_for_permit(&self, statement: &'static Statement) -> StoreResult<OwnedSemaphorePermit> {
        let mut down = self.shared.down.subscribe();
        let wait = self.shared.limits.acquire_timeout;
        tokio::select! {
            permit = self.shared.permits.clone().acquire_owned() => permit.map_err(|e| unavailable(statement, e)),
            cause = went_down(&mut down) => Err(unavailable(statement, cause)),
            () = time::sleep(wait) => Err(unavailable(
                statement,
                format!("all {} connections were busy for {wait:?}", self.shared.limits.max_connections),
            )),
        }
    }

    fn pop(&self) -> Option<Idle> {
        self.shared.idle.lock().pop()
    }

    /// The idle connection, if it still works.
    async fn tried(&self, mut idle: Idle) -> Option<PgConnection> {
        let suspect = self.shared.suspected.lock().is_some_and(|at| idle.since <= at);
        if (suspect || idle.since.elapsed() > TRUSTED_IDLE)
            && !matches!(time::timeout(TRY_TIMEOUT, idle.connection.ping()).await, Ok(Ok(())))
        {
            self.suspect("an idle connection was dead");
            return None;
        }
        Some(idle.connection)
    }

    /// A new connection, or why not.
    async fn connect(&self) -> Result<PgConnection, String> {
        let wait = self.shared.limits.connect_timeout;
        match time::timeout(wait, self.shared.options.connect()).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no connection within {wait:?}")),
        }
    }

    /// Something went wrong that a dead server would explain: find out, once for all callers.
    pub(crate) fn suspect(&self, cause: &str) {
        *self.shared.suspected.lock() = Some(Instant::now());
        if self.shared.probing.swap(true, Ordering::AcqRel) {
            return;
        }
        tracing::debug!(cause, "postgres is suspect");
        tokio::spawn(investigate(Arc::downgrade(&self.shared)));
    }

    async fn probe(&self) -> Probe {
        let options = self.shared.options.clone().application_name("sluice probe");
        let attempt = async {
            let mut connection = options.connect().await?;
            connection.ping().await?;
            connection.close().await
        };
        match time::timeout(self.shared.limits.connect_timeout, attempt).await {
            Ok(Ok(())) => Probe::Alive,
            // Full, but alive.
            Ok(Err(sqlx::Error::Database(answer))) if answer.code().is_some_and(|code| code == "53300") => Probe::Alive,
            Ok(Err(error)) => Probe::Dead(error.to_string()),
            Err(_) => Probe::Silent,
        }
    }
}

enum Probe {
    Alive,
    Dead(String),
    Silent,
}

/// Probes until the server answers. While it does not, it is held to be down: at once when it refuses, after a second
/// attempt when it is silent, which a busy machine may be.
async fn investigate(shared: Weak<Shared>) {
    let mut silences = 0;
    while let Some(shared) = shared.upgrade() {
        let pool = Pool { shared };
        let cause = match pool.probe().await {
            Probe::Alive => {
                if pool.shared.down.send_replace(None).is_some() {
                    tracing::info!("postgres is back");
                }
                pool.shared.probing.store(false, Ordering::Release);
                return;
            }
            Probe::Dead(cause) => cause,
            Probe::Silent => {
                silences += 1;
                if silences < 2 {
                    continue;
                }
                format!("no connection within {:?}", pool.shared.limits.connect_timeout)
            }
        };
        // Whatever is idle belongs to the server that is gone.
        pool.shared.idle.lock().clear();
        let cause: Arc<str> = cause.into();
        if pool.shared.down.send_replace(Some(cause.clone())).is_none() {
            tracing::error!(%cause, "postgres is down");
        }
        drop(pool);
        time::sleep(PROBE_PAUSE).await;
    }
}

/// Resolves with the cause when the server is held to be down.
async fn went_down(down: &mut watch::Receiver<Option<Arc<str>>>) -> Arc<str> {
    loop {
        if let Some(cause) = &*down.borrow_and_update() {
            return cause.clone();
        }
        if down.changed().await.is_err() {
            // The sender lives as long as the pool.
            return "the pool is gone".into();
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("idle", &self.shared.idle.lock().len()).finish()
    }
}
