"""Registry clients of Node, Go, Rust and Java, unmodified: each registers, evolves, is refused, reads back.

A program per client (`node/`, `go/`, `rust/`, `java/`) gets the same journey on standard input and prints what its
client saw. Here is decided whether that was right, once for all clients: the registry is one, so are its answers.
What one client writes, Python's deserializer reads; what Python's serializer writes, every client reads.

To add a client: its program, its command in `harness/programs.py`, its row in CLIENTS with the facts it must report.
"""
import base64
import json
import subprocess
import sys
from dataclasses import dataclass

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

from conftest import context
from harness import programs
from payments import FORMATS, RECORD, SCHEMAS, stored
from pythons import deserializer, serializer


METADATA = {"properties": {"owner": "shop", "major": "1"}, "tags": {"**.id": ["PII"]}}
RULE = {"name": "positive", "doc": "money", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "tags": ["PII"],
        "params": {"unit": "cent"}, "expr": "message.cents > 0", "onFailure": "ERROR"}


@dataclass
class Client:
    """A program, and what its client cannot tell or do: facts that its report must have and facts it need not."""
    command: list
    version: str
    facts: set
    codes: bool = True      # surfaces error_code
    statuses: bool = True   # surfaces the HTTP status
    serializers: tuple = ("AVRO", "JSON", "PROTOBUF")
    indexes: bool = True    # writes which message of a protobuf file it is


BASIC = {"first", "again", "second", "refused", "missing", "written", "read"}
READS = {"compatible", "versions", "latest", "by_id", "by_guid", "looked_up"}
MANAGES = {"no_level", "level", "deleted", "purged", "contract"}
CLIENTS = {
    "node-confluent": Client(programs.node_command("confluent.cjs"), "1.10.1", BASIC | READS | MANAGES | {"deleted_version"}),
    "node-kafkajs": Client(programs.node_command("kafkajs.cjs"), "3.9.0",
                           BASIC | {"latest_id", "by_version", "looked_up_id", "other_level"}, codes=False, indexes=False),
    "go-confluent": Client(programs.go_command("confluent"), "v2.11.1",
                           BASIC | READS | MANAGES | {"deleted_version", "uses"}, statuses=False),
    "go-franz": Client(programs.go_command("franz"), "v1.8.0", BASIC | READS | MANAGES | {"uses", "why_not", "text", "all"}),
    "rust": Client(programs.rust_command(), None, BASIC | (READS - {"looked_up"}) | {"listed"}),
    "java": Client(programs.java_command(), None,
                   BASIC | (READS - {"by_guid"}) | MANAGES | {"deleted_version", "uses", "why_not", "mode"}, serializers=("AVRO",)),
}
CASES = [(name, type_) for name in CLIENTS for type_ in FORMATS]


@pytest.fixture(scope="module")
def descriptors(tmp_path_factory):
    """The second protobuf version, compiled: a serialized FileDescriptorSet."""
    home = tmp_path_factory.mktemp("descriptors")
    (home / "payment.proto").write_text(SCHEMAS["PROTOBUF"][1])
    out = home / "set"
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"-I{home}", f"--descriptor_set_out={out}", "payment.proto"], check=True)
    return out.read_bytes()


@pytest.fixture(scope="module")
def payment(descriptors):
    """The generated message class of the second protobuf version."""
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptors)
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Payment"))


@pytest.fixture(scope="module")
def journey(server_for_module, descriptors, payment):
    """What every program gets: Python's serializers registered both versions and wrote the record before."""
    client = SchemaRegistryClient({"url": server_for_module.registry})
    formats = {}
    for type_ in FORMATS:
        first, second, breaking, _ = SCHEMAS[type_]
        topic = f"python-{type_}"
        ids = [client.register_schema(f"{topic}-value", Schema(text, type_)) for text in (first, second)]
        record = json_format.ParseDict(RECORD, payment()) if type_ == "PROTOBUF" else RECORD
        payload = serializer(type_, client, payment)(record, context(topic))
        assert payload[:5] == b"\0" + ids[1].to_bytes(4, "big")
        formats[type_] = {"first": first, "second": second, "breaking": breaking, "record": RECORD, "payload": payload.hex(),
                          "ids": ids}
    formats["PROTOBUF"]["descriptors"] = base64.b64encode(descriptors).decode()
    return {"registry": server_for_module.registry, "formats": formats}


@pytest.fixture(scope="module")
def reports(journey):
    """Runs a client's program at its first use; its report."""
    done = {}

    def report(name):
        if name not in done:
            formats = {type_: described | {"contract": {"subject": f"{name}-{type_}-contract", "metadata": METADATA,
                                                        "ruleSet": {"domainRules": [RULE]}}}
                       for type_, described in journey["formats"].items()}
            told = json.dumps(journey | {"prefix": name, "formats": formats})
            result = subprocess.run(CLIENTS[name].command, input=told, capture_output=True,
                                    text=True, timeout=120)
            assert result.returncode == 0, f"{name} failed:\n{result.stderr[-4000:]}"
            done[name] = json.loads(result.stdout)
        return done[name]
    return report


@pytest.fixture
def saw(request, reports):
    name, type_ = request.param
    return reports(name)["formats"][type_], CLIENTS[name], f"{name}-{type_}-value", type_


def each_client_and_format(test):
    return pytest.mark.parametrize("saw", CASES, indirect=True, ids=["-".join(case) for case in CASES])(test)


