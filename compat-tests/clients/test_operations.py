"""Starting, stopping, losing Postgres, losing Kafka: what an operator sees."""
import json
import os
import signal
import socket
import threading
import time
import uuid

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from conftest import end_offset, new_topic, read_all, reports  # noqa: F401
from harness import kafka, postgres
from harness.processes import free_port, wait_until
from harness.sluice import Sluice, run_command

PROTO = 'syntax = "proto3"; message A { int32 n = 1; }'


def register(server, subject, schema=PROTO):
    return server.request("POST", f"{server.registry}/subjects/{subject}/versions", {"schemaType": "PROTOBUF", "schema": schema})


def post(server, topic, *records, timeout=30):
    body = "".join(json.dumps(record) for record in records).encode()
    status, text = server.request("POST", f"{server.rest}/v3/clusters/any/topics/{topic}/records", body,
                                  {"Content-Type": "application/json"}, timeout)
    assert status == 200, text
    return [text] if isinstance(text, dict) else reports(text)


def test_the_smallest_start_runs_on_sqlite_and_survives_a_restart(start, bootstrap, tmp_path):
    database = f"sqlite://{tmp_path}/schemas.sqlite"
    server = start("--database-url", database, "--bootstrap-servers", bootstrap)
    status, first = register(server, "s-value")
    assert status == 200
    assert server.stop() == 0
    again = start("--database-url", database, "--bootstrap-servers", bootstrap)
    assert again.get(f"{again.registry}/schemas/ids/{first['id']}")[1]["schema"] == first["schema"]


def test_both_apis_answer_on_either_port(server):
    for base in (server.registry, server.rest):
        assert server.get(base + "/subjects") == (200, [])
        assert server.get(base + "/v3/clusters")[0] == 200


