"""`sluice schema check|register|diff` against a running registry: a repository of schemas in its CI."""
import json
import os
import subprocess

import pytest

from harness.sluice import BINARY

MONEY = 'syntax = "proto3";\npackage shop;\nmessage Money {\n  int64 cents = 1;\n}\n'
CUSTOMER = 'syntax = "proto3";\npackage shop;\nimport "shop/money.proto";\nmessage Customer {\n  Money credit = 1;\n}\n'
ORDERS = ('syntax = "proto3";\npackage shop;\nimport "google/protobuf/timestamp.proto";\nimport "shop/money.proto";\n'
          'import "shop/customer.proto";\nmessage Order {\n  string id = 1;\n  Money total = 2;\n  Customer by = 3;\n'
          '  google.protobuf.Timestamp at = 4;\n}\n')
AVRO_MONEY = {"type": "record", "name": "Money", "namespace": "shop", "fields": [{"name": "cents", "type": "long"}]}
AVRO_ORDER = {"type": "record", "name": "Order", "namespace": "shop", "fields": [{"name": "total", "type": "Money"}]}
JSON_MONEY = {"$id": "https://shop.example/money.json", "type": "object", "properties": {"cents": {"type": "integer"}}}
JSON_ORDER = {"$id": "https://shop.example/order.json", "type": "object", "properties": {"total": {"$ref": "money.json"}}}


@pytest.fixture
def registry(start, tmp_path):
    return start("--database-url", f"sqlite://{tmp_path}/schemas.sqlite", "--bootstrap-servers", "127.0.0.1:1")


@pytest.fixture
def tree(tmp_path):
    """A repository: writes files, runs `sluice schema` in it."""
    root = tmp_path / "repository"

    class Tree:
        @staticmethod
        def put(name, text):
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text if isinstance(text, str) else json.dumps(text, indent=1))

        @staticmethod
        def run(*arguments, **environment):
            """Status, outcomes of the JSON report by file, and what went to standard error."""
            status, out, errors = Tree.plain(*arguments, "--format", "json", **environment)
            return status, {entry["file"]: entry for entry in json.loads(out)["files"]} if out else {}, errors

        @staticmethod
        def plain(*arguments, **environment):
            known = {name: value for name, value in os.environ.items() if name != "GITHUB_ACTIONS"}
            result = subprocess.run([BINARY, "schema", *arguments], cwd=root, capture_output=True, text=True, timeout=60,
                                    env=known | environment)
            return result.returncode, result.stdout, result.stderr
    return Tree


@pytest.fixture
def shop(tree, registry):
    """The repository with protobuf files, registered; and its registry's flags."""
    tree.put("proto/shop/money.proto", MONEY)
    tree.put("proto/shop/customer.proto", CUSTOMER)
    tree.put("proto/orders.proto", ORDERS)
    flags = ("--root", "proto", "--registry", registry.registry)
    status, outcomes, errors = tree.run("register", "proto/orders.proto", *flags)
    assert status == 0, (outcomes, errors)
    return flags


def version(registry, subject, number="latest"):
    status, answer = registry.get(f"{registry.registry}/subjects/{subject}/versions/{number}")
    assert status == 200, answer
    return answer


def test_files_are_registered_after_their_imports_with_references(tree, registry, shop):
    order = version(registry, "orders-value")
    assert {(r["name"], r["subject"], r["version"]) for r in order["references"]} == {
        ("shop/money.proto", "shop/money.proto", 1), ("shop/customer.proto", "shop/customer.proto", 1)}
    assert [r["name"] for r in version(registry, "shop%2Fcustomer.proto")["references"]] == ["shop/money.proto"]
    assert registry.get(f"{registry.registry}/subjects")[1] == ["orders-value", "shop/customer.proto", "shop/money.proto"]

    status, outcomes, _ = tree.run("register", "proto", *shop)
    assert status == 0 and list(outcomes) == ["proto/shop/money.proto", "proto/shop/customer.proto", "proto/orders.proto"]
    again = outcomes["proto/orders.proto"]
    assert (again["outcome"], again["version"], again["id"]) == ("registered", 1, order["id"]), "the same once more"


