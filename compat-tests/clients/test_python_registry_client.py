"""confluent-kafka's registry client, sync and async, unmodified: every call it has, in every format."""
import asyncio
import uuid

import pytest
from confluent_kafka.schema_registry import (AssociationCreateOrUpdateInfo, AssociationCreateOrUpdateRequest,
                                             AsyncSchemaRegistryClient, ConfigCompatibilityLevel, Metadata, MetadataProperties,
                                             Rule, RuleKind, RuleMode, RuleSet, Schema, SchemaReference, SchemaRegistryClient,
                                             ServerConfig)
from confluent_kafka.schema_registry.error import SchemaRegistryError

from payments import FORMATS, SCHEMAS, each_format, stored


class Sync:
    """The sync client under the async one's signatures, so that one test tells of both."""

    def __init__(self, conf):
        self.client = SchemaRegistryClient(conf)

    def __getattr__(self, name):
        async def call(*arguments, **named):
            return getattr(self.client, name)(*arguments, **named)
        return call


@pytest.fixture(params=[Sync, AsyncSchemaRegistryClient], ids=["sync", "async"])
def open_client(request, server_for_module):
    """Makes clients that have nothing cached; of the context named, if any."""
    return lambda path="": request.param({"url": server_for_module.registry + path, "max.retries": 0})


@pytest.fixture
def subject():
    return f"s-{uuid.uuid4().hex[:10]}-value"


def run(coroutine):
    return asyncio.run(coroutine)


async def refusal(awaitable):
    with pytest.raises(SchemaRegistryError) as refused:
        await awaitable
    return refused.value.http_status_code, refused.value.error_code


@each_format
def test_a_schema_is_registered_evolved_refused_and_read_back(open_client, subject, type_):
    texts, reason = SCHEMAS[type_][:3], SCHEMAS[type_][3]
    first, second, breaking = (Schema(text, type_) for text in texts)

    async def walk():
        client = open_client()
        one = await client.register_schema_full_response(subject, first)
        two = await client.register_schema_full_response(subject, second)
        assert (one.version, two.version) == (1, 2) and one.schema_id != two.schema_id
        with pytest.raises(SchemaRegistryError) as refused:
            await client.register_schema(subject, breaking)
        assert (refused.value.http_status_code, refused.value.error_code) == (409, 40901)
        assert reason in str(refused.value)

        client = open_client()
        assert await client.register_schema(subject, first) == one.schema_id
        assert await client.test_compatibility(subject, second)
        assert not await client.test_compatibility(subject, breaking, verbose=True)
        assert not await client.test_compatibility_all_versions(subject, breaking)
        assert await client.get_versions(subject) == [1, 2]
        latest = await client.get_latest_version(subject)
        assert (latest.subject, latest.version, latest.schema_id, latest.guid) == (subject, 2, two.schema_id, two.guid)
        assert latest.schema.schema_str == stored(type_, texts[1]) and latest.schema.schema_type == type_
        assert (await client.get_version(subject, 1)).schema.schema_str == stored(type_, texts[0])
        assert (await client.get_schema(one.schema_id)).schema_str == stored(type_, texts[0])
        assert (await client.get_schema_by_guid(two.guid)).schema_str == stored(type_, texts[1])
        assert (await client.lookup_schema(subject, first)).version == 1
        assert subject in await client.get_subjects_by_schema_id(one.schema_id)
        assert (subject, 2) in [(use.subject, use.version) for use in await client.get_schema_versions(two.schema_id)]
        assert subject in await client.get_subjects() and type_ in await client.get_schema_types()
        assert await refusal(client.lookup_schema(subject, breaking)) == (404, 40403)
    run(walk())


def test_a_schema_that_is_none_is_refused(open_client, subject):
    async def walk():
        for type_ in FORMATS:
            assert await refusal(open_client().register_schema(subject, Schema("{ not one", type_))) == (422, 42201)
    run(walk())


