//! Compatibility levels.

use std::fmt;

/// How a new version must relate to older ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Anything goes.
    None,
    /// The new schema reads what the latest wrote. The server's default.
    Backward,
    /// … what any version wrote.
    BackwardTransitive,
    /// The latest schema reads what the new one writes.
    Forward,
    /// … every version does.
    ForwardTransitive,
    /// Both ways against the latest.
    Full,
    /// Both ways against every version.
    FullTransitive,
}

impl Level {
    /// Every level there is.
    pub const ALL: [Level; 7] = [
        Level::None,
        Level::Backward,
        Level::BackwardTransitive,
        Level::Forward,
        Level::ForwardTransitive,
        Level::Full,
        Level::FullTransitive,
    ];

    /// The level of this wire name, in any case; `None` for other words.
    pub fn from_wire(name: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.wire().eq_ignore_ascii_case(name))
    }

    /// The upper-case wire name.
    pub fn wire(self) -> &'static str {
        match self {
            Level::None => "NONE",
            Level::Backward => "BACKWARD",
            Level::BackwardTransitive => "BACKWARD_TRANSITIVE",
            Level::Forward => "FORWARD",
            Level::ForwardTransitive => "FORWARD_TRANSITIVE",
            Level::Full => "FULL",
            Level::FullTransitive => "FULL_TRANSITIVE",
        }
    }

    /// Whether every live version is compared, not only the latest.
    pub fn is_transitive(self) -> bool {
        matches!(self, Level::BackwardTransitive | Level::ForwardTransitive | Level::FullTransitive)
    }

    /// Whether old data must be readable with the new schema.
    pub fn checks_backward(self) -> bool {
        matches!(self, Level::Backward | Level::BackwardTransitive | Level::Full | Level::FullTransitive)
    }

    /// Whether new data must be readable with the old schema.
    pub fn checks_forward(self) -> bool {
        matches!(self, Level::Forward | Level::ForwardTransitive | Level::Full | Level::FullTransitive)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wire())
    }
}
