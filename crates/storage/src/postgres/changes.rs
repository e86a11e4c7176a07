//! Telling other nodes that something was written, and hearing it from them.
//!
//! NOTIFY is not part of the writing transactions: at commit it takes a lock of the whole server and holds it until
//! the log is on disk, so writers would commit one by one. Instead one task per node notifies after commits, many
//! commits at a time, and its own commit waits for no disk. A node that dies in between leaves it to the others' poll
//! of [`crate::sql::CHANGES_SINCE`], which misses nothing.
//!
//! The listener has a connection of its own, tries it every few seconds and makes a new one when it is lost. A loss is
//! reported once through `changed`; the return is a change, as anything may have been written meanwhile.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sluice_registry::store::{StoreError, StoreResult};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::Notify;
use tokio::time;

use super::pool::Pool;
use crate::error::Effect;
use crate::sql::NOTIFY;

/// Name of the channel.
const CHANNEL: &str = "sluice_registry";
/// At most one notification in this time; the first goes out at once.
const NOTIFY_PAUSE: Duration = Duration::from_millis(10);
/// A listener silent for so long is tried.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Longest wait for the listener's connection to be made, or to answer when tried.
const ANSWER: Duration = Duration::from_secs(2);
/// Pause between attempts to listen again.
const RETRY: Duration = Duration::from_millis(250);

/// What the listener has to say, for one consumer.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct State {
    changed: bool,
    lost: Option<String>,
}

impl Inbox {
    /// Resolves at the next notification, or with an error once the stream is lost.
    pub(crate) async fn changed(&self) -> StoreResult<()> {
        loop {
            {
                let mut state = self.state.lock();
                if let Some(cause) = state.lost.take() {
                    return Err(StoreError::Unavailable { statement: "LISTEN", cause });
                }
                if std::mem::take(&mut state.changed) {
                    return Ok(());
                }
            }
            self.wake.notified().await;
        }
    }

    fn put_changed(&self) {
        self.state.lock().changed = true;
        self.wake.notify_one();
    }

    fn put_lost(&self, cause: String) {
        self.state.lock().lost = Some(cause);
        self.wake.notify_one();
    }
}

/// Listens until aborted. `node` is this node's name in notifications: its own ones are not news.
pub(crate) async fn listen(options: PgConnectOptions, node: String, inbox: Arc<Inbox>) {
    let mut first = true;
    loop {
        match time::timeout(ANSWER, connect(&options)).await {
            Ok(Ok(mut listener)) => {
                if !first {
                    inbox.put_changed();
                }
                first = false;
                let cause = receive(&mut listener, &node, &inbox).await;
                tracing::warn!(%cause, "lost the stream of notifications");
                inbox.put_lost(cause);
            }
            failed if first => {
                first = false;
                inbox.put_lost(match failed {
                    Ok(Err(error)) => error.to_string(),
                    _ => format!("no answer within {ANSWER:?}"),
                });
            }
            _ => {}
        }
        time::sleep(RETRY).await;
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgListener, sqlx::Error> {
    // sqlx's listener wants a pool. One per attempt: a connection that hangs keeps its place in the old one.
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ANSWER)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options.clone().application_name("sluice listener"));
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Passes notifications on until the connection is lost; why it was.
async fn receive(listener: &mut PgListener, node: &str, inbox: &Inbox) -> String {
    loop {
        match time::timeout(HEARTBEAT, listener.try_recv()).await {
            Ok(Ok(Some(notification))) => {
                if notification.payload() != node {
                    inbox.put_changed();
                }
            }
            Ok(Ok(None)) => return "the server closed the connection".to_owned(),
            Ok(Err(error)) => return error.to_string(),
            Err(_) => match time::timeout(ANSWER, (&mut *listener).execute("SELECT 1")).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return error.to_string(),
                Err(_) => return format!("no answer within {ANSWER:?}"),
            },
        }
    }
}

/// Notifies after commits until aborted; `committed` is rung by writers.
pub(crate) async fn announce(pool: Pool, node: String, committed: Arc<Notify>) {
    loop {
        committed.notified().await;
        let told = pool
            .run(&NOTIFY, Effect::Reads, |mut lease| {
                let query = sqlx::query(NOTIFY.postgres).bind(CHANNEL).bind(&*node);
                async move {
                    let result = query.execute(lease.connection()).await;
                    (lease, result)
                }
            })
            .await;
        if let Err(failed) = told {
            tracing::debug!(error = %failed.error, "could not notify; the others will poll");
        }
        time::sleep(NOTIFY_PAUSE).await;
    }
}
