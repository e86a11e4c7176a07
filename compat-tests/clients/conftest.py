"""What the client tests share: generated message classes, topics, and a server of their own for each module."""
import importlib
import os
import subprocess
import sys
import uuid

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.serialization import MessageField, SerializationContext

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from harness import processes  # noqa: E402
from harness.sluice import Sluice  # noqa: E402

# pytest takes SystemExit for a failure of the test that runs, and goes on with the next.
processes.end_on_signals(raising=KeyboardInterrupt)


def needed(variable):
    value = os.environ.get(variable)
    if not value:
        pytest.exit(f"{variable} is not set: run `make test`", returncode=1)
    return value


@pytest.fixture(scope="session")
def clusters():
    """Bootstrap servers of two separate clusters."""
    return needed("SLUICE_TEST_BOOTSTRAP_SERVERS").split(",")


@pytest.fixture(scope="session")
def bootstrap(clusters):
    return clusters[0]


@pytest.fixture(scope="session")
def new_database():
    """Makes databases of their own on the test Postgres."""
    def make():
        base = needed("SLUICE_TEST_DATABASE_URL")
        name = "clients_" + uuid.uuid4().hex[:12]
        subprocess.run(["psql", "-q", base, "-c", f"create database {name}"], check=True)
        return base.rsplit("/", 1)[0] + "/" + name
    return make


@pytest.fixture
def start(tmp_path):
    """Starts servers that end with the test."""
    started = []

    def begin(*flags, **options):
        server = Sluice(str(tmp_path / f"sluice-{len(started)}"), *flags, **options).begin()
        started.append(server)
        return server.ready()
    yield begin
    for server in started:  # all are told before the first is waited for
        server.child.terminate()
    for server in started:
        server.stop()


@pytest.fixture
def server(start, new_database, bootstrap):
    """`sluice serve` on Postgres and the first cluster, with records shown."""
    return start("--database-url", new_database(), "--bootstrap-servers", bootstrap, "--read-back")


@pytest.fixture(scope="module")
def server_for_module(tmp_path_factory, new_database, bootstrap):
    """The same for tests that only add to it: one for all tests of a module."""
    server = Sluice(str(tmp_path_factory.mktemp("sluice")), "--database-url", new_database(), "--bootstrap-servers", bootstrap)
    yield server.begin().ready()
    server.stop()


@pytest.fixture
def new_topic():
    """Makes topics that are deleted with the test."""
    made = []

    def make(bootstrap, partitions=1, prefix="t"):
        name = f"{prefix}-{uuid.uuid4().hex[:10]}"
        admin = AdminClient({"bootstrap.servers": bootstrap})
        admin.create_topics([NewTopic(name, partitions, 1)])[name].result(30)
        made.append((admin, name))
        return name
    yield make
    for admin, name in made:
        admin.delete_topics([name])[name].result(30)


def read_all(bootstrap, topic, partition=0):
    """Every record of a partition, raw, up to its end now."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "raw-" + uuid.uuid4().hex, "enable.auto.commit": False})
    low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=20)
    consumer.assign([TopicPartition(topic, partition, low)])
    records = []
    while len(records) < high - low:
        message = consumer.poll(20)
        assert message is not None, "the broker gave no record in 20 s"
        assert message.error() is None, message.error()
        records.append(message)
    consumer.close()
    return records


def context(topic, field=MessageField.VALUE):
    """Where a record goes, as (de)serializers are told."""
    return SerializationContext(topic, field)


def end_offset(bootstrap, topic, partition=0):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "raw-" + uuid.uuid4().hex})
    _, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=20)
    consumer.close()
    return high


def produce(bootstrap, topic, key, value, headers=None):
    """One record straight to Kafka, acknowledged."""
    producer = Producer({"bootstrap.servers": bootstrap})
    outcomes = []
    producer.produce(topic, key=key, value=value, headers=headers, on_delivery=lambda error, message: outcomes.append(error))
    producer.flush(20)
    assert outcomes == [None]


def reports(text):
    """The reports of a produce stream."""
    import json
    return [json.loads(line) for line in text.split("\r\n") if line]


@pytest.fixture(scope="session")
def protos(tmp_path_factory):
    """The generated modules of protos/, by path: protos("shop/order")."""
    out = tmp_path_factory.mktemp("generated")
    sources = [os.path.join(folder, name) for folder, _, names in os.walk(os.path.join(HERE, "protos")) for name in names]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{HERE}/protos", f"--python_out={out}", *sources]
    subprocess.run(command, check=True)
    sys.path.insert(0, str(out))
    return lambda path: importlib.import_module(path.replace("/", ".") + "_pb2")
