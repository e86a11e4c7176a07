"""Control files, two real clusters, and the gate in front of them."""
import base64
import json
import os
import signal
import struct
import uuid

import pytest
from confluent_kafka.admin import AdminClient

from conftest import end_offset, read_all, reports
from harness.processes import wait_until

FITS = 'syntax = "proto3"; message Paid { string id = 1; int64 cents = 2; }'
GROWN = 'syntax = "proto3"; message Paid { string id = 1; int64 cents = 2; string note = 3; }'
BREAKS = 'syntax = "proto3"; message Paid { string id = 1; string cents = 2; }'


def cluster_id(bootstrap):
    return AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=20).cluster_id


def cluster_file(name, bootstrap, kafka_id):
    return f"""
apiVersion: sluice/v1
kind: Cluster
metadata: {{name: {name}}}
spec:
  kafka-cluster-id: {kafka_id}
  listeners:
    - {{name: plain, auth: none, bootstrap: ["{bootstrap}"]}}
"""


GROUP = """
apiVersion: sluice/v1
kind: ClusterGroup
metadata: {name: pubsub}
spec: {members: [one, two], id: lkg-pubsub, default: true}
"""


def topic_file(name, cluster, schema="{format: none}"):
    return f"""
apiVersion: sluice/v1
kind: Topic
metadata: {{name: {name}, owner: "team:shop"}}
spec:
  clusters: [{{name: {cluster}}}]
  schema: {schema}
"""


def write(directory, **files):
    os.makedirs(directory, exist_ok=True)
    for name, text in files.items():
        with open(os.path.join(directory, name + ".yaml"), "w") as file:
            file.write(text)


@pytest.fixture
def ids(clusters):
    return [cluster_id(bootstrap) for bootstrap in clusters[:2]]


@pytest.fixture
def files(tmp_path, clusters, ids):
    directory = str(tmp_path / "control")
    write(directory, clusters=cluster_file("one", clusters[0], ids[0]) + "---" + cluster_file("two", clusters[1], ids[1]) + "---" + GROUP)
    return directory


def post(server, cluster, topic, *records):
    body = "".join(json.dumps(record) for record in records).encode()
    status, text = server.request("POST", f"{server.rest}/v3/clusters/{cluster}/topics/{topic}/records", body,
                                  {"Content-Type": "application/json"})
    if status != 200:
        return status, text
    return [text] if isinstance(text, dict) else reports(text)


def text_record(text):
    return {"value": {"type": "STRING", "data": text}}


def binary(data):
    return {"value": {"type": "BINARY", "data": base64.b64encode(data).decode()}}


def inline(schema, data):
    return {"value": {"type": "PROTOBUF", "schema": schema, "data": data}}


def test_each_topic_goes_to_its_cluster_under_one_logical_id_and_a_physical_id_pins(
        start, new_database, new_topic, clusters, ids, files):
    a, b = new_topic(clusters[0], prefix="a"), new_topic(clusters[1], prefix="b")
    write(files, a=topic_file(a, "one"), b=topic_file(b, "two"))
    server = start("--database-url", new_database(), "--control-files", files)
    [first] = post(server, "lkg-pubsub", a, text_record("to one"))
    [second] = post(server, "lkg-pubsub", b, text_record("to two"))
    assert (first["error_code"], first["cluster_id"]) == (200, ids[0]), first
    assert (second["error_code"], second["cluster_id"]) == (200, ids[1]), second
    assert [record.value() for record in read_all(clusters[0], a)] == [b"to one"]
    assert [record.value() for record in read_all(clusters[1], b)] == [b"to two"]
    # A physical id, or the cluster's name, pins; the report carries Kafka's id.
    for pinned in (ids[1], "two"):
        [report] = post(server, pinned, b, text_record("pinned"))
        assert (report["error_code"], report["cluster_id"]) == (200, ids[1]), report
    assert end_offset(clusters[1], b) == 3
    status, answer = post(server, "nowhere", b, text_record("x"))
    assert (status, answer["error_code"]) == (404, 404)


