//! Limits and waits of the data plane.

/// Settings of the data plane. The defaults are what a server without a file runs with.
#[derive(Debug, Clone)]
pub struct DataPlaneConfig {
    /// Records of one stream without a report before no more of its body is read.
    pub max_unanswered_records: usize,
    /// The same in bytes of keys and values.
    pub max_unanswered_bytes: usize,
    /// How long a record may stay without an outcome before its report says that nobody knows, milliseconds: the
    /// message timeout of the pinned lane and a little more. A topic's own total deadline wins.
    pub outcome_deadline_ms: u64,
    /// How long to ask a cluster whether it has a topic, milliseconds.
    pub topic_wait_ms: u64,
    /// How long a topic that was there is taken to be there still, milliseconds.
    pub topic_memory_ms: u64,
    /// How long a full producer queue is waited for, milliseconds.
    pub saturation_wait_ms: u64,
    /// How long one stream uses a schema without asking the registry again, milliseconds: no longer than another
    /// node's write takes to be noticed.
    pub schema_memory_ms: u64,
    /// Bound of admin calls and of reading back, milliseconds.
    pub admin_timeout_ms: u64,
    /// Most records that one read-back answers with.
    pub read_back_max_records: usize,
    /// Most bytes that one read-back answers with.
    pub read_back_max_bytes: usize,
}

impl Default for DataPlaneConfig {
    fn default() -> DataPlaneConfig {
        DataPlaneConfig {
            max_unanswered_records: 1_000,
            max_unanswered_bytes: 8 * 1024 * 1024,
            outcome_deadline_ms: 35_000,
            topic_wait_ms: 5_000,
            topic_memory_ms: 10_000,
            saturation_wait_ms: 5_000,
            schema_memory_ms: 1_000,
            admin_timeout_ms: 10_000,
            read_back_max_records: 1_000,
            read_back_max_bytes: 4 * 1024 * 1024,
        }
    }
}
