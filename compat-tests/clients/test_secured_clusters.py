"""Clusters behind TLS and SASL: records go there, secrets go nowhere else."""
import json
import os
import uuid

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from conftest import read_all, reports
from harness import kafka, processes
from harness.certificates import Authority
from harness.processes import free_port, wait_until
from harness.sluice import run_command

USER = "sluice"
# Parts of it must not show either; none of it occurs anywhere else.
PASSWORD = "Xq7-" + uuid.uuid4().hex
WRONG = "Zw9-" + uuid.uuid4().hex
LOGIN = "org.apache.kafka.common.security"


class Secured:
    """A broker with a listener of each kind, and one in clear text for the test itself."""

    def __init__(self, home):
        self.authority = Authority(os.path.join(home, "certificates"))
        _, _, server = self.authority.issue("localhost", "127.0.0.1")
        self.client_certificate, self.client_key, _ = self.authority.issue("client")
        self.sasl, self.mtls, self.scram, clear = free_port(), free_port(), free_port(), free_port()
        plain = f'{LOGIN}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
        scram = f"{LOGIN}.scram.ScramLoginModule required;"
        settings = {
            "ssl.keystore.type": "PEM", "ssl.keystore.location": server,
            "ssl.truststore.type": "PEM", "ssl.truststore.location": self.authority.ca,
            "listener.name.mtls.ssl.client.auth": "required",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
            "listener.security.protocol.map": "SASL:SASL_SSL,MTLS:SSL,SCRAM:SASL_PLAINTEXT,CLEAR:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "CLEAR",
        }
        for listener in ("sasl", "scram"):
            settings[f"listener.name.{listener}.plain.sasl.jaas.config"] = plain
            for mechanism in ("scram-sha-256", "scram-sha-512"):
                settings[f"listener.name.{listener}.{mechanism}.sasl.jaas.config"] = scram
        self.cluster = kafka.Cluster(os.path.join(home, "kafka"), settings, {USER: PASSWORD})
        self.cluster.port = clear
        self.cluster.bootstrap = self.clear = f"127.0.0.1:{clear}"
        ports = {"SASL": self.sasl, "MTLS": self.mtls, "SCRAM": self.scram, "CLEAR": clear}
        advertised = ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())
        settings["listeners"] = f"{advertised},CONTROLLER://127.0.0.1:{self.cluster.controller_port}"
        settings["advertised.listeners"] = advertised
        self.cluster.begin().ready()
        wait_until(lambda: all(processes.accepts(port) for port in ports.values()), self.cluster.child, "all listeners", 60)
        admin = AdminClient({"bootstrap.servers": self.clear})  # must outlive the call
        admin.create_topics([NewTopic("t", 1, 1)])["t"].result(30)


@pytest.fixture(scope="module")
def secured():
    made = Secured(os.path.join(os.environ["SLUICE_TEST_RUN_DIR"], "secured-" + uuid.uuid4().hex[:8]))
    yield made
    made.cluster.stop()


@pytest.fixture
def password_file(tmp_path):
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    return str(path)


def cluster_file(name, listener, credentials):
    return (f"apiVersion: sluice/v1\nkind: Cluster\nmetadata: {{name: {name}}}\nspec:\n  listeners:\n    - {json.dumps(listener)}\n"
            f"  gateway: {{credentials: {json.dumps(credentials)}}}\n---\n")


def send(server, cluster, value):
    """The one report of a record."""
    body = json.dumps({"value": {"type": "STRING", "data": value}}).encode()
    status, text = server.request("POST", f"{server.rest}/v3/clusters/{cluster}/topics/t/records", body, timeout=60)
    assert status == 200, text
    return text if isinstance(text, dict) else reports(text)[0]


def details(server, cluster):
    return server.get(server.management + "/readyz/rest")[1]["details"]["clusters"][cluster]


