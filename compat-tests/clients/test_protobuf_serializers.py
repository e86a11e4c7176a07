"""confluent-kafka's ProtobufSerializer and ProtobufDeserializer, unmodified, against Sluice."""
import base64
import json

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField

from conftest import context, end_offset, produce, read_all, reports


def order(protos, number=7):
    shop = protos("shop/order")
    message = shop.Order(id=f"o-{number}", labels={"channel": "web"}, status=shop.STATUS_PLACED)
    message.total.currency, message.total.units = "EUR", 9_007_199_254_740_993
    message.lines.add(sku="a-1", quantity=2)
    message.lines.add(sku="b-2", quantity=-1)
    message.placed_at.FromJsonString("2026-02-03T04:05:06.789Z")
    return message


def post(server, topic, *records):
    body = "".join(json.dumps(record) for record in records).encode()
    status, text = server.request("POST", f"{server.rest}/v3/clusters/any/topics/{topic}/records", body,
                                  {"Content-Type": "application/json"})
    assert status == 200, text
    if isinstance(text, dict):
        return [text]
    return reports(text)


def reader(type_, server):
    """A deserializer as another process has it: the client that registered keeps texts, not descriptors, by id."""
    return ProtobufDeserializer(type_, {"use.deprecated.format": False}, SchemaRegistryClient({"url": server.registry}))


def test_the_serializer_registers_with_imports_and_the_deserializer_reads_key_and_value(server, bootstrap, new_topic, protos):
    shop, topic = protos("shop/order"), new_topic(bootstrap)
    client = SchemaRegistryClient({"url": server.registry})
    serialize_key = ProtobufSerializer(shop.OrderKey, client, {"use.deprecated.format": False})
    serialize_value = ProtobufSerializer(shop.Order, client, {"use.deprecated.format": False})
    key = shop.OrderKey(region="eu", number=7)
    produce(bootstrap, topic, serialize_key(key, context(topic, MessageField.KEY)), serialize_value(order(protos), context(topic)))

    subjects = client.get_subjects()
    assert {f"{topic}-key", f"{topic}-value", "common/money.proto"} <= set(subjects)
    latest = client.get_latest_version(f"{topic}-value")
    assert [reference.name for reference in latest.schema.references] == ["common/money.proto"]

    [record] = read_all(bootstrap, topic)
    deserialize_key = reader(shop.OrderKey, server)
    deserialize_value = reader(shop.Order, server)
    assert deserialize_key(record.key(), context(topic, MessageField.KEY)) == key
    assert deserialize_value(record.value(), context(topic)) == order(protos)


def test_what_the_proxy_writes_from_json_the_deserializer_reads(server, bootstrap, new_topic, protos):
    shop, topic = protos("shop/order"), new_topic(bootstrap)
    client = SchemaRegistryClient({"url": server.registry})
    # Registering is enough; nothing is produced by the serializer itself.
    ProtobufSerializer(shop.Order, client, {"use.deprecated.format": False})(order(protos), context(topic))
    data = {"id": "o-7", "total": {"currency": "EUR", "units": "9007199254740993"},
            "lines": [{"sku": "a-1", "quantity": 2}, {"sku": "b-2", "quantity": -1}],
            "placedAt": "2026-02-03T04:05:06.789Z", "labels": {"channel": "web"}, "status": "STATUS_PLACED"}
    [report] = post(server, topic, {"value": {"data": data}})
    assert report["error_code"] == 200, report
    assert report["value"]["subject"] == f"{topic}-value"
    [record] = read_all(bootstrap, topic)
    assert reader(shop.Order, server)(record.value(), context(topic)) == order(protos)


def test_what_the_serializer_writes_the_server_shows_decoded(server, bootstrap, new_topic, protos):
    shop, topic = protos("shop/order"), new_topic(bootstrap)
    client = SchemaRegistryClient({"url": server.registry})
    value = ProtobufSerializer(shop.Order, client, {"use.deprecated.format": False})(order(protos), context(topic))
    produce(bootstrap, topic, b"k", value)
    status, answer = server.get(f"{server.management}/cp/v1/topics/{topic}/records?partition=0&offset=0")
    assert status == 200, answer
    [record] = answer["records"]
    assert record["offset"] == 0
    assert base64.b64decode(record["value"]["base64"]) == value
    shown = record["value"]["json"]
    assert shown["id"] == "o-7"
    assert shown["total"]["units"] == "9007199254740993"
    assert shown["placedAt"] == "2026-02-03T04:05:06.789Z"
    assert [line["quantity"] for line in shown["lines"]] == [2, -1]


@pytest.mark.parametrize("name", ["Receipt", "Order.Line"])
def test_the_second_message_of_a_file_and_a_nested_one_keep_their_index(server, bootstrap, new_topic, protos, name):
    shop, topic = protos("shop/order"), new_topic(bootstrap)
    client = SchemaRegistryClient({"url": server.registry})
    type_ = shop.Receipt if name == "Receipt" else shop.Order.Line
    message = shop.Receipt(order_id="o-7", iban="DE00") if name == "Receipt" else shop.Order.Line(sku="a", quantity=3)
    value = ProtobufSerializer(type_, client, {"use.deprecated.format": False})(message, context(topic))
    # Zigzag varints behind magic and id: index 1; or 0 and 1, because the entry of the map field stands before Line.
    assert value[5:7 if name == "Receipt" else 8] == (b"\x02\x02" if name == "Receipt" else b"\x04\x00\x02")
    produce(bootstrap, topic, None, value)
    [record] = read_all(bootstrap, topic)
    assert reader(type_, server)(record.value(), context(topic)) == message
    _, answer = server.get(f"{server.management}/cp/v1/topics/{topic}/records?partition=0&offset=0")
    shown = answer["records"][0]["value"]["json"]
    assert shown.get("orderId", shown.get("sku")) == ("o-7" if name == "Receipt" else "a")


def test_a_breaking_inline_schema_is_refused_before_anything_reaches_kafka(server, bootstrap, new_topic):
    topic = new_topic(bootstrap)
    fits = {"type": "PROTOBUF", "schema": 'syntax = "proto3"; message A { int32 n = 1; }', "data": {"n": 1}}
    breaks = {"type": "PROTOBUF", "schema": 'syntax = "proto3"; message A { string n = 1; }', "data": {"n": "x"}}
    [written, refused] = post(server, topic, {"value": fits}, {"value": breaks})
    assert written["error_code"] == 200, written
    assert refused["error_code"] == 422
    assert refused["message"].startswith("Error: 42207 : Error serializing message. Error when registering schema.")
    assert "FIELD_SCALAR_KIND_CHANGED" in refused["message"] and "\n" not in refused["message"]
    assert end_offset(bootstrap, topic) == 1
