//! Settings of the registry. The binary reads them from file, environment and flags; doc comments are the reference.

use sluice_schema::Level;

/// Where the time comes from: milliseconds since 1970.
pub type Clock = fn() -> i64;

/// Settings of the registry.
#[derive(Debug, Clone)]
pub struct RegistryConfig {
    /// Level of subjects without one: `BACKWARD`.
    pub default_level: Level,
    /// Whether modes may be changed.
    pub mode_mutability: bool,
    /// Cap of all caches together, bytes.
    pub cache_bytes: u64,
    /// Longest schema text accepted, bytes.
    pub max_schema_bytes: usize,
    /// Compatibility and parsing of texts longer than this run on the blocking pool, bytes.
    pub blocking_threshold_bytes: usize,
    /// The clock behind `ts` and the age of the store's last answer.
    pub clock: Clock,
}

impl Default for RegistryConfig {
    /// BACKWARD, modes may change, 32 MiB of caches, texts up to 1 MiB, 64 KiB and more on the blocking pool.
    fn default() -> RegistryConfig {
        RegistryConfig {
            default_level: Level::Backward,
            mode_mutability: true,
            cache_bytes: 32 * 1024 * 1024,
            max_schema_bytes: 1024 * 1024,
            blocking_threshold_bytes: 64 * 1024,
            clock: system_clock,
        }
    }
}

/// The system's clock.
pub fn system_clock() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
