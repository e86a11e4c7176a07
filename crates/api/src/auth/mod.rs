//! The door: who is asking.
//!
//! [`Authenticate`] turns a request's head into a [`Caller`]. Whether the caller may is asked next, from the route's
//! permission (`service.rs`), and again in every use case. Each method of authentication gets a file here.

use std::pin::Pin;

use http::request::Parts;
use sluice_registry::Caller;

use crate::error::HttpError;

/// The answer of the door.
pub enum Admission<'a> {
    /// Known at once.
    Now(Result<Caller, HttpError>),
    /// Somebody has to be asked first.
    Later(Pin<Box<dyn Future<Output = Result<Caller, HttpError>> + Send + 'a>>),
}

/// A way to know who is asking.
pub trait Authenticate: Send + Sync {
    /// The caller behind a request, or 401.
    fn authenticate<'a>(&'a self, head: &'a Parts) -> Admission<'a>;

    /// Whether every caller may do everything, so that routes need not be checked.
    fn admits_everyone(&self) -> bool {
        false
    }
}

/// No authentication: everybody is anonymous and may do everything.
#[derive(Debug)]
pub struct Anonymous(Caller);

impl Anonymous {
    /// The open door.
    pub fn new() -> Anonymous {
        Anonymous(Caller::everything())
    }
}

impl Default for Anonymous {
    fn default() -> Anonymous {
        Anonymous::new()
    }
}

impl Authenticate for Anonymous {
    fn authenticate<'a>(&'a self, _: &'a Parts) -> Admission<'a> {
        Admission::Now(Ok(self.0.clone()))
    }

    fn admits_everyone(&self) -> bool {
        true
    }
}