def test_check_tells_what_would_be_refused_where_and_what_to_do(tree, registry, shop):
    assert tree.run("check", "proto", *shop)[0] == 0
    tree.put("proto/orders.proto", ORDERS.replace("string id = 1;", "int32 id = 1;"))
    status, outcomes, _ = tree.run("check", "proto/orders.proto", *shop)
    assert status == 1
    refused = outcomes["proto/orders.proto"]
    assert (refused["outcome"], refused["line"], refused["subject"]) == ("incompatible", 7, "orders-value")
    assert "FIELD_SCALAR_KIND_CHANGED" in refused["messages"][0]
    assert refused["hint"].startswith("Keep `string id = 1;` in Order as it is")

    status, out, _ = tree.plain("check", "proto", *shop)
    assert status == 1 and "incompatible proto/orders.proto:7 → orders-value" in out and "hint: Keep" in out
    assert "oldSchema" not in out, "nobody reads the whole old schema in a log"
    status, out, _ = tree.plain("check", "proto", *shop, GITHUB_ACTIONS="true")
    assert status == 1 and "::error file=proto/orders.proto,line=7,title=Incompatible schema::Subject orders-value:%0A" in out
    assert [entry["version"] for entry in registry.get(f"{registry.registry}/schemas")[1]] == [1, 1, 1], "check writes nothing"

    status, outcomes, _ = tree.run("register", "proto", *shop)
    assert status == 1 and outcomes["proto/orders.proto"]["hint"] == refused["hint"]
    assert outcomes["proto/shop/money.proto"]["outcome"] == "registered"


def test_a_change_of_an_import_is_checked_together_with_what_imports_it(tree, registry, shop):
    # The registry knows neither text: the importing files are compared here, by its level and its versions.
    tree.put("proto/shop/money.proto", MONEY.replace("}", "  string currency = 2;\n}"))
    tree.put("proto/orders.proto", ORDERS.replace("}", "  string note = 5;\n}"))
    status, outcomes, errors = tree.run("check", "proto", *shop)
    assert status == 0, (outcomes, errors)
    assert {entry["outcome"] for entry in outcomes.values()} == {"compatible"}
    tree.put("proto/orders.proto", ORDERS.replace("Money total = 2;", "string total = 2;"))
    status, outcomes, _ = tree.run("check", "proto", *shop)
    assert status == 1 and outcomes["proto/orders.proto"]["outcome"] == "incompatible"
    assert outcomes["proto/orders.proto"]["line"] == 8
    assert outcomes["proto/shop/money.proto"]["outcome"] == "compatible"

    # The level counts there too.
    status, answer = registry.request("PUT", f"{registry.registry}/config/orders-value", {"compatibility": "NONE"})
    assert status == 200, answer
    assert tree.run("check", "proto", *shop)[0] == 0
    tree.put("proto/orders.proto", ORDERS)
    status, outcomes, _ = tree.run("register", "proto", *shop)
    assert status == 0 and outcomes["proto/shop/money.proto"]["version"] == 2
    latest = version(registry, "orders-value")
    assert {r["subject"]: r["version"] for r in latest["references"]} == {"shop/money.proto": 2, "shop/customer.proto": 2}


def test_new_files_are_compatible_with_a_registry_that_has_none_of_them(tree, registry):
    tree.put("proto/shop/money.proto", MONEY)
    tree.put("proto/shop/customer.proto", CUSTOMER)
    tree.put("proto/orders.proto", ORDERS)
    status, outcomes, _ = tree.run("check", "proto", "--root", "proto", "--registry", registry.registry)
    assert status == 0 and len(outcomes) == 3
    assert registry.get(f"{registry.registry}/subjects")[1] == []


def test_what_is_no_schema_or_misses_an_import_is_told_before_anything_is_asked(tree):
    tree.put("a.proto", 'syntax = "proto3";\nmessage A {\n  int32\n}\n')
    tree.put("b.proto", 'syntax = "proto3";\n\nimport "no/c.proto";\nmessage B { }\n')
    tree.put("d.proto", 'syntax = "proto3";\nmessage D {\n  Missing m = 1;\n}\n')
    status, outcomes, _ = tree.run("check", "a.proto", "b.proto", "--registry", "http://127.0.0.1:1")
    assert status == 2
    assert {name: (entry["outcome"], entry["line"]) for name, entry in outcomes.items()} == {
        "a.proto": ("invalid", 4), "b.proto": ("invalid", 3)}
    assert "--root" in outcomes["b.proto"]["messages"][0]
    status, outcomes, _ = tree.run("check", "d.proto", "--registry", "http://127.0.0.1:1")
    assert status == 2 and "Missing" in outcomes["d.proto"]["messages"][0]


def test_a_registry_that_does_not_answer_has_a_status_of_its_own(tree):
    tree.put("a.proto", 'syntax = "proto3"; message A { }')
    for command in ("check", "register"):
        status, outcomes, _ = tree.run(command, "a.proto", "--registry", "http://127.0.0.1:1")
        assert status == 3 and outcomes["a.proto"]["outcome"] == "unreachable"
    status, out, _ = tree.plain("check", "a.proto", SLUICE_REGISTRY_URL="http://127.0.0.1:1", GITHUB_ACTIONS="true")
    assert status == 3 and out.startswith("::error file=a.proto,line=1,title=Registry unreachable::")


