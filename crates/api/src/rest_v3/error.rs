//! Codes of v3's admin calls: the only place that knows them.
//!
//! To add an error: the variant in `sluice_data_plane::error::Error`, an arm here, a row in `api-spec/error-codes.tsv`.
//! Source: kafka-rest `KafkaExceptionMapper`, 8.5 (the table of Kafka's codes) and the recordings.

use sluice_data_plane::cluster::AdminError;
use sluice_data_plane::error::Error;
use sluice_data_plane::route::RouteError;

use crate::error::{HttpError, Wire};

/// Why an operation of this surface failed.
#[derive(Debug)]
pub enum RestError {
    /// Before the use case was asked: path, query, body.
    Http(HttpError),
    /// 422/42206 `Payload error. …`
    Payload(&'static str),
    /// 400/400 with this text.
    BadParameter(String),
    /// The use case refused or failed.
    Data(Error),
    /// As `Data`, on a route of one cluster, where an unknown one is the generic 404.
    DataOfOne(Error),
    /// A partition of a topic that is not there.
    UnknownTopicOf {
        /// Of the path.
        topic: String,
        /// Likewise.
        partition: i32,
    },
}

impl RestError {
    /// `error` of a question about one partition.
    pub(super) fn of_partition(error: Error, topic: &str, partition: i32) -> RestError {
        match error {
            Error::UnknownTopic => RestError::UnknownTopicOf { topic: topic.to_owned(), partition },
            error => RestError::DataOfOne(error),
        }
    }
}

impl From<HttpError> for RestError {
    fn from(error: HttpError) -> RestError {
        RestError::Http(error)
    }
}

impl From<Error> for RestError {
    fn from(error: Error) -> RestError {
        RestError::Data(error)
    }
}

impl From<RestError> for Wire {
    fn from(error: RestError) -> Wire {
        match error {
            RestError::Http(error) => error.wire(),
            RestError::Payload(detail) => Wire::new(422, 42206, format!("Payload error. {detail}")),
            RestError::BadParameter(text) => Wire::new(400, 400, text),
            RestError::Data(error) => wire(&error),
            RestError::DataOfOne(Error::Route(RouteError::UnknownCluster(_))) => HttpError::NotFound.wire(),
            RestError::DataOfOne(error) => wire(&error),
            RestError::UnknownTopicOf { topic, partition } => {
                let text = format!("This server does not host topic-partition {partition} for topic {topic}");
                Wire::new(404, 40403, text)
            }
        }
    }
}

/// Status, code and message of a data-plane error.
pub fn wire(error: &Error) -> Wire {
    match error {
        Error::Route(RouteError::UnknownCluster(id)) => Wire::new(404, 404, format!("Cluster {id} cannot be found.")),
        Error::Route(RouteError::UndeclaredTopic(_)) => Wire::new(403, 40372, error.to_string()),
        Error::InvalidTopicName(_) => Wire::new(422, 42206, "Payload error. Invalid topic name."),
        Error::AmbiguousCluster { .. } => Wire::new(400, 40002, error.to_string()),
        Error::UnknownTopic => Wire::new(404, 40403, "This server does not host this topic-partition."),
        Error::UnknownPartition(_) => HttpError::NotFound.wire(),
        Error::NotOnOneCluster(text) => Wire::new(404, 40403, text.clone()),
        Error::Forbidden => Wire::new(403, 40301, "Forbidden"),
        Error::Kafka(error) => kafka(error),
    }
}

/// Kafka's codes (librdkafka's own are negative) by what the reference answers; anything else is 500/50002.
const KAFKA: &[(&[i32], u16, u32)] = &[
    // SASL_AUTHENTICATION_FAILED; _AUTHENTICATION, _SSL
    (&[58, -169, -181], 401, 40101),
    // TOPIC_, GROUP_, CLUSTER_, TRANSACTIONAL_ID_, DELEGATION_TOKEN_AUTHORIZATION_FAILED
    (&[29, 30, 31, 53, 65], 403, 40301),
    // BROKER_NOT_AVAILABLE
    (&[8], 503, 50302),
    // INVALID_REPLICATION_FACTOR, SECURITY_DISABLED, UNSUPPORTED_VERSION, INVALID_PARTITIONS, INVALID_REQUEST, UNKNOWN,
    // POLICY_VIOLATION, TOPIC_ALREADY_EXISTS, INVALID_CONFIG, TOPIC_DELETION_DISABLED, TOPIC_EXCEPTION;
    // _UNSUPPORTED_FEATURE
    (&[38, 54, 35, 37, 42, -1, 44, 36, 40, 73, 17, -165], 400, 40002),
    // MSG_SIZE_TOO_LARGE
    (&[10], 413, 413),
    // UNKNOWN_TOPIC_OR_PART, UNKNOWN_TOPIC_ID
    (&[3, 100], 404, 40403),
    // THROTTLING_QUOTA_EXCEEDED
    (&[89], 429, 42901),
    // REQUEST_TIMED_OUT, NOT_LEADER, LEADER_NOT_AVAILABLE, NOT_ENOUGH_REPLICAS (twice), COORDINATOR (three), NOT_CONTROLLER,
    // KAFKA_STORAGE_ERROR; _MSG_TIMED_OUT, _TIMED_OUT, _TRANSPORT, _ALL_BROKERS_DOWN, _QUEUE_FULL
    (&[7, 6, 5, 19, 20, 14, 15, 16, 41, 56, -192, -185, -195, -187, -184], 500, 50003),
];

/// Status, code and the broker's own text.
fn kafka(error: &AdminError) -> Wire {
    if error.code == AdminError::NOT_IN_DEV {
        return Wire::new(501, 50171, error.message.clone());
    }
    let (status, code) = KAFKA
        .iter()
        .find(|(codes, ..)| codes.contains(&error.code))
        .map_or((500, 50002), |(_, status, code)| (*status, *code));
    Wire::new(status, code, error.message.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kafka_code_stands_in_one_row() {
        let mut seen = std::collections::BTreeSet::new();
        for code in KAFKA.iter().flat_map(|(codes, ..)| codes.iter()) {
            assert!(seen.insert(code), "{code}");
        }
    }

    #[test]
    fn the_table_of_codes_lists_every_error_of_this_surface() {
        use std::collections::BTreeSet;
        let listed: BTreeSet<String> = include_str!("../../../../api-spec/error-codes.tsv")
            .lines()
            .filter(|line| line.starts_with("v3\t"))
            .map(|line| line.split('\t').take(4).collect::<Vec<_>>().join("\t"))
            .collect();
        let text = || "x".to_owned();
        let with_code = |code| Error::Kafka(AdminError { code, message: text() });
        let mut answers: Vec<(&str, Wire)> = vec![
            ("Payload", RestError::Payload("x").into()),
            ("BadParameter", RestError::BadParameter(text()).into()),
            ("UnknownTopicOf", RestError::of_partition(Error::UnknownTopic, "x", 1).into()),
            ("OffsetsError::UnknownPartition", super::super::get_offsets::OffsetsError::UnknownPartition.into()),
        ];
        answers.extend(
            [
                ("UnknownCluster", Error::Route(RouteError::UnknownCluster(text()))),
                ("UndeclaredTopic", Error::Route(RouteError::UndeclaredTopic(text()))),
                ("InvalidTopicName", Error::InvalidTopicName(text())),
                ("AmbiguousCluster", Error::AmbiguousCluster { topic: text(), clusters: vec![] }),
                ("UnknownTopic", Error::UnknownTopic),
                ("UnknownPartition", Error::UnknownPartition(1)),
                ("NotOnOneCluster", Error::NotOnOneCluster(text())),
                ("Forbidden", Error::Forbidden),
                ("Kafka::NOT_IN_DEV", with_code(AdminError::NOT_IN_DEV)),
                ("Kafka", with_code(39)),
            ]
            .map(|(name, error)| (name, wire(&error))),
        );
        answers.extend(KAFKA.iter().map(|(codes, ..)| ("Kafka", wire(&with_code(codes[0])))));
        let answered: BTreeSet<String> =
            answers.iter().map(|(name, wire)| format!("v3\t{}\t{}\t{name}", wire.status.as_u16(), wire.code)).collect();
        assert_eq!(listed, answered);
    }

    #[test]
    fn the_brokers_text_comes_through() {
        let error = AdminError { code: 36, message: "Topic 't' already exists.".to_owned() };
        let wire = wire(&Error::Kafka(error));
        assert_eq!((wire.status.as_u16(), wire.code, &*wire.message), (400, 40002, "Topic 't' already exists."));
        let error = AdminError { code: 39, message: "no such broker".to_owned() };
        assert_eq!(super::wire(&Error::Kafka(error)).code, 50002);
    }
}
