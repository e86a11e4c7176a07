"""Data contracts as confluent-kafka runs them: rules stored by the registry, executed by the (de)serializers, unmodified.

The rules come from the schema that the registry answers with, so each of these fails when a rule set is dropped, changed
or not inherited.
"""
import json
import uuid

import pytest
from confluent_kafka.schema_registry import (ConfigCompatibilityLevel, Metadata, MetadataProperties, Rule,
                                             RuleKind, RuleMode, RuleSet, Schema, SchemaRegistryClient, ServerConfig)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.cel.cel_executor import CelExecutor
from confluent_kafka.schema_registry.rules.cel.cel_field_executor import CelFieldExecutor
from confluent_kafka.schema_registry.rules.jsonata.jsonata_executor import JsonataExecutor
from confluent_kafka.schema_registry.serde import RuleConditionError
from confluent_kafka.serialization import SerializationError

from conftest import context
from payments import FORMATS, RECORD, SCHEMAS
from pythons import LATEST

pytestmark = pytest.mark.parametrize("type_", tuple(type_ for type_ in FORMATS if type_ != "PROTOBUF"))


@pytest.fixture(scope="module")
def rules():
    """The executors that need no service of their own."""
    registry = RuleRegistry()
    for executor in (CelExecutor(), CelFieldExecutor(), JsonataExecutor()):
        registry.register_executor(executor)
    return registry


@pytest.fixture
def client(server_for_module):
    return SchemaRegistryClient({"url": server_for_module.registry, "max.retries": 0})


@pytest.fixture
def topic():
    return f"t-{uuid.uuid4().hex[:10]}"


def rule(name, kind, mode, type_, expr, tags=None, on_failure=None):
    return Rule(name, None, kind, mode, type_, tags, None, expr, None, on_failure, False)


def writes(type_, client, rules, conf=LATEST):
    make = AvroSerializer if type_ == "AVRO" else JSONSerializer
    first = (client, None) if type_ == "AVRO" else (None, client)
    return make(*first, conf=conf, rule_registry=rules)


def reads(type_, server, rules, conf=None):
    client = SchemaRegistryClient({"url": server.registry})
    if type_ == "AVRO":
        return AvroDeserializer(client, conf=conf, rule_registry=rules)
    return JSONDeserializer(None, schema_registry_client=client, conf=conf, rule_registry=rules)


def test_a_condition_in_cel_refuses_records_before_they_are_written(client, rules, topic, type_):
    domain = [rule("positive", RuleKind.CONDITION, RuleMode.WRITE, "CEL", "message.cents > 0", on_failure="ERROR")]
    client.register_schema(f"{topic}-value", Schema(SCHEMAS[type_][1], type_, [], None, RuleSet(None, domain)))
    write = writes(type_, client, rules)
    assert write(RECORD, context(topic))
    with pytest.raises(SerializationError) as refused:
        write(RECORD | {"cents": 0}, context(topic))
    assert isinstance(refused.value.__cause__, RuleConditionError) or "positive" in str(refused.value)


def test_fields_with_a_tag_are_transformed_by_cel(client, server_for_module, rules, topic, type_):
    # Tags in the schema itself: this client cannot hash the tags of metadata.
    schema = json.loads(SCHEMAS[type_][1])
    note = schema["fields"][2] if type_ == "AVRO" else schema["properties"]["note"]
    note["confluent:tags"] = ["PII"]
    domain = [rule("mask", RuleKind.TRANSFORM, RuleMode.WRITE, "CEL_FIELD", "typeName == 'STRING' ; value + '-masked'", tags=["PII"])]
    client.register_schema(f"{topic}-value", Schema(json.dumps(schema), type_, [], None, RuleSet(None, domain)))
    value = writes(type_, client, rules)(dict(RECORD), context(topic))
    assert reads(type_, server_for_module, rules)(value, context(topic)) == RECORD | {"note": "paid-masked"}


