"""confluent-kafka's serializers and deserializers in every format over Kafka, unmodified, sync and async."""
import asyncio
import json
import struct
import uuid

import pytest
from confluent_kafka.schema_registry import (AssociationCreateOrUpdateInfo, AssociationCreateOrUpdateRequest,
                                             AsyncSchemaRegistryClient, Schema, SchemaReference, SchemaRegistryClient,
                                             header_schema_id_serializer, record_subject_name_strategy)
from confluent_kafka.schema_registry.avro import AsyncAvroDeserializer, AsyncAvroSerializer, AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.json_schema import (AsyncJSONDeserializer, AsyncJSONSerializer, JSONDeserializer,
                                                         JSONSerializer)
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError

from conftest import context, produce, read_all
from payments import FORMATS, RECORD, SCHEMAS

# Protobuf has a file of its own: its serializers need generated classes.
NAMED = tuple(type_ for type_ in FORMATS if type_ != "PROTOBUF")
pytestmark = pytest.mark.parametrize("type_", NAMED)

KEY = {"AVRO": '{"type":"record","name":"Key","namespace":"shop","fields":[{"name":"region","type":"string"}]}',
       "JSON": '{"title":"Key","type":"object","properties":{"region":{"type":"string"}},"required":["region"]}'}
OLD = {"id": "p-0", "cents": 100}


def writes(type_, client, text, conf=None):
    """A serializer of records that `text` describes."""
    return AvroSerializer(client, text, conf=conf) if type_ == "AVRO" else JSONSerializer(text, client, conf=conf)


def reads(type_, server, text=None):
    """A deserializer in a process of its own, with a reader's schema if one is given."""
    client = SchemaRegistryClient({"url": server.registry})
    return AvroDeserializer(client, text) if type_ == "AVRO" else JSONDeserializer(text, schema_registry_client=client)


@pytest.fixture
def client(server_for_module):
    return SchemaRegistryClient({"url": server_for_module.registry, "max.retries": 0})


def test_key_and_value_are_registered_written_and_read(server_for_module, client, bootstrap, new_topic, type_):
    topic = new_topic(bootstrap)
    key = writes(type_, client, KEY[type_])({"region": "eu"}, context(topic, MessageField.KEY))
    value = writes(type_, client, SCHEMAS[type_][1])(RECORD, context(topic))
    produce(bootstrap, topic, key, value)
    assert {f"{topic}-key", f"{topic}-value"} <= set(client.get_subjects())
    [record] = read_all(bootstrap, topic)
    assert record.value()[:5] == struct.pack(">bI", 0, client.get_latest_version(f"{topic}-value").schema_id)
    assert reads(type_, server_for_module)(record.key(), context(topic, MessageField.KEY)) == {"region": "eu"}
    assert reads(type_, server_for_module)(record.value(), context(topic)) == RECORD


def test_old_records_are_read_after_the_schema_evolved(server_for_module, client, bootstrap, new_topic, type_):
    topic = new_topic(bootstrap)
    produce(bootstrap, topic, None, writes(type_, client, SCHEMAS[type_][0])(OLD, context(topic)))
    produce(bootstrap, topic, None, writes(type_, client, SCHEMAS[type_][1])(RECORD, context(topic)))
    read = reads(type_, server_for_module, SCHEMAS[type_][1] if type_ == "AVRO" else None)
    old, new = [read(record.value(), context(topic)) for record in read_all(bootstrap, topic)]
    assert old == (OLD | {"note": ""} if type_ == "AVRO" else OLD)
    assert new == RECORD
    assert client.get_versions(f"{topic}-value") == [1, 2]


def test_a_producer_with_a_breaking_schema_cannot_write(client, type_):
    topic = f"t-{uuid.uuid4().hex[:10]}"
    writes(type_, client, SCHEMAS[type_][1])(RECORD, context(topic))
    record = RECORD | ({"currency": "EUR"} if type_ == "AVRO" else {"cents": "250"})
    with pytest.raises(SchemaRegistryError) as refused:
        writes(type_, client, SCHEMAS[type_][2])(record, context(topic))
    assert (refused.value.http_status_code, refused.value.error_code) == (409, 40901)
    assert SCHEMAS[type_][3] in str(refused.value)


