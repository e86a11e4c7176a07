#!/usr/bin/env python3
"""Writes the seeds of every fuzz target into fuzz/corpus/, from the corpora that the tests use.

Schema texts: every protobuf text and JSON Schema of the recorded exchanges and the built-in files. Pairs for `compatibility`: the
old and new texts of one recorded scenario. Bodies of requests: whatever the recordings sent to the registry. JSON,
payloads and frames: what the recordings of produce sent and what was found in Kafka, and the files of
fuzz/seeds/<target>/.
Schema texts: every protobuf and Avro text of the recorded exchanges and the built-in files. Pairs for `compatibility`: the
old and new texts of one recorded scenario. JSON, payloads and frames: what the recordings of produce sent and what
was found in Kafka, and the files of fuzz/seeds/<target>/.
"""

import base64
import hashlib
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
GOLDEN = ROOT / "compat-tests" / "golden"


def write(target: str, seed: bytes) -> None:
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed-{hashlib.sha1(seed).hexdigest()[:16]}").write_bytes(seed)


def objects(node):
    """Every JSON object inside `node`."""
    if isinstance(node, dict):
        yield node
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from objects(child)


def schema_texts(scenario, *types) -> list[str]:
    """Every schema text that is said to be of one of `types`, in either API's word for it; none said is AVRO."""
    found = []
    for node in objects(scenario):
        text = node.get("schema")
        said = {node.get("schemaType"), node.get("type")} - {None} or {"AVRO"}
        if said.intersection(types) and isinstance(text, str) and text not in found:
            found.append(text)
    return found


def avro_texts(scenario) -> list[str]:
    """Every schema text without a type, or said to be Avro."""
    nodes = [node for node in objects(scenario) if node.get("schemaType", "AVRO") == "AVRO"]
    texts = (node["schema"] for node in nodes if isinstance(node.get("schema"), str) and len(node["schema"]) <= 4096)
    return list(dict.fromkeys(texts))


def bodies(step) -> list[bytes]:
    """What a recorded request sent: JSON, text or bytes; big ones only slow a fuzzer down."""
    sent = []
    if "body" in step:
        sent.append(json.dumps(step["body"], ensure_ascii=False).encode())
    if "body_text" in step:
        sent.append(step["body_text"].encode())
    if "body_base64" in step:
        sent.append(base64.b64decode(step["body_base64"]))
    return [body for body in sent if len(body) <= 4096]


def registry() -> None:
    for path in sorted(GOLDEN.glob("registry/recorded*/*.json")):
        scenario = json.loads(path.read_text())
        schemas = schema_texts(scenario, "JSON")
        for text in schemas:
            write("json_schema_parser", text.encode())
        for old, new in zip(schemas, schemas[1:]):
            write("json_schema_compatibility", f"{old}\0{new}".encode())
        avro = avro_texts(scenario)
        for text in avro:
            write("avro_parser", text.encode(errors="replace"))
        for old, new in zip(avro, avro[1:] or avro):
            write("avro_compatibility", f"{old}\0{new}".encode(errors="replace"))
        texts = schema_texts(scenario, "PROTOBUF")
        for text in texts:
            write("proto_parser", text.encode())
            write("canonical_print", text.encode())
        for step in scenario.get("steps", []):
            for body in bodies(step):
                write("request_bodies", body)
        for old, new in zip(texts, texts[1:]):
            write("compatibility", f"{old}\0{new}".encode())


def rest() -> None:
    for path in sorted(GOLDEN.glob("rest/recorded*/*.json")):
        scenario = json.loads(path.read_text())
        is_protobuf = "PROTOBUF" in path.read_text()
        is_avro = "AVRO" in path.read_text()
        for node in objects(scenario):
            if is_protobuf and isinstance(node.get("data"), dict):
                write("json_to_protobuf", json.dumps(node["data"]).encode())
            if is_avro and "data" in node:
                write("avro_json_to_binary", json.dumps(node["data"]).encode())
            payload = node.get("payload")
            if isinstance(payload, dict) and "base64" in payload and "framed" in node:
                body = base64.b64decode(payload["base64"])
                write("wire_framing", b"\0\0\0\0\1" + body)
                if body[:1] == b"\0":
                    write("protobuf_to_json", body[1:])


def files() -> None:
    for path in sorted(ROOT.glob("crates/schema/proto/**/*.proto")) + [HERE / "targets" / "everything.proto"]:
        write("proto_parser", path.read_bytes())
        write("canonical_print", path.read_bytes())
    for path in sorted((HERE / "seeds").glob("*/*")):
        write(path.parent.name, path.read_bytes())


if __name__ == "__main__":
    for old_seed in (HERE / "corpus").glob("*/seed-*"):
        old_seed.unlink()
    registry()
    rest()
    files()