def test_the_programs_use_the_pinned_clients(reports):
    for name, client in CLIENTS.items():
        assert client.version is None or reports(name)["version"] == client.version, name


@each_client_and_format
def test_a_client_reports_all_that_it_can_do(saw):
    facts, client, _, type_ = saw
    assert set(facts) >= client.facts - (set() if type_ in client.serializers else {"written", "read"})


@each_client_and_format
def test_equal_content_has_one_id_whoever_registers_it(saw, journey):
    facts, _, _, type_ = saw
    assert [facts["first"], facts["again"], facts["second"]] == [journey["formats"][type_]["ids"][at] for at in (0, 0, 1)]


@each_client_and_format
def test_a_breaking_schema_is_refused_and_the_client_tells_why(saw):
    facts, client, subject, type_ = saw
    refused = facts["refused"]
    if client.statuses:
        assert refused["status"] == 409
    if client.codes:
        assert refused["code"] == 40901
    assert SCHEMAS[type_][3] in refused["message"]
    assert f'Schema being registered is incompatible with an earlier schema for subject "{subject}"' in refused["message"]
    if "why_not" in facts:
        assert SCHEMAS[type_][3] in facts["why_not"][0]
    if "other_level" in facts:
        assert "FULL != BACKWARD" in facts["other_level"]


@each_client_and_format
def test_what_was_registered_reads_back(saw):
    facts, _, subject, type_ = saw
    first, second = (stored(type_, text) for text in SCHEMAS[type_][:2])
    told = {"compatible": [True, False], "versions": [1, 2], "by_id": first, "by_guid": second, "text": first, "looked_up": 1,
            "latest": {"id": facts["second"], "version": 2, "schema": second}, "all": 2, "listed": True,
            "latest_id": facts["second"], "by_version": facts["first"], "looked_up_id": facts["first"]}
    assert {name: facts[name] for name in told if name in facts} == {name: value for name, value in told.items() if name in facts}
    if "uses" in facts:
        assert {"subject": subject, "version": 2} in [{key.lower(): value for key, value in use.items()} for use in facts["uses"]]


@each_client_and_format
def test_what_is_not_there_has_its_code(saw):
    facts, client, subject, _ = saw
    for fact, code, message in (("missing", 40401, f"Subject '{subject}-missing' not found."),
                                ("no_level", 40408, f"Subject '{subject}' does not have subject-level compatibility configured")):
        if fact in facts:
            assert message in facts[fact]["message"]
            assert not client.statuses or facts[fact]["status"] == 404
            assert not client.codes or facts[fact]["code"] == code


@each_client_and_format
def test_levels_are_kept_and_deletes_take_what_is_left(saw):
    facts, _, _, _ = saw
    told = {"level": "FULL", "mode": "READWRITE", "deleted_version": 1, "deleted": [2], "purged": [1, 2]}
    assert {name: facts[name] for name in told if name in facts} == {name: value for name, value in told.items() if name in facts}


@each_client_and_format
def test_metadata_and_rules_come_back(saw):
    facts, client, _, _ = saw
    if "contract" not in client.facts:
        return  # a client that knows of none
    contract = facts["contract"]
    assert {name: value for name, value in contract["metadata"].items() if value} == METADATA
    [rule] = contract["ruleSet"]["domainRules"]
    assert {name: value for name, value in rule.items() if value} == RULE
    assert not contract["ruleSet"].get("migrationRules")


@each_client_and_format
def test_python_reads_what_the_client_writes_and_the_client_what_python_writes(saw, server_for_module, payment):
    facts, client, _, type_ = saw
    if type_ not in client.serializers:
        assert "written" not in facts
        return
    assert facts["read"] == RECORD
    written = bytes.fromhex(facts["written"])
    assert written[:5] == b"\0" + facts["second"].to_bytes(4, "big")
    if type_ == "PROTOBUF" and not client.indexes:
        assert written[5:] == json_format.ParseDict(RECORD, payment()).SerializeToString()
        return
    read = deserializer(type_, SchemaRegistryClient({"url": server_for_module.registry}), payment)(written, context("any"))
    assert (json_format.MessageToDict(read) if type_ == "PROTOBUF" else read) == RECORD


def test_the_java_client_that_caches_sees_the_same(reports, journey):
    saw, subject = reports("java")["formats"]["AVRO"]["caching"], "flink-java-AVRO-value"
    first, second, _, reason = SCHEMAS["AVRO"]
    ids = journey["formats"]["AVRO"]["ids"]
    assert [saw["first"], saw["second"]] == ids
    assert saw["compatible"] == [True, False] and reason in saw["why_not"][0]
    assert saw["latest"] == {"id": ids[1], "version": 2, "schema": stored("AVRO", second)}
    assert json.loads(saw["by_id"]) == json.loads(first) and saw["looked_up"] == 1
    refused = saw["refused"]
    assert (refused["status"], refused["code"]) == (409, 40901) and reason in refused["message"]
    # The client appends the code to the message; its negative caches go by the code.
    assert (saw["missing"]["code"], saw["missing"]["message"]) == (40401, f"Subject '{subject}-missing' not found.; error code: 40401")
    assert (saw["unknown_id"]["status"], saw["unknown_id"]["code"]) == (404, 40403)
    assert saw["purged"] == [1, 2]