def test_clusters_are_listed_default_group_first(start, new_database, ids, files):
    server = start("--database-url", new_database(), "--control-files", files)
    status, answer = server.get(server.rest + "/v3/clusters")
    assert status == 200
    listed = [cluster["cluster_id"] for cluster in answer["data"]]
    assert listed == ["lkg-pubsub", *sorted(ids)]
    assert answer["data"][0]["controller"] is None


def test_an_undeclared_topic_under_a_logical_id_goes_where_it_is_and_nowhere_when_nobody_has_it(
        start, new_database, new_topic, clusters, ids, files):
    server = start("--database-url", new_database(), "--control-files", files)
    only_on_two = new_topic(clusters[1])
    [report] = post(server, "lkg-pubsub", only_on_two, text_record("x"))
    assert (report["error_code"], report["cluster_id"]) == (200, ids[1]), report
    [report] = post(server, "lkg-pubsub", "nobody-has-" + uuid.uuid4().hex, text_record("x"))
    assert report["error_code"] == 40401, report


def test_undeclared_topics_can_be_denied(start, new_database, new_topic, clusters, files):
    server = start("--database-url", new_database(), "--control-files", files, "--undeclared-topics", "deny")
    topic = new_topic(clusters[0])
    answer = post(server, "lkg-pubsub", topic, text_record("x"))
    code = answer[1]["error_code"] if isinstance(answer, tuple) else answer[0]["error_code"]
    assert code == 40372, answer
    assert end_offset(clusters[0], topic) == 0


@pytest.fixture
def strict(start, new_database, new_topic, clusters, files):
    """A server with one strict topic on cluster one, and that topic."""
    topic = new_topic(clusters[0])
    write(files, topic=topic_file(topic, "one", "{format: protobuf}"))
    return start("--database-url", new_database(), "--control-files", files), topic


def test_strict_refuses_before_kafka_with_rule_path_and_version_on_one_line(strict, clusters):
    server, topic = strict
    [written] = post(server, "lkg-pubsub", topic, inline(FITS, {"id": "a", "cents": "1"}))
    assert written["error_code"] == 200, written
    [refused] = post(server, "lkg-pubsub", topic, inline(BREAKS, {"id": "a", "cents": "1"}))
    assert refused["error_code"] == 42281, refused
    message = refused["message"]
    assert "FIELD_SCALAR_KIND_CHANGED" in message and "#/Paid/2" in message and "version 1" in message.lower().replace(": ", " ")
    assert "\n" not in message
    [grown] = post(server, "lkg-pubsub", topic, inline(GROWN, {"id": "a", "note": "n"}))
    assert (grown["error_code"], grown["value"]["schema_version"]) == (200, 2), grown
    assert end_offset(clusters[0], topic) == 2


def test_strict_refuses_foreign_ids_bad_frames_and_bytes_that_do_not_decode(strict, clusters):
    server, topic = strict
    [written] = post(server, "lkg-pubsub", topic, inline(FITS, {"id": "a", "cents": "1"}))
    own = written["value"]["schema_id"]
    status, other = server.request("POST", f"{server.registry}/subjects/other-value/versions",
                                   {"schemaType": "PROTOBUF", "schema": 'syntax = "proto3"; message Other { int32 x = 1; }'})
    assert status == 200
    framed = lambda number, payload: b"\0" + struct.pack(">i", number) + b"\0" + payload  # noqa: E731
    cases = [
        (binary(framed(own, b"\x0a\x01b\x10\x02")), 200),
        (binary(framed(other["id"], b"\x08\x01")), 42283),
        (binary(b"not framed at all"), 42284),
        (binary(b"\0\0"), 42284),
        (binary(framed(99_999_999, b"")), 42282),
        (binary(framed(own, b"\x0a\x7fshort")), 42285),
        (text_record("plain"), 42286),
        ({"value": {"type": "JSON", "data": {}}}, 42286),
        ({"value": {"schema_id": other["id"], "data": {"x": 1}}}, 42283),
        ({}, 200),
    ]
    answers = post(server, "lkg-pubsub", topic, *[record for record, _ in cases])
    assert [answer["error_code"] for answer in answers] == [code for _, code in cases], answers
    assert end_offset(clusters[0], topic) == 3


