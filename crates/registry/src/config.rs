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
    /// Work on more bytes than this is done on threads of its own, see [`Registry::off_thread`].
    ///
    /// [`Registry::off_thread`]: crate::Registry::off_thread
    pub heavy_bytes: usize,
    /// How many threads: one less than there are cores, at least one.
    pub heavy_threads: usize,
    /// What each of them does first; the binary lowers its priority.
    pub heavy_started: fn(),
    /// The clock behind `ts` and the age of the store's last answer.
    pub clock: Clock,
}

impl Default for RegistryConfig {
    /// BACKWARD, modes may change, 32 MiB of caches, texts up to 1 MiB, more than 16 KiB on threads of their own.
    fn default() -> RegistryConfig {
        RegistryConfig {
            default_level: Level::Backward,
            mode_mutability: true,
            cache_bytes: 32 * 1024 * 1024,
            max_schema_bytes: 1024 * 1024,
            heavy_bytes: 16 * 1024,
            heavy_threads: std::thread::available_parallelism().map_or(1, |cores| cores.get() - 1).max(1),
            heavy_started: || {},
            clock: system_clock,
        }
    }
}

/// The system's clock.
pub fn system_clock() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