def test_a_taken_port_is_named_with_the_setting_that_moves_it(bootstrap, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, _, errors = run_command("serve", "--database-url", f"sqlite://{tmp_path}/s.sqlite", "--bootstrap-servers", bootstrap,
                                        "--registry-listen", f"127.0.0.1:{port}", "--rest-listen", f"127.0.0.1:{free_port()}",
                                        "--management-listen", f"127.0.0.1:{free_port()}")
    assert status != 0
    assert f"127.0.0.1:{port}" in errors and "--registry-listen" in errors and "SLUICE_REGISTRY_LISTEN" in errors


def test_check_prints_every_mistake_at_once_with_file_line_pointer_and_hint(tmp_path):
    config = tmp_path / "sluice.yaml"
    config.write_text("database-url: postgres://u@h/d\nbootstrap-servers: [a:9092]\nmanagment-listen: 127.0.0.1:1\n")
    control = tmp_path / "control"
    control.mkdir()
    (control / "t.yaml").write_text("apiVersion: sluice/v1\nkind: Topic\nmetadata: {name: t, owner: team:x}\n"
                                    "spec:\n  clsuters: []\n  partitions: 0\n")
    status, out, errors = run_command("check", "--config", str(config), "--control-files", str(control))
    assert status != 0 and "ok" not in out
    assert "sluice.yaml:3" in errors and "management-listen" in errors
    assert "t.yaml:5" in errors and "/spec/clsuters" in errors and "did you mean `clusters`?" in errors
    assert "t.yaml:6" in errors and "/spec/partitions" in errors
    config.write_text("database-url: postgres://u@h/d\nbootstrap-servers: [a:9092]\n")
    status, out, _ = run_command("check", "--config", str(config))
    assert (status, out.strip()) == (0, "ok")


def test_config_prints_every_key_as_a_file_that_check_accepts(tmp_path):
    status, out, _ = run_command("config")
    assert status == 0
    for name in ("database-url", "bootstrap-servers", "registry-listen", "rest-listen", "management-listen", "data-dir", "control-files"):
        assert f"#{name}:" in out
    file = tmp_path / "all.yaml"
    file.write_text("\n".join(line[1:] if line.startswith("#") and line[1:2].isalpha() and ": " in line else line
                              for line in out.splitlines()))
    status, _, errors = run_command("check", "--config", str(file), "--database-url", "sqlite://x", "--bootstrap-servers", "a:1")
    assert status == 0, errors


def test_with_postgres_stopped_what_is_known_is_served_and_new_schemas_are_refused_quickly(
        start, bootstrap, new_topic, tmp_path):  # noqa: F811
    home = os.path.join(os.environ["SLUICE_TEST_RUN_DIR"], "pg-" + uuid.uuid4().hex[:8])
    database = postgres.Server(home, durable=True).begin().ready()
    server = start("--database-url", database.url(), "--bootstrap-servers", bootstrap)
    topic = new_topic(bootstrap)
    known = {"value": {"type": "PROTOBUF", "schema": PROTO, "data": {"n": 1}}}
    assert post(server, topic, known)[0]["error_code"] == 200
    number = register(server, f"{topic}-value")[1]["id"]
    assert server.get(f"{server.registry}/schemas/ids/{number}")[0] == 200

    database.stop()
    assert server.get(f"{server.registry}/schemas/ids/{number}")[0] == 200
    assert post(server, topic, known)[0]["error_code"] == 200
    other = PROTO.replace("int32 n", "int64 other")
    began = time.monotonic()
    status, answer = register(server, "new-value", other)
    assert status == 500 and answer["error_code"] in (50001, 50002), answer
    [refused] = post(server, topic, {"value": {"type": "PROTOBUF", "schema": other, "data": {}}})
    assert refused["error_code"] == 50375, refused
    # "Quickly": far below any client's timeout, not a measure of speed.
    assert time.monotonic() - began < 15
    assert server.is_ready(), "a database that is away is a detail, not a reason to restart every node"

    database.restart()
    wait_until(lambda: register(server, "new-value", other)[0] == 200, server.child, "recovery", 30)
    database.stop()


def test_it_starts_with_kafka_down_and_says_503_until_it_comes(start, tmp_path):
    cluster = kafka.Cluster(os.path.join(os.environ["SLUICE_TEST_RUN_DIR"], "kafka-late-" + uuid.uuid4().hex[:8]))
    server = start("--database-url", f"sqlite://{tmp_path}/s.sqlite", "--bootstrap-servers", cluster.bootstrap)
    [report] = post(server, "t", {"value": {"type": "STRING", "data": "x"}}, timeout=60)
    assert report["error_code"] // 100 == 503, report
    cluster.begin().ready()
    wait_until(lambda: post(server, "t", {"value": {"type": "STRING", "data": "x"}}, timeout=60)[0]["error_code"] == 200,
               server.child, "the first record", 60)
    cluster.stop()


def test_a_stop_finishes_the_stream_in_flight_and_loses_nothing_acknowledged(start, new_database, bootstrap, new_topic):  # noqa: F811
    topic = new_topic(bootstrap)
    server = start("--database-url", new_database(), "--bootstrap-servers", bootstrap)
    stream = socket.create_connection(("127.0.0.1", server.rest_port))
    stream.sendall(f"POST /v3/clusters/any/topics/{topic}/records HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n".encode())
    record = b'{"value":{"type":"STRING","data":"x"}}'
    answer = b""
    for _ in range(50):
        stream.sendall(b"%x\r\n%s\r\n" % (len(record), record))
    stream.settimeout(20)
    while answer.count(b'"error_code":200') < 50:
        answer += stream.recv(65536)
    server.child.send_signal(signal.SIGTERM)
    rest = b"start"
    while rest:
        rest = stream.recv(65536)
        answer += rest
    assert server.child.wait(30) == 0
    assert end_offset(bootstrap, topic) == answer.count(b'"error_code":200') == 50


def test_a_client_that_waits_for_continue_is_told_to_go_on_before_any_answer(server, bootstrap, new_topic):  # noqa: F811
    record = b'{"value": {"type": "STRING", "data": "x"}}'
    head = (f"POST /v3/clusters/any/topics/{new_topic(bootstrap)}/records HTTP/1.1\r\nHost: x\r\n"
            f"Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: {len(record)}\r\n\r\n")
    with socket.create_connection(("127.0.0.1", server.rest_port), timeout=20) as stream:
        stream.sendall(head.encode())
        assert stream.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        stream.sendall(record)
        answer = b""
        while b"error_code" not in answer:
            answer += stream.recv(1000)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and b'"error_code":200' in answer, answer


def test_readiness_turns_false_before_connections_are_refused(start, new_database, bootstrap):
    server = start("--database-url", new_database(), "--bootstrap-servers", bootstrap)
    states = []
    done = threading.Event()

    def watch():
        while not done.is_set():
            states.append(server.get(server.management + "/readyz")[0])
    thread = threading.Thread(target=watch)
    thread.start()
    wait_until(lambda: 200 in states, server.child, "readiness", 10)
    server.child.send_signal(signal.SIGTERM)
    assert server.child.wait(30) == 0
    done.set()
    thread.join()
    assert 503 in states, "readiness was never false while the server still answered"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/readyz/registry", "/readyz/rest", "/metrics"])
def test_the_management_listener_answers(server, path):
    # A node is ready before its clusters have answered; what depends on them follows.
    wait_until(lambda: server.get(server.management + path)[0] == 200, server.child, path, 20)


def ended_within(server, seconds):
    """Its exit status, which must come that soon."""
    began = time.monotonic()
    status = server.child.wait(60)
    assert time.monotonic() - began < seconds, f"{time.monotonic() - began:.0f} s"
    return status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_stops_at_once(start, tmp_path, number):
    server = start("--database-url", f"sqlite://{tmp_path}/s.sqlite", "--bootstrap-servers", "127.0.0.1:1", "--shutdown-delay", "1h")
    server.child.send_signal(signal.SIGTERM)
    wait_until(lambda: server.get(server.management + "/readyz")[0] == 503, server.child, "the beginning of the stop", 10)
    assert server.get(server.registry + "/subjects") == (200, []), "it goes on for balancers"
    server.child.send_signal(number)
    assert ended_within(server, 5) == 1
    assert "stopped at once by a second signal" in server.log_tail()


def test_a_signal_ends_a_start_that_waits_for_the_database(tmp_path):
    server = Sluice(str(tmp_path), "--database-url", "postgres://u@127.0.0.1:1/d", "--bootstrap-servers", "127.0.0.1:1").begin()
    wait_until(lambda: "trying again" in server.log_tail(), server.child, "the first try", 10)
    server.child.send_signal(signal.SIGTERM)
    assert ended_within(server, 5) == 0
    assert "stopped before it was ready" in server.log_tail()


def test_a_stop_lets_the_producers_finish_what_they_have(start, bootstrap, new_topic, tmp_path):  # noqa: F811
    """The client has gone; its records were taken, and are written."""
    topic = new_topic(bootstrap)
    server = start("--database-url", f"sqlite://{tmp_path}/s.sqlite", "--bootstrap-servers", bootstrap, "--shutdown-delay", "0s",
                   environment={"SLUICE_KAFKA_CLIENT": "linger.ms=3000"})
    assert post(server, topic, {"value": {"type": "STRING", "data": "first"}})[0]["error_code"] == 200
    stream = socket.create_connection(("127.0.0.1", server.rest_port))
    body = b'{"value":{"type":"STRING","data":"x"}}' * 20
    stream.sendall(f"POST /v3/clusters/any/topics/{topic}/records HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                   f"Content-Length: {len(body)}\r\n\r\n".encode() + body)

    waiting = 'sluice_kafka_unanswered_records{cluster="default",lane="pinned"} 20'
    wait_until(lambda: waiting in server.get(server.management + "/metrics")[1], server.child, "records that linger", 3)
    stream.close()
    server.child.send_signal(signal.SIGTERM)
    assert ended_within(server, 20) == 0
    assert end_offset(bootstrap, topic) == 21


def test_a_topics_deadline_tells_surely_not_written_before_nobody_knows(start, tmp_path):
    cluster = kafka.Cluster(os.path.join(os.environ["SLUICE_TEST_RUN_DIR"], "kafka-deadline-" + uuid.uuid4().hex[:8]),
                            {"auto.create.topics.enable": "true"}).begin()
    control = tmp_path / "control"
    control.mkdir()
    head = "apiVersion: sluice/v1\nkind: "
    (control / "all.yaml").write_text("".join(
        f"{head}Cluster\nmetadata: {{name: {name}}}\nspec:\n  listeners:\n    - {{name: p, auth: none, bootstrap: [\"{address}\"]}}\n---\n"
        for name, address in (("one", cluster.bootstrap), ("two", "127.0.0.1:1"))) +
        f'{head}Topic\nmetadata: {{name: hurried, owner: "team:x"}}\nspec:\n  clusters: [{{name: one}}, {{name: two}}]\n'
        "  load-balancing: failover\n  ordering: none\n  failover: {total-deadline: 5s}\n  schema: {format: none}\n")
    cluster.ready()
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    admin.create_topics([NewTopic("hurried", 1, 1)])["hurried"].result(30)
    server = start("--database-url", f"sqlite://{tmp_path}/s.sqlite", "--control-files", str(control))
    record = json.dumps({"value": {"type": "STRING", "data": "x"}}).encode()
    url = f"{server.rest}/v3/clusters/one/topics/hurried/records"
    wait_until(lambda: server.request("POST", url, record)[1].get("error_code") == 200, server.child, "the first record", 20)
    cluster.kill()
    began = time.monotonic()
    status, report = server.request("POST", url, record)
    took = time.monotonic() - began
    assert (status, report["error_code"]) == (200, 50371), report
    assert 3.5 < took < 5.5, f"{took:.1f} s: before the total deadline"
