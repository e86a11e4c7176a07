"""The schema that client tests register and evolve, in every format: a payment."""
import json

import pytest

AVRO = {"type": "record", "name": "Payment", "namespace": "shop",
        "fields": [{"name": "id", "type": "string"}, {"name": "cents", "type": "int"}]}
NOTE = {"name": "note", "type": "string", "default": ""}
CURRENCY = {"name": "currency", "type": "string"}
JSON = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Payment", "type": "object",
        "properties": {"id": {"type": "string"}, "cents": {"type": "integer"}}, "additionalProperties": False}
PROTOBUF = 'syntax = "proto3";\npackage shop;\n\nmessage Payment {\n  string id = 1;\n  %s cents = 2;%s\n}\n'


def json_with(**properties):
    return JSON | {"properties": JSON["properties"] | properties}


# Three versions: the second may follow the first, the third must not follow the second, and the word that says why not.
SCHEMAS = {
    "AVRO": (json.dumps(AVRO), json.dumps(AVRO | {"fields": AVRO["fields"] + [NOTE]}),
             json.dumps(AVRO | {"fields": AVRO["fields"] + [NOTE, CURRENCY]}), "READER_FIELD_MISSING_DEFAULT_VALUE"),
    "JSON": (json.dumps(JSON), json.dumps(json_with(note={"type": "string"})),
             json.dumps(json_with(note={"type": "string"}, cents={"type": "string"})), "TYPE_CHANGED"),
    "PROTOBUF": (PROTOBUF % ("int32", ""), PROTOBUF % ("int32", "\n  string note = 3;"),
                 PROTOBUF % ("string", "\n  string note = 3;"), "FIELD_SCALAR_KIND_CHANGED"),
}
FORMATS = ("AVRO", "JSON", "PROTOBUF")
RECORD = {"id": "p-1", "cents": 250, "note": "paid"}


def stored(type_, text):
    """Avro is stored compact, in the order it came; JSON Schema as it came; protobuf as it came, being canonical."""
    return json.dumps(json.loads(text), separators=(",", ":")) if type_ in ("AVRO", "JSON") else text


def each_format(test):
    """Runs the test once for every format, as its argument `type_`."""
    return pytest.mark.parametrize("type_", FORMATS)(test)
