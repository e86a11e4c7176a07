use sluice_data_plane::route::{Balance, Enforcement};

use super::*;

const CLUSTERS: &str = "
apiVersion: sluice/v1
kind: Cluster
metadata: {name: primary, labels: {region: us-east-1}}
spec:
  kafka-cluster-id: Wq3
  listeners:
    - {name: plain, auth: none, bootstrap: [\"b-1:9092\"]}
---
apiVersion: sluice/v1
kind: Cluster
metadata: {name: metrics}
spec:
  listeners:
    - {name: plain, bootstrap: [\"b-2:9092\"]}
---
apiVersion: sluice/v1
kind: ClusterGroup
metadata: {name: pubsub}
spec: {members: [primary, metrics], id: lkg-pubsub, default: true, undeclared-topics: deny}
";

const TOPIC: &str = "apiVersion: sluice/v1
kind: Topic
metadata:
  name: orders
  owner: team:shop
spec:
  clusters:
    - name: metrics
  schema:
    format: protobuf
    compatibility: FULL
";

fn read(files: &[(&str, &str)]) -> (Option<Snapshot>, Problems) {
    let files: Vec<(Arc<str>, String)> =
        files.iter().map(|(name, text)| (Arc::from(*name), (*text).to_owned())).collect();
    let surroundings = Surroundings { implicit_clusters: &[], undeclared_topics: Undeclared::Allow };
    Snapshot::read(&files, &surroundings, 1)
}

fn lines(problems: &Problems) -> Vec<String> {
    problems.0.iter().map(ToString::to_string).collect()
}

#[test]
fn files_become_a_route_table() {
    let (snapshot, problems) = read(&[("clusters.yaml", CLUSTERS), ("orders.yaml", TOPIC)]);
    assert_eq!(lines(&problems), Vec::<String>::new());
    let snapshot = snapshot.unwrap();
    let topic = &snapshot.routes.topics["orders"];
    assert_eq!(topic.clusters, vec![Arc::from("metrics")]);
    assert_eq!(topic.balance, Balance::Na);
    assert_eq!(&*topic.value.subject, "orders-value");
    assert_eq!(topic.value.enforcement, Enforcement::Strict);
    assert_eq!(topic.key.enforcement, Enforcement::Off);
    assert_eq!(&*topic.declared_at, "orders.yaml:1");
    let group = &snapshot.routes.groups["lkg-pubsub"];
    assert_eq!(group.undeclared, Some(Undeclared::Deny));
    assert_eq!(snapshot.routes.clusters["primary"].kafka_id.as_deref(), Some("Wq3"));
    let levels = snapshot.declared_levels();
    assert_eq!(levels[&SubjectName::parse("orders-value")].1, "orders.yaml:1");
}

#[test]
fn every_mistake_is_shown_at_once_with_its_place_and_a_hint() {
    let broken = TOPIC
        .replace("owner: team:shop", "owner: shop")
        .replace("clusters:", "clsuters:")
        .replace("compatibility: FULL", "compatibility: SOMETIMES");
    let (snapshot, problems) = read(&[("clusters.yaml", CLUSTERS), ("orders.yaml", &broken)]);
    assert!(snapshot.is_none());
    assert_eq!(
        lines(&problems),
        [
            "orders.yaml:5:10: error[F002] /metadata/owner: \"shop\" is no owner: team:<name> or user:<name>",
            "orders.yaml:7:3: error[F001] /spec/clusters: `clusters` is required",
            "orders.yaml:7:3: error[F003] /spec/clsuters: unknown key `clsuters` (hint: did you mean `clusters`?)",
            "orders.yaml:11:20: error[F002] /spec/schema/compatibility: \"SOMETIMES\" is no compatibility level",
        ]
    );
}

#[test]
fn an_undeclared_cluster_is_named_with_the_nearest_one() {
    let (_, problems) = read(&[("clusters.yaml", CLUSTERS), ("t.yaml", &TOPIC.replace("metrics", "metric"))]);
    assert_eq!(
        lines(&problems),
        [
            "t.yaml:8:7: error[T003] /spec/clusters/0/name: cluster \"metric\" is not declared (hint: did you mean \"metrics\"?)"
        ]
    );
}

#[test]
fn a_field_that_nothing_acts_on_is_kept_and_said() {
    let more = TOPIC.replace("  schema:", "  partitions: 12\n  quota: {produce-bytes: 10MiB/s}\n  schema:");
    let (snapshot, problems) = read(&[("clusters.yaml", CLUSTERS), ("t.yaml", &more)]);
    let snapshot = snapshot.unwrap();
    assert_eq!(snapshot.topics["orders"].partitions, Some(12));
    assert_eq!(snapshot.topics["orders"].quota_bytes, Some(10 << 20));
    let warnings: Vec<_> = problems.warnings().map(|problem| (problem.code, problem.pointer.as_str())).collect();
    assert_eq!(warnings, [("F010", "/spec/partitions"), ("F010", "/spec/quota")]);
}

#[test]
fn a_secret_in_a_file_is_refused() {
    let inline = CLUSTERS.replace(
        "- {name: plain, auth: none, bootstrap: [\"b-1:9092\"]}",
        "- {name: plain, auth: sasl-plain, bootstrap: [\"b-1:9092\"]}\n  gateway: {credentials: {username: u, password: hunter2}}",
    );
    let (snapshot, problems) = read(&[("clusters.yaml", &inline)]);
    assert!(snapshot.is_none());
    let all = lines(&problems).join("\n");
    assert!(all.contains("error[C004] /spec/gateway/credentials/password"), "{all}");
    assert!(!all.contains("hunter2"), "{all}");
}

#[test]
fn what_is_refused_leaves_the_last_good_snapshot_and_what_is_taken_clears_the_refusal() {
    let (first, _) = read(&[("clusters.yaml", CLUSTERS), ("orders.yaml", TOPIC)]);
    let snapshots = Snapshots::new(first.unwrap());
    let (bad, problems) = read(&[("x.yaml", "kind: Nonsense")]);
    assert!(bad.is_none());
    snapshots.refuse(lines(&problems));
    assert!(snapshots.current().topics.contains_key("orders"));
    assert_eq!(snapshots.state().refused, lines(&problems));
    let (good, _) = read(&[("clusters.yaml", CLUSTERS)]);
    snapshots.take(good.unwrap());
    assert!(snapshots.current().topics.is_empty());
    assert!(snapshots.state().refused.is_empty());
}

#[test]
fn a_topic_on_several_clusters_must_say_its_ordering_and_a_strict_one_never_fails_over() {
    let two =
        TOPIC.replace("    - name: metrics", "    - name: primary\n    - name: metrics\n  load-balancing: failover");
    let (_, problems) = read(&[("clusters.yaml", CLUSTERS), ("t.yaml", &two)]);
    assert!(lines(&problems).iter().any(|line| line.contains("error[T005] /spec/ordering: must be written")));
    let strict = two.replace("  schema:", "  ordering: strict\n  schema:");
    let (_, problems) = read(&[("clusters.yaml", CLUSTERS), ("t.yaml", &strict)]);
    assert!(lines(&problems).iter().any(|line| line.contains("`strict` never moves")), "{problems:?}");
}
