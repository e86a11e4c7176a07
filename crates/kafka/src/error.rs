//! What an error code means: whose fault, and in which words.
//!
//! Codes are `rd_kafka_resp_err_t` as plain numbers: Kafka's own from -1 up, librdkafka's below -100. Numbers, because
//! brokers send codes newer than the bindings' enum. Whether a record may be written is *not* decided here but by the
//! persistence status ([`crate::producer`]).
//!
//! To classify a code: add it to [`CAUSES`]; what is not there is the cluster's failure.
//! Source: `rdkafka.h`, librdkafka 2.12.1; `Errors.java`, Kafka 4.4.0.

use sluice_data_plane::Cause;
use sluice_data_plane::cluster::AdminError;

use crate::ffi;
use crate::protocol_errors::PROTOCOL_ERRORS;

/// An `rd_kafka_resp_err_t`.
pub(crate) type Code = i32;

pub(crate) const NO_ERROR: Code = 0;
pub(crate) const LOCAL_TRANSPORT: Code = -195;
pub(crate) const LOCAL_RESOLVE: Code = -193;
pub(crate) const LOCAL_MSG_TIMED_OUT: Code = -192;
pub(crate) const LOCAL_PARTITION_EOF: Code = -191;
pub(crate) const LOCAL_UNKNOWN_PARTITION: Code = -190;
pub(crate) const LOCAL_UNKNOWN_TOPIC: Code = -188;
pub(crate) const LOCAL_ALL_BROKERS_DOWN: Code = -187;
pub(crate) const LOCAL_INVALID_ARG: Code = -186;
pub(crate) const LOCAL_TIMED_OUT: Code = -185;
pub(crate) const LOCAL_QUEUE_FULL: Code = -184;
pub(crate) const LOCAL_SSL: Code = -181;
pub(crate) const LOCAL_STATE: Code = -172;
pub(crate) const LOCAL_AUTHENTICATION: Code = -169;
pub(crate) const LOCAL_TIMED_OUT_QUEUE: Code = -166;
pub(crate) const LOCAL_FATAL: Code = -150;
pub(crate) const UNKNOWN_TOPIC_OR_PARTITION: Code = 3;
pub(crate) const LEADER_NOT_AVAILABLE: Code = 5;
pub(crate) const MESSAGE_TOO_LARGE: Code = 10;
pub(crate) const INVALID_TOPIC: Code = 17;
pub(crate) const SASL_AUTHENTICATION_FAILED: Code = 58;
pub(crate) const UNKNOWN_TOPIC_ID: Code = 100;

/// Codes that are not the cluster's failure.
const CAUSES: &[(Code, Cause)] = &[
    (-199, Cause::Record), // _BAD_MSG
    (-198, Cause::Record), // _BAD_COMPRESSION
    (LOCAL_UNKNOWN_PARTITION, Cause::UnknownPartition),
    (LOCAL_UNKNOWN_TOPIC, Cause::UnknownTopic),
    (LOCAL_INVALID_ARG, Cause::Record),
    (LOCAL_QUEUE_FULL, Cause::Throttled),
    (LOCAL_SSL, Cause::Authentication),
    (LOCAL_AUTHENTICATION, Cause::Authentication),
    (-138, Cause::Record), // _INVALID_DIFFERENT_RECORD
    (2, Cause::Record),    // CORRUPT_MESSAGE: also a null key for a compacted topic
    (UNKNOWN_TOPIC_OR_PARTITION, Cause::UnknownTopic),
    (4, Cause::Record), // INVALID_FETCH_SIZE, librdkafka's INVALID_MSG_SIZE
    (MESSAGE_TOO_LARGE, Cause::Record),
    (INVALID_TOPIC, Cause::Record),
    (18, Cause::Record),         // RECORD_LIST_TOO_LARGE
    (29, Cause::Authorization),  // TOPIC_AUTHORIZATION_FAILED
    (30, Cause::Authorization),  // GROUP_AUTHORIZATION_FAILED
    (31, Cause::Authorization),  // CLUSTER_AUTHORIZATION_FAILED
    (32, Cause::Record),         // INVALID_TIMESTAMP
    (33, Cause::Authentication), // UNSUPPORTED_SASL_MECHANISM
    (34, Cause::Authentication), // ILLEGAL_SASL_STATE
    (43, Cause::Record),         // UNSUPPORTED_FOR_MESSAGE_FORMAT
    (44, Cause::Record),         // POLICY_VIOLATION
    (53, Cause::Authorization),  // TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    (SASL_AUTHENTICATION_FAILED, Cause::Authentication),
    (65, Cause::Authorization), // DELEGATION_TOKEN_AUTHORIZATION_FAILED
    (76, Cause::Record),        // UNSUPPORTED_COMPRESSION_TYPE
    (87, Cause::Record),        // INVALID_RECORD
    (89, Cause::Throttled),     // THROTTLING_QUOTA_EXCEEDED
    (UNKNOWN_TOPIC_ID, Cause::UnknownTopic),
];

/// Whose fault `code` is, for a record.
pub(crate) fn cause(code: Code) -> Cause {
    CAUSES.iter().find(|(listed, _)| *listed == code).map_or(Cause::Cluster, |(_, cause)| *cause)
}

/// Words for `code`: the protocol's as a Java client shows them, librdkafka's for its own codes.
pub(crate) fn text(code: Code) -> String {
    match PROTOCOL_ERRORS.iter().find(|(listed, _, _)| *listed == code) {
        Some((_, _, text)) => (*text).to_owned(),
        None => ffi::error_text(code),
    }
}