@each_format
def test_deletes_are_soft_then_hard(open_client, subject, type_):
    async def walk():
        client = open_client()
        for text in SCHEMAS[type_][:2]:
            await client.register_schema(subject, Schema(text, type_))
        assert await refusal(client.delete_version(subject, 3)) == (404, 40402)
        assert await client.delete_version(subject, 1) == 1
        client = open_client()
        assert await client.get_versions(subject) == [2]
        assert await client.get_versions(subject, deleted=True) == [1, 2]
        # The client spells `deletedOnly` as `deleted_only`, which no registry knows and so ignores.
        assert await client.get_versions(subject, deleted_only=True) == [2]
        assert await refusal(client.get_version(subject, 1)) == (404, 40402)
        assert (await client.get_version(subject, 1, deleted=True)).version == 1
        assert await client.delete_subject(subject) == [2]
        assert subject not in await client.get_subjects()
        assert subject in await client.get_subjects(deleted=True)
        assert await refusal(client.delete_subject(subject)) == (404, 40404)
        assert await refusal(open_client().get_latest_version(subject)) == (404, 40401)
    run(walk())


def test_a_permanent_delete_follows_a_soft_one_and_leaves_nothing(open_client, subject):
    async def walk():
        client = open_client()
        await client.register_schema(subject, Schema(SCHEMAS["PROTOBUF"][0], "PROTOBUF"))
        assert await refusal(client.delete_subject(subject, permanent=True)) == (404, 40405)
        assert await client.delete_subject(subject) == [1]
        assert await client.delete_subject(subject, permanent=True) == [1]
        assert subject not in await open_client().get_subjects(deleted=True)
    run(walk())


def test_levels_and_configs_are_kept_by_subject_and_globally(open_client, subject):
    group = ServerConfig(compatibility=ConfigCompatibilityLevel.FULL, compatibility_group="application.version",
                         default_metadata=Metadata(None, MetadataProperties({"owner": "shop"}), None))

    async def walk():
        client = open_client()
        assert await client.get_compatibility() == "BACKWARD"
        assert await refusal(client.get_compatibility(subject)) == (404, 40408)
        await client.set_compatibility(subject, "forward_transitive")
        assert await client.get_compatibility(subject) == "FORWARD_TRANSITIVE"
        assert await refusal(client.set_compatibility(subject, "sideways")) == (422, 42203)
        await client.set_config(subject, group)
        kept = await client.get_config(subject)
        assert (kept.compatibility_level, kept.compatibility_group) == (ConfigCompatibilityLevel.FULL, "application.version")
        assert kept.default_metadata.properties.properties == {"owner": "shop"}
        assert (await client.delete_config(subject)).compatibility_level == ConfigCompatibilityLevel.FULL
        assert await refusal(client.get_config(subject)) == (404, 40408)
    run(walk())


def test_a_read_only_subject_refuses_and_an_importing_one_takes_no_ids_by_itself(open_client, subject):
    schema = Schema(SCHEMAS["PROTOBUF"][0], "PROTOBUF")

    async def walk():
        client = open_client()
        assert await client.get_global_mode() == "READWRITE"
        assert await refusal(client.get_mode(subject)) == (404, 40409)
        assert await client.update_mode(subject, "READONLY") == "READONLY"
        assert await client.get_mode(subject) == "READONLY"
        assert await refusal(client.register_schema(subject, schema)) == (422, 42205)
        assert await refusal(client.update_mode(subject, "SIDEWAYS")) == (422, 42204)
        assert await client.delete_mode(subject) == "READONLY"
        assert await client.register_schema(subject, schema) > 0
        assert await refusal(client.update_mode(subject, "IMPORT")) == (422, 42205)
        assert await client.update_mode(subject, "IMPORT", force=True) == "IMPORT"
    run(walk())


def test_a_context_has_subjects_and_ids_of_its_own(open_client, subject):
    name = ".c" + uuid.uuid4().hex[:8]

    async def walk():
        inside, outside = open_client(f"/contexts/{name}"), open_client()
        schema = Schema('syntax = "proto3"; message OfContext { int32 n = 1; }', "PROTOBUF")
        assert await inside.register_schema(subject, schema) == 1
        assert name in await outside.get_contexts()
        assert f":{name}:{subject}" in await outside.get_subjects(subject_prefix=f":{name}:")
        # A name without a context is looked for in all of them.
        assert (await outside.get_latest_version(subject)).subject == f":{name}:{subject}"
        assert await refusal(outside.get_versions(subject)) == (404, 40401)
    run(walk())