def test_two_files_are_compared_without_a_registry(tree):
    tree.put("old.proto", 'syntax = "proto3";\nmessage A {\n  int32 n = 1;\n}\n')
    tree.put("new.proto", 'syntax = "proto3";\nmessage A {\n  int32 n = 1;\n}\nmessage B { }\n')
    assert tree.run("diff", "old.proto", "new.proto")[0] == 0
    status, outcomes, _ = tree.run("diff", "old.proto", "new.proto", "--level", "forward")
    assert status == 1 and "MESSAGE_REMOVED" in outcomes["new.proto"]["messages"][0]
    status, outcomes, _ = tree.run("diff", "new.proto", "old.proto")
    assert status == 1 and outcomes["old.proto"]["hint"] == "Put message B back: one that nothing uses costs nothing."
    assert tree.run("check", "old.proto", "--against", "new.proto")[0] == 1
    assert tree.run("check", "new.proto", "--against", "old.proto", "--level", "FULL")[0] == 1
    tree.put("other.json", "{}")
    status, outcomes, _ = tree.run("diff", "old.proto", "other.json")
    assert status == 1 and "another subject" in outcomes["other.json"]["hint"]


@pytest.mark.parametrize("kind, files, referrer, subjects", [
    ("AVRO", {"shop/money.avsc": AVRO_MONEY, "order.avsc": AVRO_ORDER}, "order.avsc", {"shop.Money", "order-value"}),
    ("JSON", {"money.json": JSON_MONEY, "order.json": JSON_ORDER}, "order.json", {"money.json", "order-value"}),
])
def test_the_other_formats_find_their_references_too(tree, registry, kind, files, referrer, subjects):
    for name, text in files.items():
        tree.put(name, text)
    flags = ("--registry", registry.registry)
    assert tree.run("check", referrer, *flags)[0] == 0
    status, outcomes, errors = tree.run("register", referrer, *flags)
    assert status == 0, (outcomes, errors)
    assert {entry["subject"] for entry in outcomes.values()} == subjects
    order = version(registry, "order-value")
    assert order["schemaType"] == kind and len(order["references"]) == 1
    assert tree.run("check", ".", *flags)[0] == 0
    changed = files[referrer] | ({"properties": {"total": {"type": "string"}}} if kind == "JSON" else
                                 {"fields": [{"name": "total", "type": "string"}]})
    tree.put(referrer, changed)
    status, outcomes, _ = tree.run("check", ".", *flags)
    assert status == 1, outcomes
    assert outcomes[referrer]["outcome"] == "incompatible"


def test_subjects_come_from_names_strategies_and_contexts(tree, registry, shop):
    subjects = f"{registry.registry}/subjects?subjectPrefix=:*:"
    before = set(registry.get(subjects)[1])
    tree.put("keys/orders-key.proto", 'syntax = "proto3"; package k; message Key { string id = 1; }')
    url = ("--registry", registry.registry)
    for flags in ((), ("--subject", "mine"), ("--subject-strategy", "record"), ("--subject-strategy", "file", "--root", "keys"),
                  ("--context", "team")):
        status, outcomes, errors = tree.run("register", "keys/orders-key.proto", *url, *flags)
        assert status == 0, (outcomes, errors)
    assert set(registry.get(subjects)[1]) - before == {
        "orders-key", "mine", "k.Key", "orders-key.proto", ":.team:orders-key"}
    tree.put("other/orders-key.proto", 'syntax = "proto3"; message Key { string id = 1; }')
    status, outcomes, _ = tree.run("check", "keys", "other", *url)
    assert status == 2 and "choose another --subject-strategy" in outcomes["other/orders-key.proto"]["messages"][0]


@pytest.mark.parametrize("arguments", [
    ("check",), ("diff", "a.proto"), ("check", "a.proto", "b.proto", "--subject", "s"), ("check", "a.proto", "--level", "SOME"),
    ("check", "a.proto", "--subject", "s", "--subject-strategy", "file"), ("register", "a.proto", "--against", "b.proto")])
def test_wrong_usage_is_status_two(tree, arguments):
    tree.put("a.proto", 'syntax = "proto3"; message A { }')
    tree.put("b.proto", 'syntax = "proto3"; message B { }')
    status, out, errors = tree.plain(*arguments)
    assert status == 2 and out == "" and errors