/// `code` in words, with what the broker said about it, if anything.
pub(crate) fn admin_error(code: Code, said: Option<String>) -> AdminError {
    let message = match said {
        // librdkafka repeats its own description where the broker sent no text
        Some(said) if !said.is_empty() && said != ffi::error_text(code) => said,
        _ => text(code),
    };
    AdminError { code, message }
}

/// librdkafka's report of a failure without how long it took in which state and how often it was repeated, which differs
/// each time; of a refused login what the broker said.
pub(crate) fn plain(report: &str) -> &str {
    let report = report.rsplit_once(" (after ").map_or(report, |(before, _)| before).trim();
    report.split_once("SASL authentication error: ").map_or(report, |(_, said)| said)
}

/// Whether `code` says no more than that nothing was heard in time; the reason is in the client's health then.
pub(crate) fn is_silence(code: Code) -> bool {
    matches!(
        code,
        LOCAL_TRANSPORT
            | LOCAL_RESOLVE
            | LOCAL_MSG_TIMED_OUT
            | LOCAL_ALL_BROKERS_DOWN
            | LOCAL_TIMED_OUT
            | LOCAL_TIMED_OUT_QUEUE
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of the outcome table: what would fail on every cluster, what is misconfigured, what is throttled, and a
    /// sample of the rest, which is the cluster's.
    #[test]
    fn every_code_has_its_cause() {
        let table = [
            // REJECTED_RECORD
            ("MSG_SIZE_TOO_LARGE", 10, Cause::Record),
            ("INVALID_RECORD", 87, Cause::Record),
            ("INVALID_MSG", 2, Cause::Record),
            ("POLICY_VIOLATION", 44, Cause::Record),
            ("INVALID_TIMESTAMP", 32, Cause::Record),
            ("UNSUPPORTED_COMPRESSION_TYPE", 76, Cause::Record),
            // REJECTED_CONFIG
            ("TOPIC_AUTHORIZATION_FAILED", 29, Cause::Authorization),
            ("CLUSTER_AUTHORIZATION_FAILED", 31, Cause::Authorization),
            ("UNKNOWN_TOPIC_OR_PART", 3, Cause::UnknownTopic),
            ("UNKNOWN_TOPIC_ID", 100, Cause::UnknownTopic),
            ("_UNKNOWN_TOPIC", -188, Cause::UnknownTopic),
            ("_UNKNOWN_PARTITION", -190, Cause::UnknownPartition),
            ("_AUTHENTICATION", -169, Cause::Authentication),
            ("_SSL", -181, Cause::Authentication),
            ("SASL_AUTHENTICATION_FAILED", 58, Cause::Authentication),
            // THROTTLED
            ("THROTTLING_QUOTA_EXCEEDED", 89, Cause::Throttled),
            // the cluster fails
            ("_MSG_TIMED_OUT", -192, Cause::Cluster),
            ("_TRANSPORT", -195, Cause::Cluster),
            ("_PURGE_QUEUE", -152, Cause::Cluster),
            ("_PURGE_INFLIGHT", -151, Cause::Cluster),
            ("_FATAL", -150, Cause::Cluster),
            ("NOT_ENOUGH_REPLICAS", 19, Cause::Cluster),
            ("NOT_ENOUGH_REPLICAS_AFTER_APPEND", 20, Cause::Cluster),
            ("NOT_LEADER_FOR_PARTITION", 6, Cause::Cluster),
            ("LEADER_NOT_AVAILABLE", 5, Cause::Cluster),
            ("REQUEST_TIMED_OUT", 7, Cause::Cluster),
            ("KAFKA_STORAGE_ERROR", 56, Cause::Cluster),
            ("OUT_OF_ORDER_SEQUENCE_NUMBER", 45, Cause::Cluster),
            ("UNKNOWN", -1, Cause::Cluster),
            ("a code of the future", 4711, Cause::Cluster),
        ];
        for (name, code, expected) in table {
            assert_eq!(cause(code), expected, "{name}");
        }
    }

    #[test]
    fn no_code_is_classified_twice() {
        for (at, (code, _)) in CAUSES.iter().enumerate() {
            assert!(CAUSES[..at].iter().all(|(other, _)| other != code), "{code}");
        }
    }

    #[test]
    fn protocol_errors_are_told_as_java_clients_tell_them() {
        assert_eq!(text(3), "This server does not host this topic-partition.");
        assert_eq!(text(-1), "The server experienced an unexpected error when processing the request.");
    }

    #[test]
    fn librdkafkas_own_codes_have_its_words_and_unknown_ones_have_some() {
        assert_eq!(text(LOCAL_MSG_TIMED_OUT), "Local: Message timed out");
        assert!(text(4711).contains("4711"), "{}", text(4711));
    }

    #[test]
    fn reports_are_told_without_what_differs_each_time() {
        let refused = "127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms in \
                       state CONNECT, 1 identical error(s) suppressed)";
        assert_eq!(plain(refused), "127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused");
        let login = "sasl_plaintext://127.0.0.1:1/bootstrap: SASL authentication error: Authentication failed: \
                     Invalid username or password (after 308ms in state AUTH_REQ)";
        assert_eq!(plain(login), "Authentication failed: Invalid username or password");
        assert_eq!(plain("1/1 brokers are down"), "1/1 brokers are down");
    }

    #[test]
    fn the_brokers_own_text_wins_over_the_code_s() {
        assert_eq!(admin_error(36, Some("Topic 'a' already exists.".into())).message, "Topic 'a' already exists.");
        assert_eq!(admin_error(36, Some(ffi::error_text(36))).message, "Topic with this name already exists.");
        assert_eq!(admin_error(36, None).message, "Topic with this name already exists.");
    }
}