def test_metadata_and_rules_come_back_and_are_searched(open_client, subject):
    rules = RuleSet(None, [Rule("positive", "money", RuleKind.CONDITION, RuleMode.WRITE, "CEL", ["PII"], None, "message.cents > 0",
                                "NONE", "ERROR", False)])

    async def walk():
        client = open_client()
        numbers = []
        for at, text in enumerate(SCHEMAS["PROTOBUF"][:2]):
            metadata = Metadata(None, MetadataProperties({"major": str(at + 1), "owner": "shop"}), None)
            answer = await client.register_schema_full_response(subject, Schema(text, "PROTOBUF", [], metadata, rules))
            assert answer.schema.rule_set.domain_rules == rules.domain_rules
            numbers.append(answer.schema_id)
        client = open_client()
        found = await client.get_latest_with_metadata(subject, {"major": "1"})
        assert (found.version, found.schema_id) == (1, numbers[0])
        assert found.schema.metadata.properties.properties == {"major": "1", "owner": "shop"}
        assert found.schema.rule_set.domain_rules == rules.domain_rules
        assert (await client.get_schema(numbers[1])).rule_set.domain_rules == rules.domain_rules
        assert await refusal(client.get_latest_with_metadata(subject, {"major": "3"})) == (404, 40403)
        again = [Rule("positive", None, RuleKind.CONDITION, RuleMode.WRITE, "CEL", None, None, "true", None, None, False)] * 2
        twice = Schema(SCHEMAS["PROTOBUF"][0], "PROTOBUF", [], None, RuleSet(None, again))
        assert await refusal(client.register_schema(subject, twice)) == (422, 42210)
    run(walk())


def test_what_is_referenced_cannot_be_deleted(open_client, subject):
    async def walk():
        client = open_client()
        money = Schema('syntax = "proto3"; package m; message Money { int64 units = 1; }', "PROTOBUF")
        await client.register_schema("money-" + subject, money)
        bill = Schema('syntax = "proto3"; import "m.proto"; message Bill { m.Money total = 1; }', "PROTOBUF",
                      [SchemaReference("m.proto", "money-" + subject, 1)])
        number = await client.register_schema(subject, bill)
        assert await client.get_referenced_by("money-" + subject, 1) == [number]
        assert await refusal(client.delete_version("money-" + subject, 1)) == (422, 42206)
        assert [(one.name, one.subject, one.version) for one in (await open_client().get_schema(number)).references] == [
            ("m.proto", "money-" + subject, 1)]
    run(walk())


def test_an_association_names_the_subject_of_a_topic_until_it_is_deleted(open_client, subject):
    topic, resource = "t-" + subject, "id-" + subject
    wanted = AssociationCreateOrUpdateInfo(subject=subject, association_type="value", lifecycle="WEAK")
    request = AssociationCreateOrUpdateRequest(topic, "lkc-1", resource, "topic", [wanted])

    async def of_topic(client):
        found = await client.get_associations_by_resource_name(topic, "-", "topic", ["value"], 0, -1)
        return [(one.subject, one.resource_id, one.association_type) for one in found]

    async def walk():
        client = open_client()
        # Default serializers ask this before their first record, and fall back to the topic's name on an empty answer.
        assert await of_topic(client) == []
        assert await refusal(client.create_association(request)) == (409, 40907)
        await client.register_schema(subject, Schema(SCHEMAS["PROTOBUF"][0], "PROTOBUF"))
        made = await client.create_association(request)
        assert (made.resource_id, made.associations[0].subject) == (resource, subject)
        assert await of_topic(client) == [(subject, resource, "value")]
        assert await refusal(client.delete_subject(subject)) == (409, 40904)
        await client.delete_associations(resource, "topic", ["value"])
        assert await of_topic(client) == []
        assert await client.delete_subject(subject) == [1]
    run(walk())