def test_jsonata_transforms_on_write_and_back_on_read(client, server_for_module, rules, topic, type_):
    domain = [rule("double", RuleKind.TRANSFORM, RuleMode.WRITE, "JSONATA", "$merge([$, {'cents': cents * 2}])"),
              rule("note", RuleKind.TRANSFORM, RuleMode.READ, "JSONATA", "$merge([$, {'note': note & '!'}])")]
    client.register_schema(f"{topic}-value", Schema(SCHEMAS[type_][1], type_, [], None, RuleSet(None, domain)))
    value = writes(type_, client, rules)(dict(RECORD), context(topic))
    assert reads(type_, server_for_module, rules)(value, context(topic)) == RECORD | {"cents": 500, "note": "paid!"}


def test_migration_rules_carry_old_records_to_the_version_that_a_reader_wants(client, server_for_module, rules, topic, type_):
    """Two incompatible majors, kept apart by the compatibility group: `cents` became `amount`."""
    subject = f"{topic}-value"
    client.set_config(subject, ServerConfig(compatibility=ConfigCompatibilityLevel.BACKWARD, compatibility_group="application.version"))
    migration = [rule("up", RuleKind.TRANSFORM, RuleMode.UPGRADE, "JSONATA", "$merge([$sift($, function($v, $k) {$k != 'cents'}), {'amount': cents}])"),
                 rule("down", RuleKind.TRANSFORM, RuleMode.DOWNGRADE, "JSONATA", "$merge([$sift($, function($v, $k) {$k != 'amount'}), {'cents': amount}])")]
    renamed = SCHEMAS[type_][1].replace('"cents"', '"amount"')

    def major(number):
        return Metadata(None, MetadataProperties({"application.version": str(number)}), None)
    client.register_schema(subject, Schema(SCHEMAS[type_][1], type_, [], major(1)))
    client.register_schema(subject, Schema(renamed, type_, [], major(2), RuleSet(migration, None)))

    def pinned(number):
        return {"auto.register.schemas": False, "use.latest.with.metadata": {"application.version": str(number)}}
    new = {"id": "p-1", "amount": 250, "note": "paid"}
    old_value = writes(type_, client, rules, pinned(1))(dict(RECORD), context(topic))
    new_value = writes(type_, client, rules, pinned(2))(dict(new), context(topic))
    wants = [{"use.latest.with.metadata": {"application.version": str(number)}} for number in (1, 2)]
    for value in (old_value, new_value):
        assert reads(type_, server_for_module, rules, wants[0])(value, context(topic)) == RECORD
        assert reads(type_, server_for_module, rules, wants[1])(value, context(topic)) == new


def test_a_schema_without_rules_inherits_those_of_its_subjects_config(client, rules, topic, type_):
    domain = [rule("positive", RuleKind.CONDITION, RuleMode.WRITE, "CEL", "message.cents > 0", on_failure="ERROR")]
    client.set_config(f"{topic}-value", ServerConfig(default_rule_set=RuleSet(None, domain)))
    make = (AvroSerializer(client, SCHEMAS[type_][1], rule_registry=rules) if type_ == "AVRO"
            else JSONSerializer(SCHEMAS[type_][1], client, rule_registry=rules))
    # Registering by itself, this client runs the rules of its own text; from then on the registry's.
    make(RECORD, context(topic))
    assert client.get_latest_version(f"{topic}-value").schema.rule_set.domain_rules == domain
    with pytest.raises(SerializationError):
        writes(type_, client, rules)(RECORD | {"cents": -1}, context(topic))


def test_the_next_version_inherits_rules_and_metadata_of_the_one_before(client, rules, topic, type_):
    domain = [rule("positive", RuleKind.CONDITION, RuleMode.WRITE, "CEL", "message.cents > 0", on_failure="ERROR")]
    owner = Metadata(None, MetadataProperties({"owner": "shop"}), None)
    client.register_schema(f"{topic}-value", Schema(SCHEMAS[type_][0], type_, [], owner, RuleSet(None, domain)))
    client.register_schema(f"{topic}-value", Schema(SCHEMAS[type_][1], type_))
    latest = client.get_latest_version(f"{topic}-value")
    assert latest.version == 2
    assert latest.schema.rule_set.domain_rules == domain
    assert latest.schema.metadata.properties.properties == {"owner": "shop"}
    with pytest.raises(SerializationError):
        writes(type_, client, rules)(RECORD | {"cents": 0}, context(topic))
    assert json.loads(latest.schema.schema_str)
