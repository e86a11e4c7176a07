"""The call sequences of AKHQ and Kafdrop, with the headers they send and what they make of the answers.

Both use Confluent's Java `RestService` on `HttpURLConnection`: a Content-Type on every call, GET included; AKHQ with
`Accept: application/json`, Kafdrop with the JDK's own Accept and, where its users configured it, Basic credentials. Their entities are
read by Jackson: a wrong JSON type fails, an unknown field does not. Source: AKHQ `SchemaRegistryRepository.java`,
Kafdrop `{Avro,Protobuf}MessageDeserializer.java`, Confluent `RestService.java`.
"""
import json
import urllib.error
import urllib.parse
import urllib.request
import uuid

import pytest

from payments import SCHEMAS, each_format, stored

REST_SERVICE = {"Content-Type": "application/vnd.schemaregistry.v1+json", "Confluent-Accept-Unknown-Properties": "true",
                "User-Agent": "Java/17.0.15", "Connection": "keep-alive"}
AKHQ = REST_SERVICE | {"Accept": "application/json"}
KAFDROP = REST_SERVICE | {"Accept": "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "Authorization": "Basic a2Fma2Ryb3A6c2VjcmV0"}


class RestClientException(Exception):
    """What RestService throws: the status, and the code of the body; 50005 when the body is no error entity."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code = status, code


class RestService:
    """Calls as Confluent's RestService makes them, and answers as it reads them."""

    def __init__(self, base, headers):
        self.base, self.headers = base, headers

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, headers=self.headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                assert answer.headers["Content-Type"].split(";")[0] in ("application/json", "application/vnd.schemaregistry.v1+json")
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            try:
                entity = json.loads(error.read())
                assert isinstance(entity["error_code"], int) and isinstance(entity["message"], str)
            except (ValueError, KeyError, AssertionError):
                raise RestClientException(error.code, 50005, "Error while parsing the reply") from None
            raise RestClientException(error.code, entity["error_code"], entity["message"]) from None

    def get(self, path):
        return self.call("GET", path)


def quoted(subject):
    return urllib.parse.quote(subject, safe="")


def as_schema(entity):
    """`entities.Schema`, as Jackson binds it; an absent type is Avro, absent references are none."""
    for field, type_ in (("subject", str), ("version", int), ("id", int), ("schema", str)):
        assert isinstance(entity[field], type_), (field, entity)
    assert isinstance(entity.setdefault("schemaType", "AVRO"), str)
    assert isinstance(entity.setdefault("references", []), list)
    return entity


def request_body(type_, text, references=()):
    """`RegisterSchemaRequest`: Avro goes without a type, empty references are written."""
    body = {"schema": text, "references": list(references)}
    return body if type_ == "AVRO" else body | {"schemaType": type_}


class Akhq:
    """What AKHQ's pages do, one method each, named as its repository names them."""

    def __init__(self, rest):
        self.rest = rest

    def all(self):
        subjects = self.rest.get("/subjects")
        assert isinstance(subjects, list) and all(isinstance(subject, str) for subject in subjects)
        return sorted(subjects, key=str.lower)

    def config(self, subject):
        try:
            return self.rest.get(f"/config/{quoted(subject)}?defaultToGlobal=false")["compatibilityLevel"]
        except RestClientException as error:
            if error.status != 404:
                raise
            return self.rest.get("/config?defaultToGlobal=false")["compatibilityLevel"]

    def latest(self, subject):
        return as_schema(self.rest.get(f"/subjects/{quoted(subject)}/versions/latest")), self.config(subject)

    def exist(self, subject):
        try:
            self.latest(subject)
            return True
        except RestClientException as error:
            if error.code != 40401:
                raise
            return False

    def list(self):
        return {subject: self.latest(subject) for subject in self.all()}

    def versions(self, subject):
        numbers = self.rest.get(f"/subjects/{quoted(subject)}/versions")
        return [as_schema(self.rest.get(f"/subjects/{quoted(subject)}/versions/{number}")) for number in numbers]

    def register(self, subject, type_, text, references=()):
        answer = self.rest.call("POST", f"/subjects/{quoted(subject)}/versions?normalize=false", request_body(type_, text, references))
        latest, _ = self.latest(subject)
        if latest["id"] != answer["id"]:
            raise ValueError(f"Invalid id from registry expect {answer['id']} got last version {latest['id']}")
        return latest

    def look_up(self, subject, type_, text, deleted):
        path = f"/subjects/{quoted(subject)}?normalize=false&deleted={str(deleted).lower()}"
        return as_schema(self.rest.call("POST", path, request_body(type_, text)))

    def test_compatibility(self, subject, type_, text, version="latest"):
        path = f"/compatibility/subjects/{quoted(subject)}/versions/{version}?normalize=false&verbose=true"
        answer = self.rest.call("POST", path, request_body(type_, text))
        assert isinstance(answer["is_compatible"], bool)
        return answer.get("messages", [])

    def update_config(self, subject, level):
        answer = self.rest.call("PUT", f"/config/{quoted(subject)}", {"compatibility": level})
        assert answer["compatibility"] == level, "AKHQ compares and shows an error otherwise"

    def find_subject(self, id_):
        return [(use["subject"], use["version"]) for use in self.rest.get(f"/schemas/ids/{id_}/versions")]

    def delete_version(self, subject, version):
        return self.rest.call("DELETE", f"/subjects/{quoted(subject)}/versions/{version}?permanent=false")

    def delete(self, subject):
        return self.rest.call("DELETE", f"/subjects/{quoted(subject)}?permanent=false")[0]


@pytest.fixture
def akhq(server_for_module):
    return Akhq(RestService(server_for_module.registry, AKHQ))


@pytest.fixture
def kafdrop(server_for_module):
    return RestService(server_for_module.registry, KAFDROP)


@pytest.fixture
def subject():
    return f"shop/orders {uuid.uuid4().hex[:8]}-value"


@each_format
def test_akhq_makes_a_subject_and_evolves_it(akhq, subject, type_):
    first, second, breaking, reason = SCHEMAS[type_]
    assert not akhq.exist(subject)
    made = akhq.register(subject, type_, first)
    assert akhq.exist(subject)
    assert akhq.test_compatibility(subject, type_, second) == []
    assert reason in akhq.test_compatibility(subject, type_, breaking)[0]
    assert reason in akhq.test_compatibility(subject, type_, breaking, version=1)[0]
    evolved = akhq.register(subject, type_, second)
    assert (evolved["version"], evolved["schemaType"]) == (2, type_)
    with pytest.raises(RestClientException) as refused:
        akhq.register(subject, type_, breaking)
    assert (refused.value.status, refused.value.code) == (409, 40901)
    # Saving an older version again gives its own id, which AKHQ takes for an error: so does it with the reference.
    with pytest.raises(ValueError, match=f"expect {made['id']} got last version {evolved['id']}"):
        akhq.register(subject, type_, first)

    shown = akhq.versions(subject)
    assert [(one["version"], one["schema"]) for one in shown] == [(1, stored(type_, first)), (2, stored(type_, second))]
    listed, level = akhq.list()[subject]
    assert (listed["id"], level) == (evolved["id"], "BACKWARD")
    assert akhq.look_up(subject, type_, first, deleted=True)["version"] == 1
    assert (subject, 2) in akhq.find_subject(evolved["id"])


@each_format
def test_akhq_sets_a_level_and_deletes(akhq, subject, type_):
    akhq.register(subject, type_, SCHEMAS[type_][0])
    akhq.register(subject, type_, SCHEMAS[type_][1])
    akhq.update_config(subject, "FULL_TRANSITIVE")
    assert akhq.config(subject) == "FULL_TRANSITIVE"
    assert akhq.delete_version(subject, 1) == 1
    assert [one["version"] for one in akhq.versions(subject)] == [2]
    assert akhq.delete(subject) == 2
    assert not akhq.exist(subject) and subject not in akhq.all()
    assert akhq.look_up(subject, type_, SCHEMAS[type_][1], deleted=True)["version"] == 2


@each_format
def test_kafdrop_reads_the_schema_that_a_record_names(akhq, kafdrop, subject, type_):
    registered = akhq.register(subject, type_, SCHEMAS[type_][0])
    for query in ("", f"?fetchMaxId=false&subject={quoted(subject)}"):
        entity = kafdrop.get(f"/schemas/ids/{registered['id']}{query}")
        assert entity["schema"] == stored(type_, SCHEMAS[type_][0])
        assert entity.get("schemaType", "AVRO") == type_
    with pytest.raises(RestClientException) as missing:
        kafdrop.get("/schemas/ids/999999?fetchMaxId=false")
    assert (missing.value.status, missing.value.code, str(missing.value)) == (404, 40403, "Schema 999999 not found")


def test_kafdrop_follows_the_imports_of_a_protobuf_schema(akhq, kafdrop, subject):
    akhq.register("money.proto", "PROTOBUF", 'syntax = "proto3"; package m; message Money { int64 units = 1; }')
    reference = {"name": "money.proto", "subject": "money.proto", "version": 1}
    text = 'syntax = "proto3"; import "money.proto"; message Bill { m.Money total = 1; }'
    registered = akhq.register(subject, "PROTOBUF", text, [reference])
    [found] = kafdrop.get(f"/schemas/ids/{registered['id']}?fetchMaxId=false&subject={quoted(subject)}")["references"]
    assert found == reference
    imported = as_schema(kafdrop.get(f"/subjects/{quoted(found['subject'])}/versions/{found['version']}?deleted=true"))
    assert "message Money" in imported["schema"]


def test_other_consoles_list_latest_versions_at_once(akhq, subject):
    akhq.register(subject, "PROTOBUF", SCHEMAS["PROTOBUF"][0])
    akhq.register(subject, "PROTOBUF", SCHEMAS["PROTOBUF"][1])
    [latest] = akhq.rest.get(f"/schemas?latestOnly=true&subjectPrefix={quoted(subject)}")
    assert as_schema(latest)["version"] == 2
    akhq.delete(subject)
    assert subject in akhq.rest.get("/subjects?deleted=true")
