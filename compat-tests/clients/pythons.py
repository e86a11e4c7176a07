"""confluent-kafka's serializers and deserializers, by schema type."""
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer

LATEST = {"auto.register.schemas": False, "use.latest.version": True}


def serializer(type_, client, message_class=None):
    """Writes with the subject's latest version."""
    if type_ == "AVRO":
        return AvroSerializer(client, conf=LATEST)
    if type_ == "JSON":
        return JSONSerializer(None, client, conf=LATEST)
    return ProtobufSerializer(message_class, client, LATEST | {"use.deprecated.format": False})


def deserializer(type_, client, message_class=None):
    """Reads with the schema that the payload names."""
    if type_ == "AVRO":
        return AvroDeserializer(client)
    if type_ == "JSON":
        return JSONDeserializer(None, schema_registry_client=client)
    return ProtobufDeserializer(message_class, {"use.deprecated.format": False}, client)
