#!/usr/bin/env python3
"""Writes the seeds of every fuzz target into fuzz/corpus/, from the corpora that the tests use.

Schema texts: every text of the recorded exchanges, by language, and the built-in files. Pairs: the old and new texts of
one recorded scenario. Bodies of requests: whatever the recordings sent to the registry. JSON, payloads and frames: what
the recordings of produce sent and what was found in Kafka, and the files of fuzz/seeds/<target>/.
"""

import base64
import hashlib
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
GOLDEN = ROOT / "compat-tests" / "golden"
# Big texts and bodies only slow a fuzzer down.
MAX_BYTES = 4096
# Per language the targets that take a text, and the one that takes two.
LANGUAGES = [
    ("PROTOBUF", ["proto_parser", "canonical_print"], "compatibility"),
    ("AVRO", ["avro_parser"], "avro_compatibility"),
    ("JSON", ["json_schema_parser"], "json_schema_compatibility"),
]


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


def schema_texts(scenario, language) -> list[str]:
    """Every schema text that is said to be of `language`, in either API's word for it; none said is AVRO."""
    found = []
    for node in objects(scenario):
        text = node.get("schema")
        said = {node.get("schemaType"), node.get("type")} - {None} or {"AVRO"}
        is_small = isinstance(text, str) and len(text) <= MAX_BYTES
        if language in said and is_small and text not in found:
            found.append(text)
    return found


def bodies(step) -> list[bytes]:
    """What a recorded request sent: JSON, text or bytes, or records one behind the other."""
    sent = [json.dumps(step[name], ensure_ascii=False).encode() for name in ("body", "json") if name in step]
    sent += [step[name].encode() for name in ("body_text", "text") if name in step]
    sent += [base64.b64decode(step[name]) for name in ("body_base64", "base64") if name in step]
    if "records" in step:
        sent.append("\n".join(json.dumps(record, ensure_ascii=False) for record in step["records"]).encode())
    return [body for body in sent if len(body) <= MAX_BYTES]


def registry() -> None:
    for path in sorted(GOLDEN.glob("registry/recorded*/*.json")):
        scenario = json.loads(path.read_text())
        for language, parsers, pairs in LANGUAGES:
            texts = schema_texts(scenario, language)
            for parser in parsers:
                for text in texts:
                    write(parser, text.encode(errors="replace"))
            for old, new in zip(texts, texts[1:] or texts):
                write(pairs, f"{old}\0{new}".encode(errors="replace"))
        for step in scenario.get("steps", []):
            for body in bodies(step):
                write("request_bodies", body)


def rest() -> None:
    for path in sorted(GOLDEN.glob("rest/recorded*/*.json")):
        scenario = json.loads(path.read_text())
        is_protobuf = "PROTOBUF" in path.read_text()
        is_avro = "AVRO" in path.read_text()
        for step in scenario.get("steps", []):
            for body in bodies(step):
                # The first byte says how the rest is cut.
                write("record_stream", bytes([len(body) % 64]) + body)
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
