//! Who asks, and what they may do: decided by a pure function handed in with the caller.

use std::fmt;
use std::sync::Arc;

use crate::{ContextName, SubjectName};

/// Name of whoever sent a request, e.g. `user:ann`, `service:ledger`, `anonymous`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal(pub Arc<str>);

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// See it.
    Read,
    /// Add to it: register a version, write a record.
    Write,
    /// Delete it.
    Delete,
    /// Change its config or mode.
    Configure,
    /// Make it: create a topic.
    Create,
}

/// On what.
#[derive(Debug, Clone, Copy)]
pub enum Resource<'a> {
    /// A subject.
    Subject(&'a SubjectName),
    /// A context, its config and mode.
    Context(&'a ContextName),
    /// A Kafka topic on a physical cluster.
    Topic {
        /// Kafka's cluster id.
        cluster: &'a str,
        /// Topic name.
        topic: &'a str,
    },
    /// A cluster as a whole.
    Cluster(&'a str),
    /// The server: its own settings and metrics.
    Server,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Allow,
    /// Refuse with 403, or leave it out of a list.
    Deny,
}

/// A pure decision. Called often: must not block.
pub trait Access: fmt::Debug + Send + Sync {
    /// Whether `principal` may do `action` on `resource`.
    fn decide(&self, principal: &Principal, action: Action, resource: &Resource<'_>) -> Decision;
}

/// Whoever a use case acts for.
#[derive(Debug, Clone)]
pub struct Caller {
    principal: Principal,
    access: Arc<dyn Access>,
}

#[derive(Debug)]
struct Everything;

impl Access for Everything {
    fn decide(&self, _: &Principal, _: Action, _: &Resource<'_>) -> Decision {
        Decision::Allow
    }
}

impl Caller {
    /// `principal` with the rights that `access` gives.
    pub fn new(principal: Principal, access: Arc<dyn Access>) -> Caller {
        Caller { principal, access }
    }

    /// An anonymous caller who may do everything: servers without authentication.
    pub fn everything() -> Caller {
        Caller { principal: Principal("anonymous".into()), access: Arc::new(Everything) }
    }

    /// The name.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Whether the caller may.
    pub fn may(&self, action: Action, resource: &Resource<'_>) -> bool {
        self.access.decide(&self.principal, action, resource) == Decision::Allow
    }

    /// `Err(Error::Forbidden)` unless the caller may.
    pub fn check(&self, action: Action, resource: &Resource<'_>) -> Result<(), crate::Error> {
        if self.may(action, resource) { Ok(()) } else { Err(crate::Error::Forbidden) }
    }
}