def everything_said(server, *answers):
    """All that a server lets out: its log, its management surface, its answers."""
    with open(server.log) as log:
        said = log.read()
    for path in ("/readyz", "/readyz/rest", "/readyz/registry", "/metrics"):
        said += str(server.get(server.management + path))
    return said + str(answers)


def secrets_in(text):
    return [secret for secret in (PASSWORD, WRONG) if secret in text or secret[4:20] in text]


def test_records_go_through_every_way_of_authentication(start, secured, password_file, tmp_path):
    from_file = {"username": USER, "password-file": password_file}
    from_variable = {"username": USER, "password-env": "TEST_KAFKA_PASSWORD"}
    trusted = {"ca-file": secured.authority.ca}
    own = {"cert-file": secured.client_certificate, "key-file": secured.client_key}

    def tls(auth, port, mechanism=None):
        return {"name": "one", "auth": auth, "bootstrap": [f"127.0.0.1:{port}"]} | ({"mechanism": mechanism} if mechanism else {})
    ways = {
        "plain": (tls("sasl-plain", secured.sasl), from_file | trusted),
        "scram-512": (tls("sasl-scram", secured.sasl), from_variable | trusted),
        "scram-256": (tls("sasl-scram", secured.sasl, "SCRAM-SHA-256"), from_file | trusted),
        "scram-clear": (tls("sasl-scram-plaintext", secured.scram), from_variable),
        "mutual": (tls("mtls", secured.mtls), own | trusted),
    }
    control = tmp_path / "control"
    control.mkdir()
    (control / "clusters.yaml").write_text("".join(cluster_file(name, *way) for name, way in ways.items()))
    flags = ("--database-url", f"sqlite://{tmp_path}/s.sqlite", "--control-files", str(control))
    status, out, errors = run_command("check", *flags)
    assert status == 0, errors
    server = start(*flags, "--log-level", "trace", environment={"TEST_KAFKA_PASSWORD": PASSWORD})
    wait_until(lambda: all(details(server, name)["connected"] for name in ways), server.child, "every connection", 30)
    before = len(read_all(secured.clear, "t"))
    sent = [send(server, name, f"by {name}") for name in ways]
    assert [report["error_code"] for report in sent] == [200] * len(ways), sent
    assert {report["cluster_id"] for report in sent} == {secured.cluster.cluster_id}
    written = [record.value().decode() for record in read_all(secured.clear, "t")[before:]]
    assert written == [f"by {name}" for name in ways]
    topics = server.get(f"{server.rest}/v3/clusters/mutual/topics")
    assert topics[0] == 200 and "t" in [topic["topic_name"] for topic in topics[1]["data"]]
    assert secrets_in(everything_said(server, sent) + out + errors) == []


def test_the_smallest_secured_start_needs_no_file(start, secured, tmp_path):
    server = start("--database-url", f"sqlite://{tmp_path}/s.sqlite", "--bootstrap-servers", f"127.0.0.1:{secured.sasl}",
                   environment={"SLUICE_KAFKA_SECURITY_PROTOCOL": "sasl_ssl", "SLUICE_KAFKA_SASL_MECHANISM": "PLAIN",
                                "SLUICE_KAFKA_USERNAME": USER, "SLUICE_KAFKA_PASSWORD_ENV": "TEST_KAFKA_PASSWORD",
                                "SLUICE_KAFKA_CA_FILE": secured.authority.ca, "TEST_KAFKA_PASSWORD": PASSWORD})
    wait_until(lambda: details(server, "default")["connected"], server.child, "the connection", 30)
    assert send(server, "any", "by variables")["error_code"] == 200
    assert secrets_in(everything_said(server)) == []