def test_a_producer_that_may_not_register_needs_a_known_schema(client, type_):
    topic = f"t-{uuid.uuid4().hex[:10]}"
    shy = {"auto.register.schemas": False}
    with pytest.raises(SchemaRegistryError) as unknown:
        writes(type_, client, SCHEMAS[type_][1], shy)(RECORD, context(topic))
    assert (unknown.value.http_status_code, unknown.value.error_code) == (404, 40401)
    number = client.register_schema(f"{topic}-value", Schema(SCHEMAS[type_][1], type_))
    for conf in (shy, shy | {"use.latest.version": True}, shy | {"use.schema.id": number}):
        assert writes(type_, client, SCHEMAS[type_][1], conf)(RECORD, context(topic))[1:5] == struct.pack(">I", number)


def test_a_record_that_does_not_fit_its_schema_is_the_clients_error(client, type_):
    with pytest.raises((SerializationError, TypeError, ValueError)):
        writes(type_, client, SCHEMAS[type_][1])({"id": 7, "cents": "many"}, context(f"t-{uuid.uuid4().hex[:10]}"))


def test_the_guid_may_travel_in_a_header(server_for_module, client, type_):
    topic, headers = f"t-{uuid.uuid4().hex[:10]}", []
    where = SerializationContext(topic, MessageField.VALUE, headers)
    value = writes(type_, client, SCHEMAS[type_][1], {"schema.id.serializer": header_schema_id_serializer})(RECORD, where)
    [(name, guid)] = headers
    assert name == "__value_schema_id" and guid[0] == 1
    assert uuid.UUID(bytes=guid[1:]) == uuid.UUID(client.get_latest_version(f"{topic}-value").guid)
    assert reads(type_, server_for_module)(value, where) == RECORD


def test_the_subject_may_be_the_records_name(client, type_):
    conf = {"subject.name.strategy": record_subject_name_strategy}
    writes(type_, client, SCHEMAS[type_][1], conf)(RECORD, context("any"))
    assert ("shop.Payment" if type_ == "AVRO" else "Payment") in client.get_subjects()


def test_the_subject_may_be_associated_with_the_topic(client, type_):
    """The default of this client: it asks the registry for the topic's subject before its first record."""
    topic, subject = f"t-{uuid.uuid4().hex[:10]}", f"s-{uuid.uuid4().hex[:10]}"
    number = client.register_schema(subject, Schema(SCHEMAS[type_][0], type_))
    wanted = AssociationCreateOrUpdateInfo(subject=subject, association_type="value", lifecycle="WEAK")
    client.create_association(AssociationCreateOrUpdateRequest(topic, "lkc-1", f"id-{topic}", "topic", [wanted]))
    assert writes(type_, client, SCHEMAS[type_][0])(OLD, context(topic))[1:5] == struct.pack(">I", number)
    writes(type_, client, SCHEMAS[type_][1])(RECORD, context(topic))
    assert client.get_versions(subject) == [1, 2]
    assert f"{topic}-value" not in client.get_subjects()


def test_a_referenced_schema_is_found_by_writer_and_reader(server_for_module, client, type_):
    topic = f"t-{uuid.uuid4().hex[:10]}"
    if type_ == "AVRO":
        part, name = SCHEMAS["AVRO"][1], "shop.Payment"
        whole = {"type": "record", "name": "Bill", "namespace": "shop",
                 "fields": [{"name": "payments", "type": {"type": "array", "items": "shop.Payment"}}]}
    else:
        part, name = SCHEMAS["JSON"][1], "payment.json"
        whole = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Bill", "type": "object",
                 "properties": {"payments": {"type": "array", "items": {"$ref": "payment.json"}}}}
    client.register_schema(f"part-{topic}", Schema(part, type_))
    schema = Schema(json.dumps(whole), type_, [SchemaReference(name, f"part-{topic}", 1)])
    bill = {"payments": [RECORD, RECORD | {"id": "p-2"}]}
    value = writes(type_, client, schema)(bill, context(topic))
    assert client.get_referenced_by(f"part-{topic}", 1) == [client.get_latest_version(f"{topic}-value").schema_id]
    assert reads(type_, server_for_module)(value, context(topic)) == bill


def test_the_async_serializers_do_the_same(server_for_module, type_):
    topic = f"t-{uuid.uuid4().hex[:10]}"

    async def walk():
        client = AsyncSchemaRegistryClient({"url": server_for_module.registry})
        other = AsyncSchemaRegistryClient({"url": server_for_module.registry})
        if type_ == "AVRO":
            write, read = await AsyncAvroSerializer(client, SCHEMAS[type_][1]), await AsyncAvroDeserializer(other)
        else:
            write = await AsyncJSONSerializer(SCHEMAS[type_][1], client)
            read = await AsyncJSONDeserializer(None, schema_registry_client=other)
        return await read(await write(RECORD, context(topic)), context(topic))
    assert asyncio.run(walk()) == RECORD
