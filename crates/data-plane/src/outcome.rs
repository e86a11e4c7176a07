//! What became of a record: decided by librdkafka's persistence status, never by the error code.
//!
//! **503 = surely not written, 504 = maybe written** rests on [`Persistence`]. Source: `rd_kafka_message_status`,
//! librdkafka 2.12.

/// Whether a failed record may be in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Persistence {
    /// `NOT_PERSISTED`
    SurelyNot,
    /// `POSSIBLY_PERSISTED`, or nobody knows.
    Maybe,
}

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The record: too large, invalid, refused by policy. It would fail on every cluster.
    Record,
    /// Topic unknown to the broker.
    UnknownTopic,
    /// Partition unknown.
    UnknownPartition,
    /// Not authorised.
    Authorization,
    /// Authentication failed.
    Authentication,
    /// The broker throttles.
    Throttled,
    /// Everything else: timeouts, transport, leaders, replicas: the cluster is failing.
    Cluster,
}

/// Kafka's code and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `rd_kafka_resp_err_t`.
    pub code: i32,
    /// Text.
    pub message: String,
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// In the log, acknowledged.
    Written {
        /// Partition.
        partition: i32,
        /// Offset; -1 when the broker did not say.
        offset: i64,
        /// Milliseconds since 1970, if given.
        timestamp_ms: Option<i64>,
    },
    /// Not acknowledged.
    Failed {
        /// May it be there?
        persistence: Persistence,
        /// Whose fault.
        cause: Cause,
        /// Details; boxed because failures are rare.
        fault: Box<Fault>,
    },
}