@pytest.mark.parametrize("auth", ["sasl-plain", "sasl-scram"])
def test_a_wrong_password_is_503_with_a_reason_and_without_the_secret(start, secured, tmp_path, auth):
    secret = tmp_path / "wrong"
    secret.write_text(WRONG)
    control = tmp_path / "control"
    control.mkdir()
    listener = {"name": "one", "auth": auth, "bootstrap": [f"127.0.0.1:{secured.sasl}"]}
    credentials = {"username": USER, "password-file": str(secret), "ca-file": secured.authority.ca}
    (control / "clusters.yaml").write_text(cluster_file("wrong", listener, credentials))
    server = start("--database-url", f"sqlite://{tmp_path}/s.sqlite", "--control-files", str(control), "--log-level", "trace")
    report = send(server, "wrong", "never")
    assert report["error_code"] == 50371, report
    assert "uthentication" in report["message"], report
    answer = server.get(f"{server.rest}/v3/clusters/wrong/topics")
    assert answer[0] >= 400 and "uthentication" in answer[1]["message"], answer
    state = details(server, "wrong")
    assert state["connected"] is False and "uthentication" in state["last_error"], state
    assert "uthentication" in server.log_tail(4000), "the operator is told"
    assert secrets_in(everything_said(server, report, answer)) == []
    assert server.is_ready(), "a cluster that refuses is a detail"


def test_an_authority_that_is_not_trusted_gets_no_record(start, secured, tmp_path):
    stranger = Authority(str(tmp_path / "stranger"))
    server = start("--database-url", f"sqlite://{tmp_path}/s.sqlite", "--bootstrap-servers", f"127.0.0.1:{secured.mtls}",
                   "--kafka-security-protocol", "ssl", "--kafka-ca-file", stranger.ca)
    report = send(server, "any", "never")
    assert report["error_code"] == 50371, report
    assert "certificate" in report["message"], report


@pytest.mark.parametrize("credentials, said", [
    ({"username": USER, "password-file": "/nonexistent/password"}, "/nonexistent/password"),
    ({"username": USER, "password-env": "TEST_NO_SUCH_VARIABLE"}, "TEST_NO_SUCH_VARIABLE"),
    ({"username": USER, "password": PASSWORD}, "password-file"),
    ({"username": USER, "password-env": "TEST_KAFKA_PASSWORD", "ca-file": "/nonexistent/ca.pem"}, "/nonexistent/ca.pem"),
])
def test_a_secret_that_cannot_be_had_stops_the_start_with_its_place(tmp_path, credentials, said):
    control = tmp_path / "control"
    control.mkdir()
    (control / "clusters.yaml").write_text(cluster_file("one", {"name": "one", "auth": "sasl-plain", "bootstrap": ["127.0.0.1:1"]}, credentials))
    addresses = [part for name in ("registry", "rest", "management") for part in (f"--{name}-listen", "127.0.0.1:0")]
    status, out, errors = run_command("serve", "--database-url", f"sqlite://{tmp_path}/s.sqlite", "--control-files", str(control),
                                      *addresses, environment={"TEST_KAFKA_PASSWORD": PASSWORD})
    assert status != 0
    assert "clusters.yaml:" in errors and said in errors, errors
    assert secrets_in(out + errors) == []


def test_a_database_password_does_not_show(tmp_path):
    addresses = [part for name in ("registry", "rest", "management") for part in (f"--{name}-listen", "127.0.0.1:0")]
    for url in (f"postgres://u:{PASSWORD}@127.0.0.1:notaport/d", f"postgres://u:{PASSWORD}@[::bad/d", f"mysql://u:{PASSWORD}@h/d"):
        for command in ("serve", "check"):
            flags = addresses + ["--bootstrap-servers", "127.0.0.1:1"]
            status, out, errors = run_command(command, *flags, environment={"SLUICE_DATABASE_URL": url, "SLUICE_LOG_LEVEL": "trace"})
            assert command == "check" or status != 0, out + errors
            assert secrets_in(out + errors) == [], (command, url)
    _, out, _ = run_command("config", environment={"SLUICE_DATABASE_URL": f"postgres://u:{PASSWORD}@h/d"})
    assert secrets_in(out) == []
