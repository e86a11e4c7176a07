//! Schemas as files: what `sluice schema` works on.
//!
//! `plan` reads files, finds what they refer to and puts them in order; `subject` names where each belongs;
//! `remote` speaks to a registry; `verdict` checks, registers and compares; `locate` finds lines; `report` prints.
//! The registry's word counts: what it can decide is asked of it. Only what it does not know yet (a schema whose
//! imports change with it) and two local files are compared here, by the same rules.
//!
//! To add a file type: its extension in `plan`, its outline in `sluice_schema::outline`.

pub(crate) mod locate;
pub(crate) mod plan;
pub(crate) mod remote;
pub(crate) mod report;
pub(crate) mod subject;
pub(crate) mod verdict;
