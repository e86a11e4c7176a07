//! Mode entities.

use serde::Serialize;
use sluice_registry::Mode;

use super::error::SrError;
use super::request::invalid_mode;

/// `{"mode": …}`, or `{}`.
#[derive(Debug, Serialize)]
pub(super) struct ModeBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mode: Option<&'static str>,
}

impl ModeBody {
    /// `{"mode": …}`
    pub(super) fn of(mode: Mode) -> ModeBody {
        ModeBody { mode: Some(mode.wire()) }
    }
}

/// The mode of this name, in any case; 42204.
pub(super) fn parse(name: &str) -> Result<Mode, SrError> {
    Mode::from_wire(name).ok_or_else(invalid_mode)
}
