use super::*;

fn settings() -> KafkaSettings {
    KafkaSettings::new("one", vec!["127.0.0.1:9092".to_owned()])
}

fn value<'a>(properties: &'a [(String, String)], name: &str) -> Option<&'a str> {
    properties.iter().rev().find(|(listed, _)| listed == name).map(|(_, value)| value.as_str())
}

/// The table of producer settings that outcome honesty and failover times were measured with.
#[test]
fn the_producer_of_a_lane_has_the_measured_settings() {
    let table = [
        ("acks", "all", "all"),
        ("enable.idempotence", "true", "true"),
        ("message.timeout.ms", "1000", "30000"),
        ("retries", "3", "3"),
        ("retry.backoff.ms", "50", "50"),
        ("retry.backoff.max.ms", "250", "250"),
        ("socket.timeout.ms", "4000", "4000"),
        ("request.timeout.ms", "3000", "3000"),
        ("socket.connection.setup.timeout.ms", "2000", "2000"),
        ("reconnect.backoff.ms", "50", "50"),
        ("reconnect.backoff.max.ms", "500", "500"),
        ("linger.ms", "0", "0"),
        ("queue.buffering.max.kbytes", "65536", "65536"),
        ("topic.metadata.refresh.interval.ms", "300000", "300000"),
        ("topic.metadata.refresh.sparse", "true", "true"),
        ("partitioner", "murmur2_random", "murmur2_random"),
        ("allow.auto.create.topics", "false", "false"),
        ("socket.keepalive.enable", "true", "true"),
        ("connections.max.idle.ms", "0", "0"),
        ("client.id", "sluice-node", "sluice-node"),
    ];
    let [redirectable, pinned, stream] = Lane::ALL.map(|lane| settings().producer(lane));
    for (name, in_redirectable, in_pinned) in table {
        assert_eq!(value(&redirectable, name), Some(in_redirectable), "{name}");
        assert_eq!(value(&pinned, name), Some(in_pinned), "{name}");
        // a stream that has proven fast waits for batches, and is like a pinned one in all else
        let in_stream = if name == "linger.ms" { "2" } else { in_pinned };
        assert_eq!(value(&stream, name), Some(in_stream), "{name}");
    }
}

#[test]
fn offsets_and_records_do_not_end_at_an_open_transaction() {
    for properties in [settings().admin(false), settings().consumer()] {
        assert_eq!(value(&properties, "isolation.level"), Some("read_uncommitted"));
    }
}

#[test]
fn the_bulk_profile_waits_for_large_batches() {
    let bulk = KafkaSettings { profile: Profile::Bulk, ..settings() };
    for lane in Lane::ALL {
        assert_eq!(value(&bulk.producer(lane), "linger.ms"), Some("50"), "{lane:?}");
    }
}

#[test]
fn tuning_passes_through_and_wins() {
    let mut tuned = settings();
    tuned.extra.insert("linger.ms".into(), "1".into());
    tuned.extra.insert("compression.type".into(), "zstd".into());
    assert_eq!(tuned.validate(), Vec::<String>::new());
    assert_eq!(value(&tuned.producer(Lane::Pinned), "linger.ms"), Some("1"));
    assert_eq!(value(&tuned.producer(Lane::Pinned), "compression.type"), Some("zstd"));
}

#[test]
fn what_honesty_and_placement_rest_on_cannot_be_passed_through() {
    for name in ["acks", "enable.idempotence", "partitioner", "message.timeout.ms", "dr_msg_cb", "group.id"] {
        let mut wrong = settings();
        wrong.extra.insert(name.into(), "1".into());
        let mistakes = wrong.validate();
        assert_eq!(mistakes.len(), 1, "{name}: {mistakes:?}");
        assert!(mistakes[0].starts_with(&format!("{name}: cannot be set here, ")), "{mistakes:?}");
    }
}

#[test]
fn a_property_that_librdkafka_does_not_know_or_take_is_named() {
    let mut wrong = settings();
    wrong.extra.insert("linger.msec".into(), "1".into());
    wrong.extra.insert("compression.type".into(), "middle-out".into());
    let mistakes = wrong.validate();
    assert_eq!(mistakes.len(), 2, "{mistakes:?}");
    assert!(mistakes[0].starts_with("compression.type: ") && mistakes[0].contains("middle-out"), "{mistakes:?}");
    assert!(mistakes[1].starts_with("linger.msec: "), "{mistakes:?}");
}

#[test]
fn every_mistake_is_said_at_once() {
    let mut wrong = KafkaSettings::new("one", vec!["nowhere".into(), ":9092".into(), "ok:9092".into()]);
    wrong.security = Some(Security {
        protocol: Protocol::SaslPlaintext,
        sasl: None,
        ca_file: Some("ca.pem".into()),
        certificate_file: Some("cert.pem".into()),
        key_file: None,
        key_password: None,
    });
    wrong.extra.insert("acks".into(), "1".into());
    let mistakes = wrong.validate();
    // two servers, SASL missing, files without TLS, no key, two unreadable files, acks
    assert_eq!(mistakes.len(), 8, "{mistakes:?}");
}

#[test]
fn an_unreadable_certificate_is_a_mistake_before_anything_connects() {
    let mut wrong = settings();
    wrong.security = Some(Security {
        protocol: Protocol::Ssl,
        sasl: None,
        ca_file: Some("/nonexistent/ca.pem".into()),
        certificate_file: None,
        key_file: None,
        key_password: None,
    });
    let mistakes = wrong.validate();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert!(mistakes[0].contains("/nonexistent/ca.pem"), "{mistakes:?}");
}

#[test]
fn secrets_do_not_show() {
    let mut secured = settings();
    secured.security = Some(Security {
        protocol: Protocol::SaslPlaintext,
        sasl: Some(Sasl {
            mechanism: Mechanism::ScramSha512,
            username: "sluice".into(),
            password: Secret::new("hunter2"),
        }),
        ca_file: None,
        certificate_file: None,
        key_file: None,
        key_password: None,
    });
    assert_eq!(secured.validate(), Vec::<String>::new());
    assert!(!format!("{secured:?}").contains("hunter2"));
    assert_eq!(value(&secured.producer(Lane::Pinned), "sasl.password"), Some("hunter2"));
}

#[test]
fn nothing_is_denied_twice() {
    for (at, (name, _)) in DENIED.iter().enumerate() {
        assert!(DENIED[..at].iter().all(|(other, _)| other != name), "{name}");
    }
}