def test_warn_writes_and_off_does_not_look(start, new_database, new_topic, clusters, files):
    warned, off = new_topic(clusters[0]), new_topic(clusters[0])
    write(files, warned=topic_file(warned, "one", "{format: protobuf, enforcement: warn}"),
          off=topic_file(off, "one", "{format: protobuf, enforcement: off}"))
    server = start("--database-url", new_database(), "--control-files", files)
    for topic in (warned, off):
        [report] = post(server, "lkg-pubsub", topic, binary(b"raw"))
        assert report["error_code"] == 200, report
    _, metrics = server.get(server.management + "/metrics")
    assert "sluice_gate_" in metrics and warned in metrics


def test_a_breaking_change_stays_blocked_on_every_node_and_a_compatible_one_is_registered_once(
        start, new_database, new_topic, clusters, files):
    topic = new_topic(clusters[0])
    write(files, topic=topic_file(topic, "one", "{format: protobuf}"))
    database = new_database()
    nodes = [start("--database-url", database, "--control-files", files) for _ in range(2)]
    [first] = post(nodes[0], "lkg-pubsub", topic, inline(FITS, {"id": "a"}))
    assert first["error_code"] == 200, first
    for node in nodes:
        [refused] = post(node, "lkg-pubsub", topic, inline(BREAKS, {"id": "a"}))
        assert refused["error_code"] == 42281, refused
    grown = [post(node, "lkg-pubsub", topic, inline(GROWN, {"id": "a"}))[0] for node in nodes]
    assert [report["value"]["schema_version"] for report in grown] == [2, 2]
    assert grown[0]["value"]["schema_id"] == grown[1]["value"]["schema_id"]


def test_a_reload_takes_new_files_and_a_bad_file_leaves_the_last_good_one_and_says_so(
        start, new_database, new_topic, clusters, files):
    topic = new_topic(clusters[0])
    server = start("--database-url", new_database(), "--control-files", files)

    def snapshot():
        return server.get(server.management + "/readyz")[1]["details"]["control_plane"]

    write(files, topic=topic_file(topic, "one", "{format: protobuf}"))
    server.child.send_signal(signal.SIGHUP)
    wait_until(lambda: snapshot()["version"] == 2, server.child, "the reload", 10)
    [refused] = post(server, "lkg-pubsub", topic, binary(b"raw"))
    assert refused["error_code"] == 42284, refused

    write(files, bad="apiVersion: sluice/v1\nkind: Topic\nmetadata: {name: x, owner: nobody}\nspec: {clsuters: []}\n")
    server.child.send_signal(signal.SIGHUP)
    wait_until(lambda: snapshot()["refused"], server.child, "the refusal", 10)
    state = snapshot()
    assert state["version"] == 2
    assert any("clsuters" in line and "bad.yaml:4" in line for line in state["refused"]), state
    [refused] = post(server, "lkg-pubsub", topic, binary(b"raw"))
    assert refused["error_code"] == 42284, refused
    _, metrics = server.get(server.management + "/metrics")
    assert any(line.startswith("sluice_control_files_refused 1") for line in metrics.splitlines()), metrics
    assert "bad.yaml:4" in server.log_tail()


def test_a_level_that_a_file_states_cannot_be_changed_through_the_registry(start, new_database, new_topic, clusters, files):
    topic = new_topic(clusters[0])
    write(files, topic=topic_file(topic, "one", "{format: protobuf, compatibility: FULL}"))
    server = start("--database-url", new_database(), "--control-files", files)
    status, answer = server.request("PUT", f"{server.registry}/config/{topic}-value", {"compatibility": "NONE"})
    assert (status, answer["error_code"]) == (422, 42205), answer
    assert "topic.yaml" in answer["message"]
